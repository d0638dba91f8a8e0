"""Two stores side by side: volatile families of channels live in memory, everything else where it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from antiphon.brokers.base import Batch, Bounds, Broker, Receipt, ReceiptKey, Search, SearchSlice, Snapshot
from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.memory_log import Volatile
from antiphon.messages import Event


class RoutedBroker:
    """Asks the store that a channel belongs to.

    Args:
        durable: The store of all channels that are not volatile, and of checkpoints. Closed with this one.
        volatile: Families by glob pattern; the name itself decides, else the longest pattern that matches.
    """

    def __init__(self, durable: Broker, volatile: Mapping[str, Volatile]) -> None:
        self._durable = durable
        self._rules = lru_cache(maxsize=10_000)(lambda channel: _matching(volatile, channel))
        self._memory = MemoryBroker(self._rules)

    @property
    def epoch(self) -> str:
        return self._durable.epoch

    def epoch_of(self, channel: str) -> str:
        return self._of(channel).epoch_of(channel)

    def is_volatile(self, channel: str) -> bool:
        return self._rules(channel) is not None

    def _of(self, channel: str) -> Broker:
        return self._durable if self._rules(channel) is None else self._memory

    async def bounds(self, channel: str) -> Bounds:
        return await self._of(channel).bounds(channel)

    async def append(self, batch: Batch) -> None:
        """What lasts is stored first: it alone can fail, and then nothing was stored."""
        lasting, passing = self._split(batch)
        if lasting.events or lasting.checkpoints or lasting.snapshots:
            await self._durable.append(lasting)
        if passing.events:
            await self._memory.append(passing)

    def _split(self, batch: Batch) -> tuple[Batch, Batch]:
        lasting, passing = Batch(checkpoints=batch.checkpoints), Batch()
        for event in batch.events:
            (passing if self.is_volatile(event.channel) else lasting).events.append(event)
        if not passing.events:
            return batch, passing
        for key, receipt in batch.receipts.items():
            (passing if self.is_volatile(key.channel) else lasting).receipts[key] = receipt
        for channel, snapshot in batch.snapshots.items():
            (passing if self.is_volatile(channel) else lasting).snapshots[channel] = snapshot
        return lasting, passing

    async def read(self, channel: str, *, after: int, upto: int, max_events: int, max_bytes: int) -> list[Event]:
        store = self._of(channel)
        return await store.read(channel, after=after, upto=upto, max_events=max_events, max_bytes=max_bytes)

    async def read_back(self, channel: str, *, before: int, max_events: int, max_bytes: int) -> list[Event]:
        store = self._of(channel)
        return await store.read_back(channel, before=before, max_events=max_events, max_bytes=max_bytes)

    async def last_of(self, channel: str, kind: str, *, after: int) -> int:
        return await self._of(channel).last_of(channel, kind, after=after)

    async def folded(self, channel: str, *, after: int) -> list[Event]:
        return await self._of(channel).folded(channel, after=after)

    async def search(self, query: Search) -> SearchSlice:
        return await self._of(query.channel).search(query)

    async def snapshot(self, channel: str, *, upto: int | None = None) -> Snapshot | None:
        return await self._of(channel).snapshot(channel, upto=upto)

    async def receipts(self, keys: Sequence[ReceiptKey]) -> Mapping[ReceiptKey, Receipt]:
        found: dict[ReceiptKey, Receipt] = {}
        for key in keys:
            found.update(await self._of(key.channel).receipts([key]))
        return found

    async def checkpoint(self, name: str) -> str | None:
        return await self._durable.checkpoint(name)

    async def channels(self, prefix: str) -> list[tuple[str, Bounds]]:
        return sorted([*await self._durable.channels(prefix), *await self._memory.channels(prefix)])

    async def newer(self, channel: str, *, than_ms: int) -> int:
        return await self._of(channel).newer(channel, than_ms=than_ms)

    async def fitting(self, channel: str, *, max_bytes: int) -> int:
        return await self._of(channel).fitting(channel, max_bytes=max_bytes)

    async def cut(self, channel: str, *, oldest: int) -> None:
        await self._of(channel).cut(channel, oldest=oldest)

    async def purge(self, channel: str) -> bool:
        return await self._of(channel).purge(channel)

    async def forget_receipts(self, *, before_ms: int) -> None:
        await self._durable.forget_receipts(before_ms=before_ms)
        await self._memory.forget_receipts(before_ms=before_ms)

    async def maintain(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._durable.maintain(), name="durable upkeep")
            tasks.create_task(self._memory.maintain(), name="memory upkeep")

    async def close(self) -> None:
        await self._durable.close()
        await self._memory.close()


def _matching(volatile: Mapping[str, Volatile], channel: str) -> Volatile | None:
    if channel in volatile:
        return volatile[channel]
    matching = [pattern for pattern in volatile if fnmatchcase(channel, pattern)]
    return volatile[max(matching, key=len)] if matching else None
