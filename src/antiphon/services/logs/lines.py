"""Bytes in, whole lines out. Plain code without I/O."""

from __future__ import annotations

import codecs

FINGERPRINT_BYTES = 64
_utf8 = codecs.getincrementaldecoder("utf-8")


class LineSplitter:
    """Cuts a stream of bytes into lines; an unfinished last line waits for its end.

    A line ends with LF (CR LF counts as one end). Of a progress line that was rewritten with CR only the last version
    stays. What is not UTF-8 becomes U+FFFD. A line longer than `limit_bytes` is cut there and says how much is missing.

    Args:
        offset: Position of the first byte in the file; it must be the beginning of a line.
        limit_bytes: Longest line kept whole; 0 = no limit.
        before: The last bytes before `offset`, for `fingerprint`.
    """

    def __init__(self, offset: int, limit_bytes: int, before: bytes = b"") -> None:
        self.offset = offset  # just behind the last whole line
        self.read_offset = offset  # just behind the last byte that was fed
        self.fingerprint = before[-FINGERPRINT_BYTES:]  # the bytes before `offset`
        self.recent = self.fingerprint  # the bytes before `read_offset`
        self._limit = limit_bytes
        self._open = bytearray()  # of the unfinished line what is kept
        self._missing = 0  # bytes of it that were cut

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` finishes."""
        start, end = self.read_offset, data.rfind(b"\n") + 1
        if end:
            self.offset = start + end
            self.fingerprint = (self.recent + data[max(0, end - FINGERPRINT_BYTES) : end])[-FINGERPRINT_BYTES:]
        self.recent = (self.recent + data[-FINGERPRINT_BYTES:])[-FINGERPRINT_BYTES:]
        self.read_offset = start + len(data)
        *whole, rest = data.split(b"\n")
        lines = []
        for piece in whole:
            self._extend(piece)
            lines.append(self._take())
        self._extend(rest)
        return lines

    def finish(self) -> list[str]:
        """The unfinished last line, if any: nothing follows it any more."""
        self.offset, self.fingerprint = self.read_offset, self.recent
        return [self._take()] if self._open or self._missing else []

    def _extend(self, piece: bytes) -> None:
        body = piece.rstrip(b"\r")  # a CR at the end may belong to CR LF
        rewritten = body.rfind(b"\r")
        if rewritten >= 0 or (body and self._open.endswith(b"\r")):
            self._open[:] = piece[rewritten + 1 :]
            self._missing = 0
        elif not self._missing:
            self._open += piece
        else:
            self._missing += len(piece)
        if self._limit and len(self._open) > self._limit and len(self._open.rstrip(b"\r")) > self._limit:
            self._missing += len(self._open) - self._limit
            del self._open[self._limit :]

    def _take(self) -> str:
        if self._missing:
            decoder = _utf8("replace")
            text = decoder.decode(self._open)
            broken = len(decoder.getstate()[0])  # of a character that the cut went through
            text += f" [... {self._missing + broken} bytes cut]"
        else:
            text = self._open.rstrip(b"\r").decode("utf-8", "replace")
        self._open.clear()
        self._missing = 0
        return text
