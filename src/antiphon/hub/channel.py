"""A channel in memory: how far it is, who listens, what waits to be flushed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from antiphon.brokers.base import Bounds, Broker
from antiphon.hub.fold import Fold
from antiphon.messages import Event

if TYPE_CHECKING:  # the two know each other's shape, not each other's making
    from antiphon.hub.outlet import Codec, Subscription

MAX_IDLE_CHANNELS = 10_000  # kept in memory without subscribers


class Channel:
    """`oldest` to `head` are in the log; up to `flushed` the live subscribers have been sent everything."""

    __slots__ = (
        "delivering", "earliest", "epoch", "flushed", "fold", "fresh", "groups", "head", "name", "oldest", "since",
        "users", "volatile", "waiting",
    )  # fmt: skip

    def __init__(self, name: str, epoch: str, bounds: Bounds, *, volatile: bool = False) -> None:
        self.name = name
        self.volatile = volatile
        self.epoch = epoch
        self.oldest, self.head = bounds
        self.flushed = bounds.head
        self.fresh: list[Event] = []  # committed, not yet flushed; empty while nobody is live
        self.since = 0.0  # when the first of the fresh was submitted
        self.delivering = False  # a batch is on its way to the live ones
        self.earliest = 0.0  # when the next batch may start
        self.waiting: list[Subscription] = []  # placed beyond `flushed`: they begin with what is flushed next
        self.groups: dict[Codec, set[Subscription]] = {}
        self.users = 0  # subscriptions, and whoever works with it across an await
        self.fold: Fold | None = None  # None = not loaded

    @property
    def is_idle(self) -> bool:
        return not self.users and not self.fresh and not self.delivering

    @property
    def audience(self) -> int:
        """How many are live."""
        return sum([len(group) for group in self.groups.values()])

    @property
    def folded(self) -> Fold:
        """What `Channels.fold` has loaded."""
        assert self.fold is not None
        return self.fold

    def join(self, subscription: Subscription) -> None:
        self.groups.setdefault(subscription.outlet.codec, set()).add(subscription)

    def leave(self, subscription: Subscription) -> None:
        group = self.groups[subscription.outlet.codec]
        group.discard(subscription)
        if not group:
            del self.groups[subscription.outlet.codec]

    def committed(self, events: list[Event], since: float) -> bool:
        """Take note of events submitted at `since` and appended; true if there is somebody to flush them to."""
        self.head = events[-1].offset
        if not (self.groups or self.fresh):  # once some wait, all must: who joins meanwhile joins before them
            self.flushed = self.head
            return False
        if not self.fresh:
            self.since = since
        self.fresh += events
        return True

    def take(self) -> list[Event]:
        """The fresh events; from now on they count as flushed."""
        events, self.fresh = self.fresh, []
        self.flushed = self.head
        return events


class Channels:
    """The channels in use, loaded on demand, forgotten when idle."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._channels: dict[str, Channel] = {}
        self._forget_above = 0

    async def get(self, name: str) -> Channel:
        """The channel as it is now. It may be forgotten and loaded anew at the next await: see `use`."""
        channel = self._channels.get(name)
        if channel is None:
            bounds = await self._broker.bounds(name)
            channel = Channel(name, self._broker.epoch_of(name), bounds, volatile=self._broker.is_volatile(name))
            channel = self._channels.setdefault(name, channel)  # another may have been quicker
            self._forget_idle(channel)
        elif channel.volatile:
            channel.oldest = (await self._broker.bounds(name)).oldest  # it forgets by itself
        return channel

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Channel]:
        """Hold a channel: meanwhile it is not forgotten, so that there is only one of its name."""
        channel = await self.get(name)
        channel.users += 1
        try:
            yield channel
        finally:
            channel.users -= 1

    async def fold(self, channel: Channel) -> Fold:
        if channel.fold is None:
            fold = await Fold.load(self._broker, channel.name)
            channel.fold = channel.fold or fold
        return channel.fold

    def loaded(self, name: str) -> Channel | None:
        return self._channels.get(name)

    def _forget_idle(self, wanted: Channel) -> None:
        if len(self._channels) <= max(MAX_IDLE_CHANNELS, self._forget_above):
            return
        for name in [name for name, channel in self._channels.items() if channel.is_idle and channel is not wanted]:
            del self._channels[name]
        self._forget_above = 2 * len(self._channels)  # where most are in use, looking each time would be quadratic
