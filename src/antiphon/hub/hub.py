"""The hub: publish, subscribe, look back. It knows channels and brokers, no sockets and no protocols."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from enum import Enum
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import orjson

from antiphon.brokers.base import Bounds, Broker, ReceiptKey, Search, SearchSlice
from antiphon.errors import AntiphonError
from antiphon.hub.channel import Channel, Channels
from antiphon.hub.fanout import Fanout
from antiphon.hub.fold import PATCH, State, Summary
from antiphon.hub.outlet import Outlet, Phase, Subscription
from antiphon.hub.pulling import WORKERS, Pullers
from antiphon.hub.retention import Keep, Policy, Retention
from antiphon.hub.rollup import RollUp
from antiphon.hub.stats import Stats
from antiphon.hub.turn import Answer, Done
from antiphon.hub.writer import Writer
from antiphon.messages import MAX_OFFSET, Cursor, Event, NewEvent, check_channel

HISTORY_BYTES = 1 << 20


class Start(Enum):
    """Where a subscription without a cursor begins."""

    START = "start"  # at the oldest event kept
    NOW = "now"  # behind the newest


class Subscribed(NamedTuple):
    """What a subscriber is told before its first event; see docs/protocol.md, `subscribe`."""

    epoch: str
    after: int
    head: int
    oldest: int
    recovered: bool
    summary: Summary | None  # as of `after`; None = not needed: the cursor was continued


class History(NamedTuple):
    epoch: str
    events: list[Event]  # ascending
    oldest: int
    head: int


class Hub:
    """Owns the channels of one store; use as an async context manager.

    Args:
        broker: An open store. The hub closes it.
        keep: Retention by channel pattern; without a match 1 000 000 events.
    """

    def __init__(self, broker: Broker, *, keep: Mapping[str, Keep] | None = None) -> None:
        self.epoch = broker.epoch
        self.stats = Stats()
        self._broker = broker
        self._channels = Channels(broker)
        self._writer = Writer(broker, self._channels, self.stats, self._committed)
        self._rollup = RollUp(self._writer.submit)
        self._pullers = Pullers(broker, self._channels, self.stats, self._writer.settled)
        self._fanout = Fanout(
            self.stats,
            wake=self._pullers.wake,
            place=self._pullers.place,
            is_committing=lambda: self._writer.is_committing,
        )
        policy = Policy(keep or {})
        self.retention = Retention(broker, self._channels, policy, self._writer.perform, self.stats)
        self._owned: set[str] = set()
        self._families: tuple[str, ...] = ()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._broker.close)
            upkeep = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [upkeep.create_task(self._broker.maintain(), name="broker upkeep")]
            tasks.append(upkeep.create_task(self.retention.run(), name="retention"))
            tasks += [upkeep.create_task(self._pullers.work(), name="puller") for _ in range(WORKERS)]
            stack.callback(lambda: [task.cancel() for task in tasks])
            writing = await stack.enter_async_context(asyncio.TaskGroup())
            writing.create_task(self._writer.run(), name="writer")
            stack.callback(self._writer.close)
            stack.callback(self._rollup.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what was accepted, flush it, then release the store."""
        await self._stack.__aexit__(kind, error, trace)
        self._fanout.close()

    # publishing

    @property
    def queued(self) -> int:
        """Events that wait to be stored."""
        return self._writer.queued

    @property
    def is_storing(self) -> bool:
        """Whether a batch is being stored."""
        return self._writer.is_committing

    @property
    def has_room(self) -> bool:
        """Whether `room` would return at once."""
        return self._writer.has_room

    async def room(self) -> None:
        """Wait until the writer's queue has room; call before `submit`."""
        await self._writer.room()

    def post(self, event: NewEvent, done: Done) -> None:
        """Take an event in the order of calls.

        Appends to a growing message share an event with others of the same moment.
        Args:
            done: Told once, after the commit: a list with its cursor, or InvalidPatch, InvalidMessage, KeyConflict or
                StorageError.
        Raises:
            InvalidChannel: No channel can have this name.
            Busy: The hub is closing.
        """
        check_channel(event.channel)
        self._rollup.submit(event, done)

    def submit(self, event: NewEvent) -> asyncio.Future[list[Cursor]]:
        """Like `post`, with a future: it has the cursor after the commit, or raises what `done` would be told."""
        answer = _Answer()
        self.post(event, answer.told)
        return answer

    async def publish(self, event: NewEvent) -> Cursor:
        """Append an event and return its cursor after the commit. Cancelling does not take the event back."""
        await self.room()
        return (await self.submit(event))[0]

    async def publish_many(
        self, events: Sequence[NewEvent], *, checkpoint: tuple[str, str] | None = None
    ) -> list[Cursor]:
        """Append events in one transaction: all, or none.

        Args:
            events: At most some hundred; they stay together.
            checkpoint: A name and a text stored in the same transaction, so that an importer knows how far it is.
        """
        await self.room()
        answer = _Answer()
        self.post_many(events, answer.told, checkpoint=checkpoint)
        return await answer

    def post_many(self, events: Sequence[NewEvent], done: Done, *, checkpoint: tuple[str, str] | None = None) -> None:
        """Like `publish_many`, in this step and in the order of calls; `done` and what is raised as for `post`."""
        names = {check_channel(event.channel) for event in events}
        for name in names:
            self._rollup.flush(name)
        self._writer.submit(events, done, checkpoint=checkpoint)

    def flush(self, channel: str) -> None:
        """Have what is held back of growing messages stored now, before anything that is posted from here on."""
        self._rollup.flush(channel)

    def drop(self, channel: str, error: AntiphonError) -> None:
        """Forget what is held back of growing messages; whoever said it is told the error."""
        self._rollup.drop(channel, error)

    async def patch(self, channel: str, ops: list[dict[str, Any]], *, by: str | None = None) -> Cursor:
        """Change a channel's state by RFC 6902 operations. Raises InvalidPatch, StorageError."""
        return await self.publish(NewEvent(channel, PATCH, orjson.dumps({"ops": ops}), by))

    async def checkpoint(self, name: str) -> str | None:
        """The text that `publish_many` last stored under the name."""
        return await self._broker.checkpoint(name)

    async def published(self, channel: str, key: str, *, by: str | None = None) -> Cursor | None:
        """The event that was published under an idempotency key; None = none, or it is too long ago."""
        wanted = ReceiptKey(by or "", channel, key)
        receipt = (await self._broker.receipts([wanted])).get(wanted)
        return None if receipt is None else Cursor((await self._channel(channel)).epoch, receipt.offset)

    def _committed(self, events: dict[Channel, list[Event]], since: float) -> None:
        for channel, new in events.items():
            self.stats.published += len(new)
            self.retention.touch(channel.name)
            if channel.committed(new, since):
                self._fanout.mark(channel)

    # who may publish where

    def claim(self, name: str) -> None:
        """Reserve a channel, or with a final ":" a family, for a service: clients cannot publish into it."""
        self._owned.add(name)
        self._families = tuple(name for name in self._owned if name.endswith(":"))

    def is_owned(self, channel: str) -> bool:
        return channel in self._owned or channel.startswith(self._families)

    # looking back

    async def history(
        self, channel: str, *, after: int | None = None, before: int | None = None, limit: int = 100
    ) -> History:
        """Events after or before an offset, or the newest; at most `limit` and about 1 MiB of payload."""
        found = await self._channel(channel)
        if after is not None:
            first = max(after, found.oldest - 1)
            upto = found.head if before is None else before - 1
            events = await self._broker.read(channel, after=first, upto=upto, max_events=limit, max_bytes=HISTORY_BYTES)
        else:
            before = MAX_OFFSET if before is None else before
            events = await self._broker.read_back(channel, before=before, max_events=limit, max_bytes=HISTORY_BYTES)
            events = [event for event in events if event.offset >= found.oldest]
        return History(found.epoch, events, found.oldest, found.head)

    async def last_of(self, channel: str, kind: str, *, after: int = 0) -> int:
        """The offset of the newest kept event of a type behind `after`; 0 = there is none."""
        found = await self._channel(channel)
        offset = await self._broker.last_of(channel, kind, after=after)
        return offset if offset >= found.oldest else 0

    async def search(
        self, channel: str, text: str, *, before: int | None = None, limit: int = 50, ignore_case: bool = False
    ) -> SearchSlice:
        """One slice of a search backwards from `before`; go on from its `scanned_to` until it is complete."""
        await self._channel(channel)
        before = MAX_OFFSET if before is None else before
        return await self._broker.search(Search(channel, text, before, limit, ignore_case))

    async def state(self, channel: str) -> State:
        """The channel's state. The value is the live one: encode it at once, or do not keep it."""
        async with self._channels.use(check_channel(channel)) as found:
            await self._writer.settled()
            return (await self._channels.fold(found)).current().state

    async def channels(self, prefix: str = "") -> list[tuple[str, Bounds]]:
        """The channels whose name starts with `prefix` and that have or had events."""
        return await self._broker.channels(prefix)

    async def clear(self, channel: str) -> None:
        """Forget all that a channel holds; its offsets go on where they were. Raises StorageError."""
        await self.retention.clear(check_channel(channel))

    # subscribing

    async def subscribe(
        self, outlet: Outlet, name: str, after: Cursor | Start = Start.NOW
    ) -> tuple[Subscription, Subscribed]:
        """Place a cursor. Nothing is sent before `begin`, so that the reply can precede the first event.

        Raises:
            InvalidChannel, AlreadySubscribed, TooManySubscriptions, StorageError
        """
        outlet.check_free(check_channel(name))
        async with self._channels.use(name) as channel:
            await self._writer.settled()
            return await self._subscribe(outlet, channel, after)

    async def _subscribe(
        self, outlet: Outlet, channel: Channel, after: Cursor | Start
    ) -> tuple[Subscription, Subscribed]:
        fold = await self._channels.fold(channel)
        cursor, recovered = _place(channel, after, has_state=fold.has_state)
        wanted = not recovered or after is Start.NOW or (after is Start.START and channel.oldest > 1)
        summary = None
        if wanted and cursor != channel.head:
            summary = Summary.of(await self._broker.snapshot(channel.name, upto=cursor))
        elif wanted:
            summary = fold.current()
        subscription = outlet.open(channel, cursor)
        return subscription, Subscribed(channel.epoch, cursor, channel.head, channel.oldest, recovered, summary)

    def begin(self, subscription: Subscription) -> None:
        """Start delivery; to be called in the same step as the reply was sent. Does nothing once it was closed."""
        if subscription.phase is Phase.CLOSED:
            return
        self._pullers.place(subscription)

    def move(self, old: Outlet, new: Outlet) -> None:
        """Let another outlet of the same connection go on where one is; what the old one was given is written first."""
        self._fanout.serve(old)
        for name, subscription in list(old.subscriptions.items()):
            moved = new.open(subscription.channel, subscription.cursor)
            moved.caught_up = subscription.caught_up
            old.unsubscribe(name)
            self.begin(moved)

    def drained(self, outlet: Outlet) -> None:
        """A transport says that its socket has taken bytes."""
        self._pullers.wake(outlet)

    async def _channel(self, name: str) -> Channel:
        return await self._channels.get(check_channel(name))


class _Answer(asyncio.Future[list[Cursor]]):
    """What a publisher waits for."""

    def told(self, answer: Answer | AntiphonError) -> None:
        if self.done():  # whoever asked may have gone
            return
        if isinstance(answer, AntiphonError):
            self.set_exception(answer)
            self.exception()  # whoever does not look at it does not care
        else:
            self.set_result(cast("list[Cursor]", answer))  # parts were given their errors


def _place(channel: Channel, after: Cursor | Start, *, has_state: bool) -> tuple[int, bool]:
    """The cursor's offset, and whether it continues what the subscriber had."""
    if after is Start.NOW:
        return channel.head, True
    if isinstance(after, Cursor):
        if after.epoch == channel.epoch and channel.oldest - 1 <= after.offset <= channel.head:
            return after.offset, True
        return (channel.head if has_state else channel.oldest - 1), False
    return channel.oldest - 1, True
