"""Reading what a shim has written."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Position(NamedTuple):
    """How far a spool has been read: all of it that lies before. `Position()` is the beginning."""

    segment: int = 0
    offset: int = 0
    line: int = 0  # lines before this position, lost ones included
    byte: int = 0  # bytes of those lines

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
    time_ms: int
    text: str


class Batch(NamedTuple):
    """Lines in order and the position behind them; no lines: nothing new yet."""

    lines: list[Line]
    position: Position
    lost_lines: int  # dropped before or between them; a line in `lines` says so too


class Spool:
    """The spool of one shim. Not for use from two threads at once."""

    def __init__(self, directory: Path) -> None:
        raise NotImplementedError

    def read(self, position: Position, *, max_lines: int = 1000, max_bytes: int = 256 * 1024) -> Batch:
        """What follows `position`, at most so much (a single longer line comes alone). Raises OSError."""
        raise NotImplementedError

    def delete_before(self, position: Position) -> None:
        """Remove segments that lie wholly before `position`."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the open segment; reading again opens it again."""
        raise NotImplementedError
