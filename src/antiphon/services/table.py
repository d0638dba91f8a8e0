"""A table of rows kept as a channel's state: rows change here at once, and one writer publishes what changed.

Changes that come while a patch is being committed leave together with the next one. A full disk delays the published
table, never the one who changes a row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import structlog

from antiphon.errors import AntiphonError, Busy, LimitError, StorageError
from antiphon.hub import Hub
from antiphon.services.backoff import Backoff

Row = dict[str, Any]
_log = structlog.get_logger(__name__)


def pointer(*parts: str) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def row_ops(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """RFC 6902 operations that turn a table's row `old` into `new`; None = there is no such row."""
    if new is None:
        return [] if old is None else [{"op": "remove", "path": pointer(name)}]
    if old is None or old.keys() != new.keys():
        return [{"op": "add", "path": pointer(name), "value": dict(new)}]
    return [
        {"op": "replace", "path": pointer(name, key), "value": value}
        for key, value in new.items()
        if old[key] != value or type(old[key]) is not type(value)
    ]


class _Waiter(NamedTuple):
    version: int
    done: asyncio.Future[bool]
    until_committed: bool


class StateTable:
    """Rows by name, published as the state of one channel. `run` is the writer; rows may change before it runs."""

    def __init__(self, hub: Hub, channel: str) -> None:
        self.rows: dict[str, Row] = {}
        self._hub = hub
        self._channel = channel
        self._saved: dict[str, Row] = {}
        self._dirty: set[str] = set()
        self._version = 0
        self._committed = 0  # the version that was last published
        self._changed = asyncio.Event()
        self._waiters: list[_Waiter] = []

    async def load(self) -> None:
        """Take over the rows that were published before. Raises StorageError."""
        value = (await self._hub.state(self._channel)).value
        self._saved = {name: dict(row) for name, row in value.items()}
        self.rows = {name: dict(row) for name, row in value.items()} | self.rows
        for name in self.rows:
            self._mark(name)

    def put(self, name: str, row: Row) -> None:
        """Set a whole row."""
        self.rows[name] = row
        self._mark(name)

    def set(self, name: str, **fields: Any) -> None:
        """Change fields of a row that exists."""
        self.rows[name].update(fields)
        self._mark(name)

    def remove(self, name: str) -> None:
        """Drop a row; nothing happens where there is none."""
        self.rows.pop(name, None)
        self._mark(name)

    async def flushed(self) -> bool:
        """Wait until the writer has tried to publish all changes made so far; whether it could."""
        return await self._wait(until_committed=False)

    async def committed(self) -> None:
        """Wait until all changes made so far are published, however long that takes.

        Raises:
            Busy: The writer ended before.
        """
        if not await self._wait(until_committed=True):
            raise Busy("the server is stopping")

    async def run(self) -> None:
        """Publish changes until cancelled; failures are logged and retried."""
        try:
            await self._write()
        finally:
            self._answer(self._version, committed=False, ending=True)

    async def _write(self) -> None:
        backoff = Backoff()
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._publish()
                backoff.reset()
            except (StorageError, LimitError) as error:
                _log.warning("table not published", channel=self._channel, error=str(error))
                await self._pause(backoff)
            except AntiphonError:
                _log.exception("table refused; published anew", channel=self._channel)
                await self._pause(backoff)
                await self._reload_saved()

    async def _publish(self) -> None:
        version, names = self._version, self._dirty
        self._dirty = set()
        ops = [op for name in sorted(names) for op in row_ops(name, self._saved.get(name), self.rows.get(name))]
        rows = {name: dict(row) for name in names if (row := self.rows.get(name)) is not None}
        try:
            if ops:
                await self._hub.patch(self._channel, ops)
        except BaseException:
            self._dirty |= names
            self._answer(version, committed=False)
            raise
        for name in names:
            self._saved.pop(name, None)
        self._saved |= rows
        self._committed = version
        self._answer(version, committed=True)

    async def _reload_saved(self) -> None:
        try:
            value = (await self._hub.state(self._channel)).value
        except AntiphonError:
            return
        self._saved = {name: dict(row) for name, row in value.items()}
        self._dirty |= self._saved.keys() | self.rows.keys()

    async def _pause(self, backoff: Backoff) -> None:
        await asyncio.sleep(backoff.next_s())
        self._changed.set()

    def _mark(self, name: str) -> None:
        self._version += 1
        self._dirty.add(name)
        self._changed.set()

    def _answer(self, version: int, *, committed: bool, ending: bool = False) -> None:
        waiting = []
        for waiter in self._waiters:
            if waiter.version > version or (waiter.until_committed and not committed and not ending):
                waiting.append(waiter)
            elif not waiter.done.done():
                waiter.done.set_result(committed)
        self._waiters = waiting

    async def _wait(self, *, until_committed: bool) -> bool:
        if self._committed >= self._version:
            return True
        waiter = _Waiter(self._version, asyncio.get_running_loop().create_future(), until_committed)
        self._waiters.append(waiter)
        self._changed.set()
        return await waiter.done
