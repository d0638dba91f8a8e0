"""A real hub on each store, and waiting for what it commits. Shared by the tests of services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub
from antiphon.messages import Event


class ObservedHub(Hub):
    """A hub that tells a test whenever something was committed."""

    commits = 0
    changed: asyncio.Event

    def _committed(self, events: Any, since: float) -> None:
        super()._committed(events, since)
        self.commits += 1
        self.changed.set()

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until `holds`; asked again after each commit."""
        async with asyncio.timeout(60):
            while not await holds():
                await self.changed.wait()
                self.changed.clear()

    async def events(self, channel: str) -> list[Event]:
        found: list[Event] = []
        while True:
            page = await self.history(channel, after=found[-1].offset if found else 0, limit=1000)
            found += page.events
            if not page.events:
                return found

    async def lines(self, channel: str) -> list[str]:
        return [event.data["text"] for event in await self.events(channel) if event.type == "line"]

    async def until_lines(self, channel: str, count: int) -> list[str]:
        """The lines of the channel once there are `count`."""

        async def enough() -> bool:
            return len(await self.lines(channel)) >= count

        await self.until(enough)
        return await self.lines(channel)

    async def until_row(self, name: str, **fields: Any) -> dict[str, Any]:
        """The row of a process once it has these values."""
        row: dict[str, Any] = {}

        async def holds() -> bool:
            row.clear()
            row.update((await self.state("processes")).value.get(name, {}))
            return fields.items() <= row.items()

        await self.until(holds)
        return row

    async def until_type(self, channel: str, kind: str, count: int = 1) -> list[Event]:
        """The events of one type in the channel once there are `count`."""
        found: list[Event] = []

        async def enough() -> bool:
            found[:] = [event for event in await self.events(channel) if event.type == kind]
            return len(found) >= count

        await self.until(enough)
        return found


OpenHub = Callable[[], AbstractAsyncContextManager[ObservedHub]]


def hub_opener(kind: str, directory: Path) -> OpenHub:
    """Opens a hub on one and the same store, again and again; `kind` is memory or sqlite."""
    kept = MemoryBroker()

    @asynccontextmanager
    async def opened() -> AsyncIterator[ObservedHub]:
        broker: MemoryBroker | SqliteBroker = kept
        if kind == "sqlite":
            broker = SqliteBroker(directory / "store", synchronous="normal")
            broker.open()
        hub = ObservedHub(broker)
        hub.changed = asyncio.Event()
        async with hub:
            yield hub

    return opened
