"""The flush clock: what was committed leaves for all live subscribers in one write per connection.

After a pause events are gathered for a moment, so that a burst leaves as one write; the next flush starts no sooner
than the longer of a fixed interval and the length of the last one, so that a busy process writes less often, not more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from antiphon.hub.channel import Channel
from antiphon.hub.outlet import Outlet, Subscription
from antiphon.hub.stats import Stats

GATHER_S = 0.001
INTERVAL_S = 0.005


class Fanout:
    """Owns the clock and the dirty channels. `wake(outlet)` gives a connection a turn at pulling if it has room."""

    def __init__(self, epoch: str, stats: Stats, wake: Callable[[Outlet], None]) -> None:
        self._epoch = epoch
        self._stats = stats
        self._wake = wake
        self._dirty: set[Channel] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._earliest = 0.0

    def mark(self, channel: Channel) -> None:
        """Flush the channel at the next tick of the clock."""
        self._dirty.add(channel)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time() + GATHER_S, self._earliest), self._tick)

    def flush(self, channel: Channel) -> None:
        """Flush one channel now, so that somebody can be placed at its head."""
        if channel.fresh:
            self._dirty.discard(channel)
            self._flush([channel])

    def close(self) -> None:
        """Flush what waits and stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._tick()

    def _tick(self) -> None:
        self._timer = None
        clock = asyncio.get_running_loop().time
        started = clock()
        channels, self._dirty = self._dirty, set()
        self._flush(list(channels))
        self._earliest = started + max(INTERVAL_S, clock() - started)

    def _flush(self, channels: list[Channel]) -> None:
        touched: list[Outlet] = []
        cut = [subscription for channel in channels for subscription in self._deliver(channel, touched)]
        for outlet in touched:
            outlet.release()
        for subscription in cut:  # a batch larger than the bound cuts who has an idle socket: no drain will wake it
            self._wake(subscription.outlet)
        self._stats.flushes += 1

    def _deliver(self, channel: Channel, touched: list[Outlet]) -> list[Subscription]:
        """Gather what is fresh for those who are live; returns those it was too much for."""
        events, channel.fresh = channel.fresh, []
        before, channel.flushed = channel.flushed, channel.head
        cut: list[Subscription] = []
        for codec, group in channel.groups.items():
            encoded = codec.events(self._epoch, events)
            cut += [subscription for subscription in group if not subscription.outlet.offer(encoded, touched)]
            self._stats.deliveries += len(group) * len(events)
        for subscription in cut:  # it stays at what it was last sent, and pulls once its socket drains
            self._stats.cuts += 1
            self._stats.deliveries -= len(events)
            subscription.fall_back(before)
        return cut
