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
from antiphon.hub.channel import Channels
from antiphon.hub.fold import Summary
from antiphon.hub.outlet import Gap, Outlet, Phase, Subscription
from antiphon.hub.pages import Page, Pages
from antiphon.hub.stats import Stats
from antiphon.messages import Event

Settled = Callable[[], Awaitable[None]]
PAGE_BYTES = 64 << 10
PAGE_EVENTS = 1000
RETRY_S = 1.0
WORKERS = 4

log = structlog.get_logger(__name__)


class Pullers:
    """Owns the turns. `settled()` waits until what channels add up to in memory is what is in their logs."""

    def __init__(self, broker: Broker, channels: Channels, stats: Stats, settled: Settled) -> None:
        self._broker = broker
        self._channels = channels
        self._settled = settled
        self._stats = stats
        self._pages = Pages()
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
        subscription = outlet.pulling.pop(0)
        try:
            await self._page(subscription)
        except BaseException:
            outlet.pulling.append(subscription)
            raise

    async def _page(self, subscription: Subscription) -> None:
        channel = subscription.channel
        if subscription.cursor + 1 < channel.oldest and not channel.volatile:
            await self._skip(subscription)
        if subscription.phase is Phase.PULLING and subscription.cursor < channel.flushed:
            await self._send_page(subscription)
        self.place(subscription)

    async def _send_page(self, subscription: Subscription) -> None:
        channel, upto = subscription.channel, subscription.channel.flushed
        known = self._pages.get((subscription.outlet.codec, channel.name, subscription.cursor), upto=upto)
        if known is not None:
            self._send(subscription, known)
            return
        events = await self._broker.read(
            channel.name, after=subscription.cursor, upto=upto, max_events=PAGE_EVENTS, max_bytes=PAGE_BYTES
        )
        if subscription.phase is not Phase.PULLING:
            return  # closed meanwhile
        if channel.volatile:
            self._send_with_holes(subscription, events, upto)
        elif events and events[0].offset == subscription.cursor + 1:
            self._send(subscription, self._page_of(subscription, events))
        # else it was trimmed meanwhile, and the next turn will tell of the gap

    def _page_of(self, subscription: Subscription, events: list[Event]) -> Page:
        codec, channel = subscription.outlet.codec, subscription.channel
        page = Page(codec.events(channel.epoch, events), events[-1].offset, len(events))
        if codec.is_shared and not channel.volatile:
            self._pages.keep((codec, channel.name, subscription.cursor), page)
        return page

    def _send(self, subscription: Subscription, page: Page) -> None:
        subscription.outlet.send(page.encoded)
        subscription.advance(page.last)
        self._stats.pages += 1
        self._stats.pulled += page.events

    def _send_with_holes(self, subscription: Subscription, events: list[Event], upto: int) -> None:
        """What is left of a volatile channel, each hole announced; `upto` is where the page was asked to end."""
        run: list[Event] = []
        for event in events:
            if event.offset != subscription.cursor + len(run) + 1:
                self._send_run(subscription, run)
                self._tell(subscription, event.offset - 1, "conflated", None)
                run = []
            run.append(event)
        self._send_run(subscription, run)
        if not events:
            self._tell(subscription, upto, "conflated", None)

    def _send_run(self, subscription: Subscription, run: list[Event]) -> None:
        if run:
            self._send(subscription, self._page_of(subscription, run))

    def _tell(self, subscription: Subscription, last: int, reason: str, summary: Summary | None) -> None:
        """Say which offsets will not come."""
        channel, outlet = subscription.channel, subscription.outlet
        gap = Gap(channel.name, channel.epoch, subscription.cursor + 1, last, reason, summary)
        outlet.send(outlet.codec.gap(gap))
        subscription.advance(last)
        self._stats.gaps += 1

    def place(self, subscription: Subscription) -> None:
        """Let a subscription go on from its cursor: live, behind the next flush, or pulling."""
        channel = subscription.channel
        if subscription.phase is not Phase.PULLING:
            return
        if subscription.cursor == channel.flushed:
            self._arrive(subscription)
        elif subscription.cursor > channel.flushed:
            channel.waiting.append(subscription)
        else:
            subscription.outlet.pulling.append(subscription)
            self.wake(subscription.outlet)

    def _arrive(self, subscription: Subscription) -> None:
        subscription.go_live()
        if not subscription.caught_up:
            subscription.caught_up = True
            outlet, channel = subscription.outlet, subscription.channel
            outlet.send(outlet.codec.caught_up(channel.name, channel.epoch, channel.flushed))

    async def _skip(self, subscription: Subscription) -> None:
        """Tell of events that retention took while the subscriber was behind."""
        channel = subscription.channel
        await self._settled()
        fold = await self._channels.fold(channel)
        if subscription.phase is not Phase.PULLING:
            return
        if fold.exists:
            self._tell(subscription, channel.head, "retention", fold.current())
        else:
            self._tell(subscription, channel.oldest - 1, "retention", None)
