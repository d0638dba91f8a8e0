"""Frames as clients send them, right or wrong, and small ways to read them back."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from antiphon.transports.frames import Event, FrameReader, Violation

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = b"\x37\xfa\x21\x3d"


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    key: bytes | None = KEY,
    form: int | None = None,
) -> bytes:
    """One frame; `form` = how many bytes the length takes (0, 2 or 8), where it is not the shortest."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    mask = 0x80 if key is not None else 0
    size = len(payload)
    if form is None:
        form = 0 if size < 126 else 2 if size < 1 << 16 else 8
    marker, length = size, b""
    if form:
        marker, length = (126, struct.pack("!H", size)) if form == 2 else (127, struct.pack("!Q", size))
    body = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload)) if key is not None else payload
    return bytes([first, mask | marker]) + length + (key or b"") + body


def closing(code: int, reason: bytes = b"") -> bytes:
    return struct.pack("!H", code) + reason


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    """The data in pieces, cut at these places."""
    places = sorted({place % (len(data) + 1) for place in at})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def read(pieces: Iterable[bytes], *, limit: int = 1 << 20) -> tuple[list[Event], int | None]:
    """All events, and the close code of the violation that ended them, if one did."""
    reader, events = FrameReader(limit), []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (event := reader.next()) is not None:
                events.append(event)
        except Violation as exc:
            reader.feed(frame(TEXT, b"too late"))
            assert reader.next() is None
            return events, exc.code
    return events, None
