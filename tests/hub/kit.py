"""A connection that records what it is sent, and takes it as slowly as a test wants."""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson

from antiphon.hub import Encoded, Gap, Hub, Outlet, Start, Subscribed, Subscription
from antiphon.messages import Cursor, Event, NewEvent

DEADLINE_S = 60  # of waiting for what must happen; never a measurement
OVERHEAD = 100


class CaughtUp(NamedTuple):
    channel: str
    epoch: str
    offset: int


def size(part: Any) -> int:
    return OVERHEAD + (len(part.payload) if isinstance(part, Event) else 0)


class RecordingCodec:
    """Its "bytes" are the events themselves."""

    is_shared = True

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:
        return Encoded(tuple(events), sum(map(size, events)))

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:
        return Encoded((CaughtUp(channel, epoch, offset),), OVERHEAD)

    def gap(self, gap: Gap) -> Encoded:
        return Encoded((copy.deepcopy(gap),), OVERHEAD)


CODEC = RecordingCodec()


class Connection:
    """One connection: an outlet and its sink. `tape` is what the far end has read, in order."""

    def __init__(self, hub: Hub, *, bound_bytes: int = 1 << 20, max_subscriptions: int = 1000) -> None:
        self._hub = hub
        self.outlet = Outlet(CODEC, self, bound_bytes=bound_bytes, max_subscriptions=max_subscriptions)
        self.tape: list[Any] = []
        self.writes = 0
        self.peak_bytes = 0
        self._waiting: deque[Any] = deque()
        self._waiting_bytes = 0
        self._reads = True
        self._changed = asyncio.Event()

    # the sink

    @property
    def queued_bytes(self) -> int:
        return self._waiting_bytes

    def send(self, parts: Sequence[Any]) -> None:
        self.writes += 1
        self._waiting.extend(parts)
        self._waiting_bytes += sum(map(size, parts))
        self.peak_bytes = max(self.peak_bytes, self._waiting_bytes)
        if self._reads:
            self._take(self._waiting_bytes)
        self._changed.set()

    # the far end

    def stop_reading(self) -> None:
        self._reads = False

    def go_on_reading(self) -> None:
        self._reads = True
        self.read(self._waiting_bytes)

    def read(self, max_bytes: int) -> None:
        """Take some of what waits and tell the hub of the room."""
        self._take(max_bytes)
        self._hub.drained(self.outlet)

    def _take(self, max_bytes: int) -> None:
        while self._waiting and max_bytes > 0:
            part = self._waiting.popleft()
            self._waiting_bytes -= size(part)
            max_bytes -= size(part)
            self.tape.append(part)

    async def subscribe(self, channel: str, after: Cursor | Start = Start.NOW) -> Subscribed:
        return (await self.place(channel, after))[1]

    async def place(self, channel: str, after: Cursor | Start = Start.NOW) -> tuple[Subscription, Subscribed]:
        """Subscribe as a transport does: the reply is sent and delivery begun in one step."""
        subscription, reply = await self._hub.subscribe(self.outlet, channel, after)
        reply = copy.deepcopy(reply)
        self.tape.append(reply)
        self._hub.begin(subscription)
        return subscription, reply

    def drop(self) -> None:
        self.outlet.close()

    # what it saw

    def events(self, channel: str) -> list[Event]:
        return [part for part in self.tape if isinstance(part, Event) and part.channel == channel]

    def offsets(self, channel: str) -> list[int]:
        return [event.offset for event in self.events(channel)]

    def all(self, kind: type) -> list[Any]:
        return [part for part in self.tape if isinstance(part, kind)]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds`, looked at whenever something was sent."""
        async with asyncio.timeout(DEADLINE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def until_offset(self, channel: str, offset: int) -> None:
        await self.until(lambda: any(event.offset >= offset for event in self.events(channel)[-1:]))

    async def until_caught_up(self, channel: str) -> CaughtUp:
        await self.until(lambda: any(told.channel == channel for told in self.all(CaughtUp)))
        return next(told for told in self.all(CaughtUp) if told.channel == channel)


def new(channel: str, data: Any = None, **changes: Any) -> NewEvent:
    return NewEvent(channel, "note", orjson.dumps(data))._replace(**changes)


def patch(channel: str, *ops: tuple[str, str, Any], **changes: Any) -> NewEvent:
    made = [{"op": name, "path": path, "value": value} for name, path, value in ops]
    return NewEvent(channel, "state.patch", orjson.dumps({"ops": made}))._replace(**changes)


async def publish(hub: Hub, channel: str, count: int, **changes: Any) -> list[int]:
    """Publish a burst in one go; returns its offsets after the commit."""
    submitted = [hub.submit(new(channel, n, **changes)) for n in range(count)]
    return [cursor.offset for answer in submitted for cursor in await answer]


async def publish_and_flush(hub: Hub, channel: str, count: int, **changes: Any) -> None:
    """Publish one by one, each of them flushed to all who are live before the next."""
    witness = Connection(hub)
    await witness.subscribe(channel)
    for _ in range(count):
        await witness.until_offset(channel, (await publish(hub, channel, 1, **changes))[0])
    witness.drop()


async def log(hub: Hub, channel: str) -> list[Event]:
    """All that is kept."""
    found: list[Event] = []
    while page := (await hub.history(channel, after=found[-1].offset if found else 0, limit=1000)).events:
        found += page
    return found


class Held:
    """Holds a store's appends until they are let go: a commit under way for as long as a test wants."""

    def __init__(self, hub: Hub) -> None:
        self._broker = hub._broker
        self._append = self._broker.append
        self.entered = asyncio.Event()
        self.let_go = asyncio.Event()
        self._broker.append = self._hold  # type: ignore[method-assign]

    async def _hold(self, batch: Any) -> None:
        self.entered.set()
        await self.let_go.wait()
        await self._append(batch)

    async def until_entered(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            await self.entered.wait()
