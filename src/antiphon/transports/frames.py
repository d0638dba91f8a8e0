"""WebSocket frames, the server's side, without I/O: bytes in, messages out. Source: RFC 6455, sections 5 to 8.

A frame begins with two bytes (final, reserved bits, opcode; masked, length), the rest of a long length, and the mask
of what a client sends. What is wrong is known as early as possible: a wrong header before its payload, a message that
is too long before it is stored, text that is no UTF-8 at its first wrong byte. There are no extensions.
"""

from __future__ import annotations

import codecs
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from antiphon.transports.masking import unmask

PROTOCOL_ERROR = 1002
INVALID_TEXT = 1007
TOO_BIG = 1009

MAX_CONTROL_BYTES = 125
MAX_REASON_BYTES = MAX_CONTROL_BYTES - 2
KNOWN_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})  # IANA's registry

_FINAL, _RESERVED, _OPCODE, _CONTROL = 0x80, 0x70, 0x0F, 0x08  # in the first byte of a header
_WHOLE_TEXT = 0x81
_MASKED, _LENGTH = 0x80, 0x7F  # in the second
_SHORT, _LONG, _CODE = Struct("!H"), Struct("!Q"), Struct("!H")
_HEAD, _HEAD_SHORT, _HEAD_LONG = Struct("!BB"), Struct("!BBH"), Struct("!BBQ")
_NO_KEY = b"\0\0\0\0"


class Opcode(IntEnum):
    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class Ping(NamedTuple):
    payload: bytes


class Pong(NamedTuple):
    payload: bytes


class Close(NamedTuple):
    code: int | None  # None = the peer gave none
    reason: str


Event = str | bytes | Ping | Pong | Close
"""What arrives: a text message, a binary one, or a control frame."""


class Violation(Exception):
    """The peer broke the protocol or a limit: close with this code and read no more."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class FrameReader:
    """Reads a client's frames. `feed` it bytes as they come, then call `next` until it has nothing.

    Args:
        limit_bytes: Of one message; a longer one is refused at the header of the frame that makes it too long.
    """

    __slots__ = ("_at", "_data", "_final", "_key", "_kind", "_left", "_limit", "_message", "_over", "_text")

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._data = b""
        self._at = 0  # where in `_data` the next byte is
        self._over = False  # after a close frame or a violation nothing is read
        self._kind = 0  # opcode of the message that is arriving; 0 = between two messages
        self._message: bytearray | None = None  # what has arrived of it; None = nothing
        self._text: codecs.IncrementalDecoder | None = None  # checks it, where it is text
        self._left: int | None = None  # bytes to come of the frame that is arriving; None = between two frames
        self._key = _NO_KEY  # its mask, turned so that it begins at the next byte
        self._final = False

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def next(self) -> Event | None:
        """The next event; None = more bytes are needed, or the peer has closed.

        Raises:
            Violation: Once; nothing is read afterwards.
        """
        try:
            while not self._over:
                before = self._at
                event = self._frame() if self._left is None else self._payload()
                if event is not None:
                    return event
                if self._at == before:
                    break
        except Violation:
            self._stop()
            raise
        if self._at == len(self._data):
            self._data, self._at = b"", 0  # an idle connection keeps nothing
        return None

    def _frame(self) -> Event | None:
        """Read a header, and with it the whole frame if it is here already."""
        data, at = self._data, self._at
        if len(data) - at < 2:
            return None
        first, second = data[at], data[at + 1]
        opcode, length, at = first & _OPCODE, second & _LENGTH, at + 2
        if first != _WHOLE_TEXT or second < _MASKED or self._kind:  # what nearly all frames are needs no more looks
            self._check(first, second)
        if length >= 126:
            found = self._length(length, at)
            if found is None:
                return None
            length, at = found
        if opcode < _CONTROL and length + len(self._message or b"") > self._limit:
            raise Violation(TOO_BIG, f"message over {self._limit} bytes")
        body, end = at + 4, at + 4 + length
        if end > len(data):
            if opcode < _CONTROL and body <= len(data):  # long ones are taken as they come
                self._begin(opcode, first & _FINAL)
                self._key, self._left, self._at = data[at:body], length, body
            return None
        self._at = end
        payload = unmask(data[body:end], data[at:body])
        if opcode >= _CONTROL:
            return self._control(opcode, payload)
        if opcode and first & _FINAL:
            return _whole(opcode, payload)
        self._begin(opcode, first & _FINAL)
        return self._add(payload, 0)

    def _check(self, first: int, second: int) -> None:
        opcode = first & _OPCODE
        if first & _RESERVED:
            raise Violation(PROTOCOL_ERROR, "reserved bits are set")
        if opcode > Opcode.PONG or Opcode.BINARY < opcode < Opcode.CLOSE:
            raise Violation(PROTOCOL_ERROR, f"unknown opcode {opcode}")
        if not second & _MASKED:
            raise Violation(PROTOCOL_ERROR, "a client's frames must be masked")
        if opcode >= _CONTROL:
            if not first & _FINAL:
                raise Violation(PROTOCOL_ERROR, "fragmented control frame")
            if second & _LENGTH > MAX_CONTROL_BYTES:
                raise Violation(PROTOCOL_ERROR, "control frame too long")
        elif bool(opcode) == bool(self._kind):
            wrong = "a new message inside another" if opcode else "a continuation of nothing"
            raise Violation(PROTOCOL_ERROR, wrong)

    def _length(self, marker: int, at: int) -> tuple[int, int] | None:
        """A long length, and where it ends."""
        form, least = (_SHORT, 126) if marker == 126 else (_LONG, 1 << 16)
        if len(self._data) - at < form.size:
            return None
        (length,) = form.unpack_from(self._data, at)
        if length < least or length >> 63:
            raise Violation(PROTOCOL_ERROR, "length not in its shortest form")
        return length, at + form.size

    def _begin(self, opcode: int, final: int) -> None:
        self._final = bool(final)
        if opcode == Opcode.CONTINUATION:
            return
        self._kind, self._message = opcode, bytearray()
        self._text = codecs.getincrementaldecoder("utf-8")() if opcode == Opcode.TEXT else None

    def _payload(self) -> Event | None:
        """Take what has arrived of a long frame."""
        left = self._left or 0
        masked = self._data[self._at : self._at + left]
        self._at += len(masked)
        piece, turn = unmask(masked, self._key), len(masked) % 4
        self._key = self._key[turn:] + self._key[:turn]
        return self._add(piece, left - len(masked))

    def _add(self, piece: bytes, left: int) -> Event | None:
        """Add to the message, of whose present frame `left` bytes are still to come."""
        message = self._message
        assert message is not None  # since `_begin`
        message += piece
        self._left = left or None
        done = self._final and not left
        if self._text is not None:
            _decode(self._text, piece, final=done)
        if not done:
            return None
        is_text = self._text is not None
        self._kind, self._message, self._text = 0, None, None
        return message.decode() if is_text else bytes(message)

    def _control(self, opcode: int, payload: bytes) -> Event:
        if opcode == Opcode.PING:
            return Ping(payload)
        if opcode == Opcode.PONG:
            return Pong(payload)
        close = _closing(payload)
        self._stop()
        return close

    def _stop(self) -> None:
        self._over, self._data, self._at, self._message, self._text = True, b"", 0, None, None


def _whole(opcode: int, payload: bytes) -> Event:
    if opcode == Opcode.BINARY:
        return payload
    try:
        return payload.decode()
    except UnicodeDecodeError as exc:
        raise _no_text(exc) from None


def _decode(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool) -> None:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError as exc:
        raise _no_text(exc) from None


def _no_text(exc: UnicodeDecodeError) -> Violation:
    return Violation(INVALID_TEXT, f"not UTF-8: {exc.reason}")


def _closing(payload: bytes) -> Close:
    if not payload:
        return Close(None, "")
    if len(payload) == 1:
        raise Violation(PROTOCOL_ERROR, "half a close code")
    (code,) = _CODE.unpack_from(payload)
    if code not in KNOWN_CODES and not 3000 <= code < 5000:
        raise Violation(PROTOCOL_ERROR, f"close code {code} may not be sent")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError as exc:
        raise _no_text(exc) from None


def encode_frame(payload: bytes, opcode: int = Opcode.TEXT) -> bytes:
    """A whole frame of the server. It is not masked, so the same bytes serve every connection."""
    first, size = _FINAL | opcode, len(payload)
    if size < 126:
        return _HEAD.pack(first, size) + payload
    if size < 1 << 16:
        return _HEAD_SHORT.pack(first, 126, size) + payload
    return _HEAD_LONG.pack(first, 127, size) + payload


def encode_close(code: int | None = None, reason: str = "") -> bytes:
    """A close frame; a reason that is too long is cut. None = the peer gave no code either."""
    if code is None:
        return encode_frame(b"", Opcode.CLOSE)
    cut = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
    return encode_frame(_CODE.pack(code) + cut, Opcode.CLOSE)
