"""Log records on their way into a run: from any thread, bounded, in order."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from antiphon.errors import AntiphonError

MAX_RECORDS = 1000  # that wait to be said; further ones are dropped and counted
MAX_TEXT = 65_536  # characters of one record

Log = Callable[[str, str, str], Awaitable[None]]  # level, text, logger


class _Record(NamedTuple):
    level: str
    text: str
    logger: str


class Records:
    """The queue of one run. Made on the event loop where `log` is to be called."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Record | int] = deque()  # int: so many were dropped here
        self._lock = threading.RLock()  # a signal's handler may log as well
        self._is_awake = False
        self._is_closed = False
        self._draining = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def put(self, level: str, text: str, logger: str) -> None:
        """Take a record from any thread; never waits."""
        if len(text) > MAX_TEXT:
            text = f"{text[:MAX_TEXT]}... ({len(text) - MAX_TEXT} more characters)"
        record = _Record(level, text.encode(errors="replace").decode(), logger)
        with self._lock:
            if self._is_closed:
                return
            self._append(record)
            wakes, self._is_awake = not self._is_awake, True
        if wakes:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(self._wake)

    def _append(self, record: _Record) -> None:
        if len(self._queue) < MAX_RECORDS:
            self._queue.append(record)
        elif isinstance(self._queue[-1], int):
            self._queue[-1] += 1
        else:
            self._queue.append(1)

    def _wake(self) -> None:
        self._task = self._loop.create_task(self._drain(), name="antiphon run: log records")

    async def _drain(self) -> None:
        async with self._draining:
            while (record := self._next()) is not None:
                try:
                    await self._log(*record)
                except AntiphonError:  # nothing more can be said in this run
                    self.close()

    def _next(self) -> _Record | None:
        with self._lock:
            if not self._queue:
                self._is_awake = False
                return None
            record = self._queue.popleft()
        if isinstance(record, int):
            return _Record("warning", f"{record} log records were dropped here: too many at once", "antiphon")
        return record

    async def stop(self) -> None:
        """Say what is left, and take nothing more."""
        await self._drain()
        self.close()
        if self._task is not None:
            await asyncio.wait([self._task])

    def close(self) -> None:
        """Take nothing more and forget the rest."""
        with self._lock:
            self._is_closed = True
            self._queue.clear()
