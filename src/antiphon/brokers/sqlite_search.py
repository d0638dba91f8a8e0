"""Searching a channel by scanning it backwards, in threads, one bounded slice at a time.

Each query returns one row, because the interpreter lock is handed over once per row. A channel's offsets have no holes,
so windows of offsets are windows of rows.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

from antiphon.brokers import matching, schema
from antiphon.brokers.base import Bounds, Search, SearchSlice
from antiphon.messages import Event

SLICE_S = 0.08
WINDOW = 20_000  # rows: about 4 ms
READERS = 2


class Searcher:
    """A small pool of read-only connections; a search beyond it waits for its turn."""

    def __init__(self, path: Path) -> None:
        self._idle: asyncio.Queue[sqlite3.Connection] = asyncio.Queue()
        for _ in range(READERS):
            self._idle.put_nowait(schema.connect_readonly(path))

    async def slice(self, query: Search, number: int, bounds: Bounds) -> SearchSlice:
        db = await self._idle.get()
        work = asyncio.ensure_future(asyncio.to_thread(_Scan(db, query, number, bounds).run))
        work.add_done_callback(lambda _: self._idle.put_nowait(db))  # also when the asker has gone meanwhile
        return await asyncio.shield(work)

    async def close(self) -> None:
        for _ in range(READERS):
            (await self._idle.get()).close()


class _Scan:
    def __init__(self, db: sqlite3.Connection, query: Search, number: int, bounds: Bounds) -> None:
        self._db = db
        self._query = query
        self._number = number
        self._oldest = bounds.oldest
        self._before = min(query.before, bounds.head + 1)
        self._offsets: list[int] = []
        self._count = 0
        db.create_function("matches", 2, self._matches, deterministic=True)

    def run(self) -> SearchSlice:
        deadline = time.perf_counter() + SLICE_S
        while self._before > self._oldest:
            if self._window(max(self._oldest, self._before - WINDOW)) or time.perf_counter() >= deadline:
                break
        complete = self._before <= self._oldest
        return SearchSlice(self._events(), self._count, max(self._before, 1), complete)

    def _window(self, first: int) -> bool:
        """Scan [first, before); true once the slice has its hits."""
        wanted = self._query.limit - len(self._offsets) if self._query.limit else 0
        rows = f"SELECT offset FROM events WHERE channel = ? AND offset >= ? AND offset < ? AND {self._condition()}"
        arguments: list[object] = [self._number, first, self._before, self._needle()]
        if not wanted:
            self._count += self._db.execute(f"SELECT count(*) FROM ({rows})", arguments).fetchone()[0]
            self._before = first
            return False
        found = self._one(f"SELECT group_concat(offset) FROM ({rows} ORDER BY offset DESC LIMIT {wanted})", arguments)
        self._offsets += found
        self._count += len(found)
        self._before = found[-1] if len(found) == wanted else first
        return len(found) == wanted

    def _one(self, statement: str, arguments: list[object]) -> list[int]:
        text = self._db.execute(statement, arguments).fetchone()[0]
        return [int(word) for word in text.split(",")] if text else []

    def _condition(self) -> str:
        where = "lower(CAST(data AS TEXT))" if self._query.ignore_case else "data"
        return f"instr({where}, ?) AND ({self._proof()} OR matches(type, data))"

    def _proof(self) -> str:
        """When a hit in the raw JSON is a match; all else is decoded."""
        needle = matching.encode_needle(self._query.text)
        if not (self._query.channel.startswith("log:") and matching.is_exact_for_lines(needle)):
            return "0"
        has_no_escape = " AND NOT instr(data, X'5C')" if matching.may_begin_in_escape(needle) else ""
        return f"type = 'line'{has_no_escape}"

    def _needle(self) -> bytes | str:
        needle = matching.encode_needle(self._query.text)
        return needle.lower().decode() if self._query.ignore_case else needle

    def _matches(self, kind: str, data: bytes) -> bool:
        event = Event(self._query.channel, 0, kind, data, 0, None)
        return matching.contains(event, self._query.text, ignore_case=self._query.ignore_case)

    def _events(self) -> list[Event]:
        statement = "SELECT offset, type, data, time, by FROM events WHERE channel = ? AND offset = ?"
        rows = (self._db.execute(statement, (self._number, offset)).fetchone() for offset in self._offsets)
        return [Event(self._query.channel, *row) for row in rows if row is not None]
