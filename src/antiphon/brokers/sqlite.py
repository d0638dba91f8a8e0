"""The default store: one SQLite database in the data directory.

Inserts and short reads run on the event loop: there they cost about a microsecond a row, while a thread that competes
with a busy loop for the interpreter lock may wait a hundred times longer than the work takes. What can take long and
needs the lock only at its ends runs in threads: searches, WAL checkpoints, and commits once the disk proves slow. See
docs/decisions/0002-sqlite-on-the-loop.md.
"""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

import structlog

from antiphon.brokers import schema
from antiphon.brokers.base import (
    FOLDED,
    KEPT_SNAPSHOTS,
    Batch,
    Bounds,
    Receipt,
    ReceiptKey,
    Search,
    SearchSlice,
    Snapshot,
)
from antiphon.brokers.lock import DirectoryLock
from antiphon.brokers.sqlite_search import Searcher
from antiphon.brokers.wal import Checkpointer, finished
from antiphon.errors import StorageError, StorageFailed, StorageFull
from antiphon.messages import Event, now_ms

ROWS_PER_STATEMENT = 512  # powers of two below it serve the rest, so that few statements are ever prepared
SLOW_COMMIT_S = 0.003  # a disk slower than this commits in a thread
CHUNK = 1000  # events touched at a time by upkeep
SCAN = 10_000  # events looked at in one go

COLUMNS = "offset, type, data, time, by"
TYPES = ", ".join(f"'{name}'" for name in sorted(FOLDED))

log = structlog.get_logger(__name__)


class SqliteBroker:
    """Logs in `DIRECTORY/antiphon.db`; owns the directory while open."""

    def __init__(self, directory: Path, *, synchronous: str = "full") -> None:
        self._directory = directory
        self._synchronous = synchronous
        self._lock = DirectoryLock(directory)
        self._ids: dict[str, int] = {}
        self.commit_s = 0.0  # smoothed length of a commit
        self.epoch = ""

    def open(self) -> None:
        """Create or open the store.

        Raises:
            DataDirectoryInUse: Another process owns the directory.
            StorageError: The database cannot be opened.
        """
        with translated(), ExitStack() as held:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            held.callback(self._lock.release)
            path = self._directory / schema.DATABASE
            self._life = schema.Life(self._directory, trusts_power_cuts=self._synchronous == "full")
            self._db = held.enter_context(closing(schema.connect(path, synchronous=self._synchronous)))
            schema.create(self._db)
            epoch = self._life.begin(self._db)
            self._ids = self._numbers()
            self._reads = held.enter_context(closing(schema.connect_readonly(path)))  # sees only what is committed
            self._checkpointer = held.enter_context(closing(Checkpointer(path, self._db)))
            self._searcher = Searcher(path)
            self._held = held.pop_all()
            self.epoch = epoch

    def _numbers(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT name, id FROM channels"))

    def is_volatile(self, channel: str) -> bool:  # noqa: ARG002 - nothing is
        return False

    def epoch_of(self, channel: str) -> str:  # noqa: ARG002 - all share one
        return self.epoch

    async def close(self) -> None:
        if self.epoch:
            self.epoch = ""
            with self._held:
                await self._searcher.close()
                self._end()

    def _end(self) -> None:
        try:
            self._life.end()
        except (sqlite3.Error, OSError) as exc:  # costs an epoch, loses nothing
            log.warning("the end of the store could not be noted", error=str(exc))

    async def bounds(self, channel: str) -> Bounds:
        number = self._ids.get(channel)
        if number is None:
            return Bounds(1, 0)
        with translated():
            oldest = self._reads.execute("SELECT oldest FROM channels WHERE id = ?", (number,)).fetchone()[0]
            head = self._reads.execute("SELECT max(offset) FROM events WHERE channel = ?", (number,)).fetchone()[0]
        return Bounds(oldest, max(oldest - 1, head or 0))

    async def append(self, batch: Batch) -> None:
        fresh: dict[str, int] = {}
        try:
            with translated(), self._transaction():
                self._insert(batch, fresh)
                await self._commit()
        except asyncio.CancelledError:
            self._ids = self._numbers()  # the commit was waited for all the same
            raise
        self._ids.update(fresh)
        self._checkpointer.wrote(sum(len(event.payload) + 100 for event in batch.events) + 4096)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            if self._db.in_transaction:
                self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _insert(self, batch: Batch, fresh: dict[str, int]) -> None:
        numbers = {name: self._number(name, fresh) for name in {event.channel for event in batch.events}}
        rows = [(numbers[e.channel], e.offset, e.type, e.payload, e.time_ms, e.by) for e in batch.events]
        for start, count in _chunks(len(rows)):
            self._db.execute(_insert_statement(count), list(chain.from_iterable(rows[start : start + count])))
        for channel, snapshot in batch.snapshots.items():
            self._insert_snapshot(self._number(channel, fresh), snapshot)
        now = now_ms()
        for key, receipt in batch.receipts.items():
            self._db.execute("INSERT OR REPLACE INTO receipts VALUES (?,?,?,?,?,?)", (*key, *receipt, now))
        for name, value in batch.checkpoints.items():
            self._db.execute("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", (name, value))

    def _number(self, channel: str, fresh: dict[str, int]) -> int:
        number = self._ids.get(channel) or fresh.get(channel)
        if number is None:
            cursor = self._db.execute("INSERT INTO channels (name) VALUES (?)", (channel,))
            number = fresh[channel] = int(cursor.lastrowid or 0)
        return number

    def _insert_snapshot(self, number: int, snapshot: Snapshot) -> None:
        self._db.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)", (number, *snapshot))
        statement = "SELECT offset FROM snapshots WHERE channel = ? ORDER BY offset"
        kept = [row[0] for row in self._db.execute(statement, (number,))]
        if len(kept) > KEPT_SNAPSHOTS:  # thin them out: retention needs some to cut at, not all
            self._db.executemany(
                "DELETE FROM snapshots WHERE channel = ? AND offset = ?", [(number, offset) for offset in kept[1:-2:2]]
            )

    async def _commit(self) -> None:
        started = time.perf_counter()
        if self.commit_s < SLOW_COMMIT_S:
            self._db.execute("COMMIT")
        else:
            await finished(asyncio.to_thread(self._db.execute, "COMMIT"))
        self.commit_s += (time.perf_counter() - started - self.commit_s) / 16

    async def read(self, channel: str, *, after: int, upto: int, max_events: int, max_bytes: int) -> list[Event]:
        with translated():
            rows = self._reads.execute(
                f"SELECT {COLUMNS} FROM events WHERE channel = ? AND offset > ? AND offset <= ? "
                "ORDER BY offset LIMIT ?",
                (self._ids.get(channel, 0), after, upto, max_events),
            )
            return _take(channel, rows, max_bytes)

    async def read_back(self, channel: str, *, before: int, max_events: int, max_bytes: int) -> list[Event]:
        with translated():
            rows = self._reads.execute(
                f"SELECT {COLUMNS} FROM events WHERE channel = ? AND offset < ? ORDER BY offset DESC LIMIT ?",
                (self._ids.get(channel, 0), before, max_events),
            )
            return _take(channel, rows, max_bytes)[::-1]

    async def last_of(self, channel: str, kind: str, *, after: int) -> int:
        """Scanned backwards: there is no index, and whoever asks again says what is known by then."""
        bounds = await self.bounds(channel)
        first, before = max(after + 1, bounds.oldest), bounds.head + 1
        while before > first:
            start = max(first, before - SCAN)
            with translated():
                row = self._reads.execute(
                    "SELECT offset FROM events WHERE channel = ? AND offset >= ? AND offset < ? AND type = ? "
                    "ORDER BY offset DESC LIMIT 1",
                    (self._ids.get(channel, 0), start, before, kind),
                ).fetchone()
            if row is not None:
                return int(row[0])
            before = start
            await asyncio.sleep(0)
        return 0

    async def folded(self, channel: str, *, after: int) -> list[Event]:
        with translated():
            found = self._reads.execute(
                f"SELECT {COLUMNS} FROM events WHERE channel = ? AND offset > ? AND type IN ({TYPES}) ORDER BY offset",
                (self._ids.get(channel, 0), after),
            ).fetchall()
        return [Event(channel, *row) for row in found]

    async def search(self, query: Search) -> SearchSlice:
        bounds = await self.bounds(query.channel)
        with translated():
            return await self._searcher.slice(query, self._ids.get(query.channel, 0), bounds)

    async def snapshot(self, channel: str, *, upto: int | None = None) -> Snapshot | None:
        with translated():
            row = self._reads.execute(
                "SELECT offset, version, value, messages FROM snapshots WHERE channel = ? AND offset <= ? "
                "ORDER BY offset DESC LIMIT 1",
                (self._ids.get(channel, 0), 2**62 if upto is None else upto),
            ).fetchone()
        return None if row is None else Snapshot(*row)

    async def receipts(self, keys: Sequence[ReceiptKey]) -> Mapping[ReceiptKey, Receipt]:
        statement = "SELECT offset, digest FROM receipts WHERE by = ? AND channel = ? AND key = ?"
        with translated():
            found = {key: self._reads.execute(statement, key).fetchone() for key in keys}
        return {key: Receipt(*row) for key, row in found.items() if row is not None}

    async def checkpoint(self, name: str) -> str | None:
        with translated():
            row = self._reads.execute("SELECT value FROM checkpoints WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    async def channels(self, prefix: str) -> list[tuple[str, Bounds]]:
        names = sorted(name for name in self._ids if name.startswith(prefix))
        return [(name, bounds) for name in names if (bounds := await self.bounds(name)).head]

    async def newer(self, channel: str, *, than_ms: int) -> int:
        bounds = await self.bounds(channel)
        with translated():
            return bisect_left(range(bounds.head + 1), than_ms, lo=bounds.oldest, key=partial(self._time, channel))

    def _time(self, channel: str, offset: int) -> int:
        statement = "SELECT time FROM events WHERE channel = ? AND offset = ?"
        return int(self._reads.execute(statement, (self._ids[channel], offset)).fetchone()[0])

    async def fitting(self, channel: str, *, max_bytes: int) -> int:
        bounds = await self.bounds(channel)
        first = bounds.head + 1
        while first > bounds.oldest:
            for size in self._sizes(channel, max(bounds.oldest, first - CHUNK), first):
                max_bytes -= size
                if max_bytes < 0:
                    return min(first, bounds.head)
                first -= 1
            await asyncio.sleep(0)
        return first

    def _sizes(self, channel: str, first: int, before: int) -> list[int]:
        statement = (
            "SELECT length(data) FROM events WHERE channel = ? AND offset >= ? AND offset < ? ORDER BY offset DESC"
        )
        with translated():
            return [row[0] for row in self._reads.execute(statement, (self._ids.get(channel, 0), first, before))]

    async def cut(self, channel: str, *, oldest: int) -> None:
        number = self._ids[channel]
        with translated(), self._transaction():
            self._db.execute("DELETE FROM snapshots WHERE channel = ? AND offset < ?", (number, oldest - 1))
            self._db.execute("UPDATE channels SET oldest = ? WHERE id = ?", (oldest, number))

    async def purge(self, channel: str) -> bool:
        oldest = (await self.bounds(channel)).oldest
        with translated():
            done = self._db.execute(
                "DELETE FROM events WHERE channel = ?1 AND offset < ?2 AND offset < ?3 + "
                "(SELECT min(offset) FROM events WHERE channel = ?1)",
                (self._ids.get(channel, 0), oldest, CHUNK),
            )
        self._checkpointer.wrote(done.rowcount * 100)
        return done.rowcount > 0

    async def forget_receipts(self, *, before_ms: int) -> None:
        with translated():
            self._db.execute("DELETE FROM receipts WHERE time < ?", (before_ms,))

    async def maintain(self) -> None:
        with translated():
            await self._checkpointer.run()


@contextmanager
def translated() -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        raise storage_error(exc) from exc


def storage_error(exc: sqlite3.Error | OSError) -> StorageError:
    is_full = isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT)
    if is_full or getattr(exc, "sqlite_errorname", "").startswith("SQLITE_FULL"):
        return StorageFull("the disk is full: nothing was stored; make room and try again")
    return StorageFailed(f"the database refused: {exc}")


def _take(channel: str, rows: sqlite3.Cursor, max_bytes: int) -> list[Event]:
    """Read rows until their payloads exceed `max_bytes`; at least one if there is any."""
    events: list[Event] = []
    for row in rows:
        max_bytes -= len(row[2])
        if max_bytes < 0 and events:
            rows.close()  # ends the read transaction, which would keep the WAL from being reset
            break
        events.append(Event(channel, *row))
    return events


def _chunks(total: int) -> Iterator[tuple[int, int]]:
    """Cut `total` rows into (start, count) whose counts are powers of two."""
    start = 0
    while start < total:
        count = min(ROWS_PER_STATEMENT, 1 << (total - start).bit_length() - 1)
        yield start, count
        start += count


def _insert_statement(count: int) -> str:
    return "INSERT INTO events VALUES " + ",".join(["(?,?,?,?,?,?)"] * count)
