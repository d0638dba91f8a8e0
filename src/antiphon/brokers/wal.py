"""Keeping SQLite's write-ahead log short without stopping the writer."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog

from antiphon.brokers import schema

CHECKPOINT_BYTES = 4 << 20  # written since the last checkpoint
WAL_LIMIT_BYTES = 64 << 20  # beyond it the writer waits for a full checkpoint

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Checkpointer:
    """Moves the log into the database in a thread, with a connection of its own."""

    def __init__(self, path: Path, writer: sqlite3.Connection) -> None:
        self._wal = path.with_name(path.name + "-wal")
        self._writer = writer
        self._db = schema.connect(path, synchronous="full")
        self._due = asyncio.Event()
        self._written = 0

    def wrote(self, count: int) -> None:
        """Count bytes; wakes `run` when there is enough to do."""
        self._written += count
        if self._written >= CHECKPOINT_BYTES:
            self._due.set()

    async def run(self) -> None:
        """Checkpoint whenever it is due, until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            self._written = 0
            try:
                await self._checkpoint()
            except sqlite3.Error as exc:  # the log stays whole, only longer; the next time may succeed
                log.warning("the write-ahead log could not be checkpointed", error=str(exc))

    async def _checkpoint(self) -> None:
        await finished(asyncio.to_thread(self._db.execute, "PRAGMA wal_checkpoint(PASSIVE)"))
        if self._wal.stat().st_size > WAL_LIMIT_BYTES and not self._writer.in_transaction:
            self._writer.execute("PRAGMA wal_checkpoint(RESTART)")  # little is left to move: this is quick

    def close(self) -> None:
        self._db.close()


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end even when cancelled: a thread cannot be stopped and must be alone with its connection."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):  # told once is enough
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at: who cancels does not ask how it went
        raise
