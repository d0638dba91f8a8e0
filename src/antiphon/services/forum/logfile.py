"""`forum.log`: the file that mirrors `log:forum`. Blocking file access; no hub.

Each batch is appended to whatever file has the name now, so it may be rotated away at any time. The file and the store
are not written in one transaction; how far it was written is noted a little later than it was written. So after a death
what is behind the noted size is compared with what was to come, and only the rest is written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from antiphon.messages import Event
from antiphon.services.forum.values import CLEARED


class Written(NamedTuple):
    """The file as it was left: records up to `offset` of the channel, in a file `inode` of `size` bytes."""

    offset: int
    inode: int
    size: int


class ForumFile:
    """Writes the file. All methods may block. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self, offset: int) -> Written:
        """The file as it is, with records up to an offset."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return Written(offset, 0, 0)
        return Written(offset, found.st_ino, found.st_size)

    def resume(self, written: Written, events: Sequence[Event]) -> Written:
        """Write what came after `written`, without what is in the file already."""
        is_anew = any(event.type == CLEARED for event in events)
        text = b"" if is_anew else self._rest(written, encode(events))
        if is_anew or not events:
            return self.append(written.offset, events)
        self._write(text)
        return self.now(events[-1].offset)

    def append(self, offset: int, events: Sequence[Event]) -> Written:
        """Write the events that follow an offset; where the file is cleared, only those behind that."""
        last = max((index for index, event in enumerate(events) if event.type == CLEARED), default=-1)
        if last >= 0:
            self.path.unlink(missing_ok=True)
        self._write(encode(events[last + 1 :]))
        return self.now(events[-1].offset if events else offset)

    def _rest(self, written: Written, expected: bytes) -> bytes:
        """What of the expected bytes is not behind the noted size; all of them where somebody else wrote there."""
        found = self.now(written.offset)
        if found.inode != written.inode or found.size <= written.size:
            return expected
        with self.path.open("rb") as file:
            file.seek(written.size)
            tail = file.read(len(expected) + 1)
        if expected.startswith(tail):
            return expected[len(tail) :]
        return expected if tail.endswith(b"\n") else b"\n" + expected

    def _write(self, text: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            view = memoryview(text)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)


def encode(events: Sequence[Event]) -> bytes:
    """The records among the events, as lines."""
    return "".join(f"{event.data['text']}\n" for event in events if event.type == "line").encode("utf-8", "replace")
