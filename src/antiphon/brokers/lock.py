"""One process owns a data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from antiphon.errors import DataDirectoryInUse

NAME = "antiphon.lock"


class DirectoryLock:
    """An exclusive lock on a directory, held until `release` or the end of the process, however it ends."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock and write our process id into it.

        Raises:
            DataDirectoryInUse: Another process holds it; `.pid` names it.
        """
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(file, self._path.parent) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()  # closing drops the lock; the file stays, for removing it would race
            self._file = None


def _in_use(file: IO[str], directory: Path) -> DataDirectoryInUse:
    file.seek(0)
    text = file.read().strip()
    file.close()
    pid = int(text) if text.isdigit() else None
    return DataDirectoryInUse(
        f"process {pid or 'unknown'} already owns the data directory {directory}; one process owns it at a time. "
        "Stop that process, choose another --data, or connect to it with antiphon.connect() "
        "(several web workers: run one `antiphon serve` and connect to it from each)",
        pid=pid,
    )
