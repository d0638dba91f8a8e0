"""How much each family of channels keeps, and forgetting the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import structlog

from antiphon.brokers.base import Batch, Broker, Snapshot
from antiphon.errors import StorageError
from antiphon.hub.channel import Channel, Channels
from antiphon.hub.stats import Stats
from antiphon.messages import now_ms

PAUSE_S = 5.0
FULL_SWEEP_S = 60.0
RECEIPTS_KEPT_MS = 24 * 3600 * 1000 + 3600 * 1000  # at least 24 h, and an hour for clocks that are set

log = structlog.get_logger(__name__)
Perform = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Keep:
    """What a channel keeps; None = without limit."""

    max_events: int | None = 1_000_000
    max_age_s: float | None = None
    max_bytes: int | None = None  # of payloads; the newest event is always kept
    since: str | None = None  # the newest event of this type and all behind it are kept, whatever the limits say


@dataclass(frozen=True, slots=True)
class Policy:
    """Families of channels by glob pattern, e.g. `log:*`: the name itself decides, else the longest that matches."""

    families: Mapping[str, Keep]

    def keep(self, channel: str) -> Keep:
        if channel in self.families:
            return self.families[channel]
        matching = [pattern for pattern in self.families if fnmatchcase(channel, pattern)]
        return self.families[max(matching, key=len)] if matching else Keep()


class Retention:
    """Trims channels. All changes to the store are handed to the writer, which does them between batches."""

    def __init__(self, broker: Broker, channels: Channels, policy: Policy, perform: Perform, stats: Stats) -> None:
        self._broker = broker
        self._channels = channels
        self._policy = policy
        self._perform = perform
        self._stats = stats
        self._touched: set[str] = set()
        self._kept_since: dict[str, tuple[int, int]] = {}  # the offset found for `since`, and up to where was looked
        self._full_sweep = 0.0

    def touch(self, channel: str) -> None:
        """The channel has grown: look at it in the next sweep. All others are looked at now and then, for their age."""
        self._touched.add(channel)

    async def run(self) -> None:
        """Trim now and then, until cancelled."""
        while True:
            try:
                await self.sweep()
            except StorageError as exc:
                log.warning("retention could not trim", error=exc.message)
            await asyncio.sleep(PAUSE_S)

    async def sweep(self) -> None:
        """Trim every channel that keeps more than it should, and forget old receipts."""
        names, self._touched = self._touched, set()
        if time.monotonic() >= self._full_sweep:
            names = {name for name, _ in await self._broker.channels("")}
            self._full_sweep = time.monotonic() + FULL_SWEEP_S
        while names:
            name = names.pop()
            try:
                async with self._channels.use(name) as channel:
                    await self._trim(channel)
            except StorageError:
                self._touched |= names | {name}  # to be looked at again
                raise
            await asyncio.sleep(0)
        cutoff = now_ms() - RECEIPTS_KEPT_MS
        await self._perform(lambda: self._broker.forget_receipts(before_ms=cutoff))

    async def clear(self, name: str) -> None:
        """Cut a channel behind its newest event. Raises StorageError."""
        async with self._channels.use(name) as channel:
            await self._perform(lambda: self._empty(channel))
            await self._purge(name)

    async def _empty(self, channel: Channel) -> None:
        if channel.head < channel.oldest:
            return
        if (await self._channels.fold(channel)).exists:  # from now on it adds up to nothing
            await self._broker.append(Batch(snapshots={channel.name: Snapshot(channel.head, channel.head, b"{}")}))
            channel.fold = None
        await self._cut(channel, channel.head + 1)

    async def _trim(self, channel: Channel) -> None:
        oldest = await self._first_kept(channel, self._policy.keep(channel.name))
        if oldest > channel.oldest:
            await self._perform(lambda: self._cut(channel, oldest))
            await self._purge(channel.name)

    async def _purge(self, name: str) -> None:
        while await self._perform(lambda: self._broker.purge(name)):
            pass  # others publish between two turns

    async def _cut(self, channel: Channel, oldest: int) -> None:
        await self._broker.cut(channel.name, oldest=oldest)
        self._stats.trimmed += oldest - channel.oldest
        channel.oldest = oldest  # in the same turn: who subscribes now must not ask for a snapshot that is gone

    async def _first_kept(self, channel: Channel, keep: Keep) -> int:
        oldest, name = channel.oldest, channel.name
        if channel.head < oldest:
            return oldest
        if keep.max_events is not None:
            oldest = max(oldest, channel.head - keep.max_events + 1)
        if keep.max_age_s is not None:
            oldest = max(oldest, await self._broker.newer(name, than_ms=now_ms() - int(keep.max_age_s * 1000)))
        if keep.max_bytes is not None:
            oldest = max(oldest, await self._broker.fitting(name, max_bytes=keep.max_bytes))
        if keep.since is not None and oldest > channel.oldest:
            oldest = max(channel.oldest, min(oldest, await self._since(channel, keep.since) or oldest))
        return await self._at_snapshot(channel, oldest) if oldest > channel.oldest else oldest

    async def _since(self, channel: Channel, kind: str) -> int:
        """The newest event of this type; 0 = there is none."""
        offset, seen = self._kept_since.get(channel.name, (0, 0))
        head = channel.head
        offset = await self._broker.last_of(channel.name, kind, after=seen) or offset
        self._kept_since[channel.name] = offset, head
        return offset

    async def _at_snapshot(self, channel: Channel, oldest: int) -> int:
        """Where events add up to something, cut only behind a snapshot, so that what is left can be read with it."""
        if not (await self._channels.fold(channel)).exists:
            return oldest
        snapshot = await self._broker.snapshot(channel.name, upto=oldest - 1)
        return channel.oldest if snapshot is None else max(channel.oldest, snapshot.offset + 1)
