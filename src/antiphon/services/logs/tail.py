"""Reading one growing file across rotation. Blocking file access; no event loop, no hub.

What can happen to the file, and what we do:
- it does not exist yet: wait.
- it was renamed away: read the old file to its end, and go on with the new one once that has bytes (a writer that has
  begun the new file is done with the old one).
- it was copied and truncated: the bytes just before our position are no longer there. The rest of the old text is in
  the copy, a sibling whose bytes before our position are the same: finish that, then read the file from its beginning.
- the server was away meanwhile: the same search, by inode and by those bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import orjson

from antiphon.services.logs.lines import FINGERPRINT_BYTES, LineSplitter

CHUNK_BYTES = 64 * 1024
_SURE_BYTES = 32  # so many equal bytes at the same position make another inode the same text


class Position(NamedTuple):
    """Where reading goes on: at `offset` in the file `inode`, whose `checked` bytes before that have this digest."""

    inode: int
    offset: int
    checked: int
    digest: str

    def encode(self) -> str:
        return orjson.dumps(self._asdict()).decode()

    @classmethod
    def decode(cls, text: str) -> Position:
        return cls(**orjson.loads(text))


class Chunk(NamedTuple):
    """Lines and the position behind them; no lines and `more` false: there is nothing to read now."""

    lines: list[str]
    position: Position | None  # None = no file is open
    more: bool
    size_bytes: int = 0  # of the open file


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _open(path: Path) -> int:
    """Open a regular file. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(f"{path} is not a regular file")


def _before(descriptor: int, offset: int, checked: int) -> bytes:
    return os.pread(descriptor, checked, offset - checked) if checked else b""


class Tail:
    """The lines of the file at `path`, from `position` on. Nothing is opened before the first `read`.

    `close` may be called from another thread than `read`; it waits for a read under way, and nothing is read after it.

    Args:
        path: The file; need not exist.
        limit_bytes: Longest line; 0 = no limit.
        position: Where an earlier reader stopped; None = this file was never read.
        from_end: Without a position: skip what the file already holds.
    """

    def __init__(self, path: Path, limit_bytes: int, position: Position | None, *, from_end: bool = False) -> None:
        self.path = path
        self.lost = False  # whether lines after the last position could not be found any more
        self._limit = limit_bytes
        self._descriptor: int | None = None
        self._splitter = LineSplitter(0, limit_bytes)
        self._begin: Callable[[], None] | None = self._skip if from_end else None
        if position is not None:
            self._begin = partial(self._resume, position)
        self._lock = Lock()
        self._closed = False

    @property
    def following(self) -> bool:
        """Whether a file is open."""
        return self._descriptor is not None

    def read(self) -> Chunk:
        """Read on, at most `CHUNK_BYTES`. Raises OSError."""
        with self._lock:
            if self._closed:
                return Chunk([], None, more=False)
            chunk = self._read()
            return chunk if self._descriptor is None else chunk._replace(size_bytes=os.fstat(self._descriptor).st_size)

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            self._closed = True
            self._release()

    def _read(self) -> Chunk:
        if self._begin is not None:
            self._begin()
            self._begin = None
        if self._descriptor is None and not self._open_path():
            return Chunk([], None, more=False)
        descriptor, splitter = self._descriptor, self._splitter
        assert descriptor is not None
        replaced = self._replaced(descriptor)  # asked before reading: what came before the new file is read first
        data = os.pread(descriptor, CHUNK_BYTES, splitter.read_offset)
        if not self._unchanged(descriptor):  # asked after reading, so that `data` is from before a truncation
            return self._after_truncation()
        if data:
            return Chunk(splitter.feed(data), self._position(), more=True)
        if not replaced:
            return Chunk([], self._position(), more=False)
        lines, end = splitter.finish(), self._position()
        self._release()
        self._open_path()
        return Chunk(lines, self._position() or end, more=True)

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _position(self) -> Position | None:
        if self._descriptor is None:
            return None
        before = self._splitter.fingerprint
        return Position(os.fstat(self._descriptor).st_ino, self._splitter.offset, len(before), _digest(before))

    def _open_path(self) -> bool:
        try:
            self._use(_open(self.path), 0)
        except FileNotFoundError:
            return False
        return True

    def _use(self, descriptor: int, offset: int, checked: int = 0) -> None:
        self._release()
        self._descriptor = descriptor
        self._splitter = LineSplitter(offset, self._limit, _before(descriptor, offset, checked))

    def _unchanged(self, descriptor: int) -> bool:
        recent, end = self._splitter.recent, self._splitter.read_offset
        return _before(descriptor, end, len(recent)) == recent and os.fstat(descriptor).st_size >= end

    def _replaced(self, descriptor: int) -> bool:
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        return now.st_size > 0 and not os.path.samestat(now, os.fstat(descriptor))

    def _after_truncation(self) -> Chunk:
        position = self._position()
        assert position is not None
        self._resume(position)
        if not self.lost:
            return Chunk([], self._position(), more=True)
        self._splitter, old = LineSplitter(0, self._limit), self._splitter
        return Chunk(old.finish(), self._position(), more=True)

    def _resume(self, position: Position) -> None:
        for path, inode in self._candidates(position.inode):
            if inode != position.inode and position.checked < _SURE_BYTES:
                continue
            if self._try(path, position):
                self.lost = False
                return
        self.lost = position.offset > 0

    def _try(self, path: Path, position: Position) -> bool:
        try:
            descriptor = _open(path)
        except OSError:
            return False
        if _digest(_before(descriptor, position.offset, position.checked)) == position.digest:
            self._use(descriptor, position.offset, position.checked)
            return True
        os.close(descriptor)
        return False

    def _candidates(self, inode: int) -> Iterator[tuple[Path, int]]:
        """The file and its rotated siblings, first those with the inode, of these first the file itself."""
        found: list[tuple[int, Path]] = []
        try:
            with os.scandir(self.path.parent) as entries:
                siblings = [entry for entry in entries if entry.name.startswith(self.path.stem)]
                found = [(entry.stat().st_ino, Path(entry.path)) for entry in siblings]
        except OSError:
            pass
        found.sort(key=lambda item: (item[0] != inode, item[1] != self.path))
        yield from ((path, number) for number, path in found)

    def _skip(self) -> None:
        """Begin behind the last whole line; what follows it is a line in the making."""
        if not self._open_path():
            return
        descriptor = self._descriptor
        assert descriptor is not None
        end = os.fstat(descriptor).st_size
        while end:
            start = max(0, end - CHUNK_BYTES)
            found = os.pread(descriptor, end - start, start).rfind(b"\n") + 1
            end = start + found
            if found:
                break
        self._use(os.dup(descriptor), end, min(end, FINGERPRINT_BYTES))
