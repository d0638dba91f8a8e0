"""Engine.IO revision 4: packets, and how they travel together in one HTTP body. Source: Engine.IO protocol, revision 4.

A packet with text is one digit and the text; one with bytes is, over WebSocket, the bytes themselves, and in an HTTP
body a `b` and their base64 form.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final, NamedTuple

OPEN: Final = "0"
CLOSE: Final = "1"
PING: Final = "2"
PONG: Final = "3"
MESSAGE: Final = "4"
UPGRADE: Final = "5"
NOOP: Final = "6"

KINDS: Final = frozenset("0123456")
SEPARATOR: Final = "\x1e"  # between the packets of an HTTP body
MAX_PACKETS: Final = 16_384  # in one HTTP body

Piece = str | bytes
"""A packet as it stands in a WebSocket message: text with its digit, or the bytes of a message."""


class BadPacket(ValueError):
    """What arrived is no packet; the message says why."""

    reason = "parse error"  # why the session ends


class TooLong(BadPacket):
    """What arrived is longer than it may be."""

    reason = "message too long"


class Packet(NamedTuple):
    """One packet; `data` is text, or the bytes of a message."""

    kind: str
    data: str | bytes


def decode_packet(piece: Piece) -> Packet:
    """Read a WebSocket message. Raises BadPacket."""
    if isinstance(piece, bytes):
        return Packet(MESSAGE, piece)
    if piece[:1] not in KINDS or not piece:
        raise BadPacket("a packet begins with a digit from 0 to 6")
    return Packet(piece[0], piece[1:])


def decode_payload(body: str) -> list[Packet]:
    """Read an HTTP body. Raises BadPacket."""
    if body.count(SEPARATOR) >= MAX_PACKETS:
        raise BadPacket(f"a body may have {MAX_PACKETS} packets")
    return [_decode_part(part) for part in body.split(SEPARATOR)]


def _decode_part(part: str) -> Packet:
    if not part.startswith("b"):
        return decode_packet(part)
    try:
        return Packet(MESSAGE, b64decode(part[1:], validate=True))
    except (binascii.Error, ValueError):
        raise BadPacket("a packet that begins with `b` must be base64") from None


def encode_mail(piece: Piece) -> bytes:
    """A packet as it stands in an HTTP body."""
    return piece.encode() if isinstance(piece, str) else b"b" + b64encode(piece)


def decode_mail(mail: bytes) -> Piece:
    """The packet again, for another carriage."""
    return b64decode(mail[1:]) if mail.startswith(b"b") else mail.decode()


def join_mail(mail: Sequence[bytes]) -> bytes:
    """Packets as one HTTP body."""
    return mail[0] if len(mail) == 1 else SEPARATOR.encode().join(mail)
