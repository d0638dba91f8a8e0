"""The followed log files: their lines in channels `log:NAME`, their table as the state of channel `logs`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from watchfiles import awatch

from antiphon.hub import Hub
from antiphon.services.logs.config import LogConfig
from antiphon.services.logs.follower import Follower
from antiphon.services.names import check_name
from antiphon.services.table import StateTable

SIZE_INTERVAL_S = 2.0  # how often the table's `size_bytes` is brought up to date
_REWATCH_MS = 5000  # how often directories that were missing are looked for
_log = structlog.get_logger(__name__)


class Logs:
    """Follows log files while entered.

    Args:
        hub: Where lines and the table are published; the channels `logs` and `log:...` are claimed.
        configs: The files by name.

    Raises:
        SettingsError: A name is impossible.
    """

    def __init__(self, hub: Hub, configs: Mapping[str, LogConfig]) -> None:
        for name in configs:
            check_name(name, "log")
        hub.claim("logs")
        hub.claim("log:")
        self._table = StateTable(hub, "logs")
        self._followers = {name: Follower(hub, name, config) for name, config in configs.items()}
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Begin to follow. Raises StorageError where the old table cannot be read."""
        await self._table.load()
        for name in self._table.rows.keys() - self._followers.keys():
            self._table.remove(name)
        self._refresh()
        await self._group.__aenter__()
        begin = self._group.create_task
        self._tasks = [
            begin(self._table.run(), name="logs table"),
            begin(self._keep_table(), name="logs sizes"),
            begin(self._watch(), name="logs watch"),
            *(begin(follower.run(), name=f"log {name}") for name, follower in self._followers.items()),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop following; what is not yet published is read again by the next server."""
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    async def _keep_table(self) -> None:
        while True:
            await asyncio.sleep(SIZE_INTERVAL_S)
            self._refresh()

    def _refresh(self) -> None:
        for name, follower in self._followers.items():
            row = follower.row()
            if self._table.rows.get(name) != row:
                self._table.put(name, row)

    async def _watch(self) -> None:
        """Wake followers when their directory changes. Without it they look once a second."""
        while self._followers:
            directories = self._directories()
            if not directories:
                await asyncio.sleep(_REWATCH_MS / 1000)
                continue
            try:
                await self._watch_directories(directories)
            except (OSError, RuntimeError) as error:  # e.g. no inotify instances left
                _log.warning("log directories cannot be watched; looking once a second", error=str(error))
                return

    async def _watch_directories(self, directories: frozenset[Path]) -> None:
        watching = awatch(
            *directories,
            watch_filter=None,
            debounce=50,
            step=10,
            recursive=False,
            rust_timeout=_REWATCH_MS,
            yield_on_timeout=True,
        )
        async for changes in watching:
            changed = {Path(path).parent for _, path in changes}
            for follower in self._followers.values():
                if not changed.isdisjoint(follower.directories()):
                    follower.wake()
            if not changes and self._directories() != directories:
                return

    def _directories(self) -> frozenset[Path]:
        return frozenset().union(*(follower.directories() for follower in self._followers.values()))
