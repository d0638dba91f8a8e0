"""Reading what a shim has written; the format is defined and explained in `antiphon.shim`.

Records carry how many lines and bytes came before them. A position carries the same, so whatever is missing between
the two (a segment dropped because the spool was full, lines that a full disk refused, a damaged record) is told as a
line of its own at the place where it is missing, never passed over in silence.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from antiphon.shim import HEADER, MAGIC, STREAMS, segment_name, segment_numbers

LOST_STREAM = "stderr"  # carries the line that tells of lost ones


class Position(NamedTuple):
    """How far a spool has been read: all of it that lies before. `Position()` is the beginning."""

    segment: int = 0
    offset: int = 0
    line: int = 0  # lines before this position, lost ones included
    byte: int = 0  # bytes of those lines, with their ends

    def __str__(self) -> str:
        return ":".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read what `str()` gave. Raises ValueError."""
        segment, offset, line, byte = map(int, text.split(":"))
        return cls(segment, offset, line, byte)


class Line(NamedTuple):
    """One line of output, without its end."""

    stream: str  # stdout or stderr
    time_ms: int  # Unix time at which it was read from the program
    text: str  # invalid UTF-8 replaced by U+FFFD


class Batch(NamedTuple):
    """Lines in order and the position behind them; no lines: nothing new yet."""

    lines: list[Line]
    position: Position
    lost_lines: int  # missing before or between them; a line in `lines` says so


class Spool:
    """The spool of one shim, living or ended. Not for use from two threads at once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: tuple[int, int] | None = None  # segment and its descriptor

    def read(self, position: Position, *, max_lines: int = 1000, max_bytes: int = 256 * 1024) -> Batch:
        """What follows `position`, bounded: at most so much, but at least one record if there is one.

        A record that is not whole (still being written, or torn by a crash) is waited for.

        Raises:
            OSError: The spool cannot be read.
        """
        final = False  # the segment will not grow: a later one has been seen before it was read
        while True:
            batch = self._read_segment(position, max_lines, max_bytes)
            if batch.lines or batch.position != position:
                return batch
            later = self._segment_after(position.segment)
            if later is None:
                return batch
            if final:
                position = position._replace(segment=later, offset=0)
            final = not final

    def delete_before(self, position: Position) -> None:
        """Remove segments that lie wholly before `position`."""
        for number in segment_numbers(str(self._directory)):
            if number < position.segment:
                with suppress(FileNotFoundError):
                    (self._directory / segment_name(number)).unlink()

    def close(self) -> None:
        """Close the open segment; reading opens it again."""
        if self._open is not None:
            os.close(self._open[1])
            self._open = None

    def _segment_after(self, segment: int) -> int | None:
        return next((number for number in segment_numbers(str(self._directory)) if number > segment), None)

    def _descriptor(self, segment: int) -> int | None:
        """The segment, kept open: what is dropped while we read it can still be read to its end."""
        if self._open is None or self._open[0] != segment:
            self.close()
            try:
                self._open = segment, os.open(self._directory / segment_name(segment), os.O_RDONLY)
            except FileNotFoundError:
                return None
        return self._open[1]

    def _read_segment(self, position: Position, max_lines: int, max_bytes: int) -> Batch:
        fd = self._descriptor(position.segment)
        if fd is None:
            return Batch([], position, 0)
        data = os.pread(fd, max_bytes, position.offset)
        whole = HEADER.size + HEADER.unpack_from(data)[2] if len(data) >= HEADER.size and data.startswith(MAGIC) else 0
        if whole > len(data) and os.fstat(fd).st_size >= position.offset + whole:  # one very long line
            data = os.pread(fd, whole, position.offset)
        return _decode(data, position, max_lines)


def _decode(data: bytes, position: Position, max_lines: int) -> Batch:
    """Whole records from the beginning of `data`, which was read at `position`."""
    segment, offset, line, byte = position
    lines: list[Line] = []
    at = lost = 0
    while at + HEADER.size <= len(data):
        magic, crc, size, time_ms, before, bytes_before, count, stream = HEADER.unpack_from(data, at)
        start, end = at + HEADER.size, at + HEADER.size + size
        if magic != MAGIC or end > len(data) or (lines and len(lines) + count > max_lines):
            break
        payload = data[start:end]
        if zlib.crc32(data[at + 8 : start], zlib.crc32(payload)) != crc:
            break
        if before > line:
            lines.append(_lost(before - line, bytes_before - byte, time_ms))
            lost += before - line
        if count:
            name = STREAMS[stream]
            lines += [Line(name, time_ms, text) for text in payload.decode("utf-8", "replace").split("\n")]
        at, line, byte = end, before + count, bytes_before + size + (count > 0)
    return Batch(lines, Position(segment, offset + at, line, byte), lost)


def _lost(lines: int, lost_bytes: int, time_ms: int) -> Line:
    some = "1 line" if lines == 1 else f"{lines} lines"
    return Line(
        LOST_STREAM,
        time_ms,
        f"[antiphon: {some} ({lost_bytes} bytes) lost here: the spool was full or could not be written]",
    )
