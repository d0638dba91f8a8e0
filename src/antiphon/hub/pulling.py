"""Pulling: subscriptions that are behind read pages from the log while their socket drains.

A few workers serve all connections in turns of one page, so that a thousand that reconnect at once wait their turn and
none is served twice before another is served once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from antiphon.brokers.base import Broker
from antiphon.errors import StorageError
from antiphon.hub.channel import Channel, Channels
from antiphon.hub.outlet import Gap, Outlet, Phase, Subscription
from antiphon.hub.state import State
from antiphon.hub.stats import Stats

Settled = Callable[[], Awaitable[None]]
PAGE_BYTES = 64 << 10
PAGE_EVENTS = 1000
RETRY_S = 1.0
WORKERS = 4

log = structlog.get_logger(__name__)


class Pullers:
    """Owns the turns. `settle(channel)` flushes a channel and waits until its state in memory is that of its log."""

    def __init__(
        self, broker: Broker, channels: Channels, flush: Callable[[Channel], None], stats: Stats, settled: Settled
    ) -> None:
        self._broker = broker
        self._channels = channels
        self._flush = flush
        self._settled = settled
        self._stats = stats
        self._turns: asyncio.Queue[Outlet] = asyncio.Queue()  # bounded by the number of connections: each is in it once

    def wake(self, outlet: Outlet) -> None:
        """Give the connection a turn if it has something to pull and room for it."""
        if outlet.pulling and outlet.has_room and not outlet.is_queued and not outlet.closed:
            outlet.is_queued = True
            self._turns.put_nowait(outlet)

    async def work(self) -> None:
        """Serve turns until cancelled."""
        while True:
            outlet = await self._turns.get()
            try:
                await self._turn(outlet)
            except StorageError as exc:
                log.warning("a page could not be read; trying again", error=exc.message)
                await asyncio.sleep(RETRY_S)
            outlet.is_queued = False
            self.wake(outlet)
            await asyncio.sleep(0)

    async def _turn(self, outlet: Outlet) -> None:
        if not outlet.pulling:
            return
        subscription = outlet.pulling.popleft()
        try:
            await self._page(subscription)
        finally:
            if subscription.phase is Phase.PULLING:
                outlet.pulling.append(subscription)

    async def _page(self, subscription: Subscription) -> None:
        channel = subscription.channel
        if subscription.cursor + 1 < channel.oldest:
            await self._skip(subscription)
        if subscription.phase is Phase.PULLING and subscription.cursor < channel.flushed:
            await self._send_page(subscription)
        if subscription.phase is Phase.PULLING and subscription.cursor == channel.flushed:
            self.arrive(subscription)

    async def _send_page(self, subscription: Subscription) -> None:
        channel, outlet = subscription.channel, subscription.outlet
        events = await self._broker.read(
            channel.name,
            after=subscription.cursor,
            upto=channel.flushed,
            max_events=PAGE_EVENTS,
            max_bytes=PAGE_BYTES,
        )
        is_contiguous = bool(events) and events[0].offset == subscription.cursor + 1
        if subscription.phase is not Phase.PULLING or not is_contiguous:
            return  # closed meanwhile, or trimmed meanwhile: the next turn will tell of the gap
        outlet.send(outlet.codec.events(self._broker.epoch, events))
        subscription.advance(events[-1].offset)
        self._stats.pages += 1
        self._stats.pulled += len(events)

    def arrive(self, subscription: Subscription) -> None:
        """Make live a subscription whose cursor is the flushed head."""
        subscription.go_live()
        if not subscription.caught_up:
            subscription.caught_up = True
            outlet, channel = subscription.outlet, subscription.channel
            outlet.send(outlet.codec.caught_up(channel.name, self._broker.epoch, channel.flushed))

    async def _skip(self, subscription: Subscription) -> None:
        """Tell of events that retention took while the subscriber was behind."""
        channel = subscription.channel
        state = await self._state(channel)
        if subscription.phase is not Phase.PULLING:
            return
        self._flush(channel)
        first, last = subscription.cursor + 1, channel.oldest - 1 if state is None else channel.flushed
        gap = Gap(channel.name, self._broker.epoch, first, last, "retention", state)
        subscription.outlet.send(subscription.outlet.codec.gap(gap))
        subscription.advance(last)
        self._stats.gaps += 1

    async def _state(self, channel: Channel) -> State | None:
        await self._settled()
        state = await self._channels.state(channel)
        return state.current() if state.exists else None
