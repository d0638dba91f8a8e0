"""The flush clock: what was committed leaves for all live subscribers in one write per connection.

After a pause events for many are gathered for a moment, so that a burst leaves as one write; on average the flushes of
a channel start no sooner after one another than the longer of a fixed interval and the length of the last, so that a
busy process writes less often, not more. A pause earns one flush that need not wait: the first token of an answer often
follows its opening at once. A batch for many is sent in slices: between two slices the loop has its turn, and small
channels go first, so that they do not wait for large ones.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from antiphon.hub.channel import Channel
from antiphon.hub.outlet import Encoded, Outlet, Phase, Subscription
from antiphon.hub.stats import Stats

GATHER_S = 0.001
INTERVAL_S = 0.005
SLICE_S = 0.001
SLICE_WRITES = 256  # a transport may put them off until the loop's turn ends, where no clock of ours sees them
COMMIT_WAIT_S = 0.002  # more, for a commit under way: a durable burst leaves as one write
SMALL = 256  # subscribers: what a slice can serve
CHECK_EVERY = 16  # writes between two looks at the time

LIVE = Phase.LIVE
clock = time.monotonic  # an event loop's own clock may stand still during one of its turns


class Delivery:
    """One batch of a channel on its way to those who were live when it started."""

    __slots__ = ("before", "channel", "events", "left", "since", "size", "started")

    def __init__(self, channel: Channel, started: float) -> None:
        self.channel = channel
        self.started = started
        self.since = channel.since
        self.before = channel.flushed
        events = channel.take()
        self.events = len(events)
        self.left: list[tuple[Encoded, list[Subscription]]] = [
            (codec.events(channel.epoch, events), list(group)) for codec, group in channel.groups.items()
        ]
        self.size = sum(len(subscriptions) for _, subscriptions in self.left)

    @property
    def is_small(self) -> bool:
        return self.size <= SMALL

    def next(self, most: int) -> tuple[Encoded, list[Subscription]]:
        """Some of those who have not been served, and what they get."""
        encoded, subscriptions = self.left[-1]
        some = subscriptions[-most:]
        del subscriptions[-most:]
        if not subscriptions:
            self.left.pop()
        return encoded, some


Queue = deque[Outlet | Delivery]


class Fanout:
    """Owns the clock and the batches under way.

    Args:
        wake: Gives a connection a turn at pulling if it has room.
        place: Called for subscriptions that waited for a flush to begin with.
        is_committing: Whether a commit is under way.
    """

    def __init__(
        self,
        stats: Stats,
        *,
        wake: Callable[[Outlet], None],
        place: Callable[[Subscription], None],
        is_committing: Callable[[], bool],
    ) -> None:
        self._stats = stats
        self._wake = wake
        self._place = place
        self._is_committing = is_committing
        self._dirty: set[Channel] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._sliced: asyncio.Handle | None = None
        self._due = 0.0  # when the timer ticks, while there is one
        self._earliest = 0.0
        self._waited = False
        self._writes = 0  # of the present slice
        self._deliveries: list[Delivery] = []
        self._first: Queue = deque()  # to be written to: connections of small channels
        self._then: Queue = deque()  # those of large ones

    def mark(self, channel: Channel) -> None:
        """Flush the channel at the next tick of the clock."""
        self._dirty.add(channel)
        if not channel.delivering:
            gather_s = GATHER_S if channel.audience > SMALL else 0.0
            self._arm(max(clock() + gather_s, self._earliest, channel.earliest))

    def serve(self, outlet: Outlet) -> None:
        """Give one connection what batches under way hold for it, and write what was gathered, ahead of its turn."""
        for delivery in self._deliveries:
            for encoded, subscriptions in delivery.left:
                for subscription in [found for found in subscriptions if found.outlet is outlet]:
                    subscriptions.remove(subscription)
                    if subscription.phase is LIVE and not outlet.offer(encoded):
                        self._cut(delivery, subscription)
        outlet.release()

    def drain(self) -> None:
        """Send everything that waits, now."""
        while self._dirty or self._deliveries or self._first or self._then:
            self._begin(float("inf"))
            self._slice(limit_s=float("inf"))

    def close(self) -> None:
        """Send everything that waits and stop the clock."""
        self.drain()
        for handle in (self._timer, self._sliced):
            if handle is not None:
                handle.cancel()

    def _arm(self, when: float) -> None:
        """Let the clock tick at `when`, unless it does so earlier."""
        if self._timer is not None:
            if self._due <= when:
                return
            self._timer.cancel()  # it was set for a channel that has to wait longer
        self._due = when
        self._timer = asyncio.get_running_loop().call_later(max(0.0, when - clock()), self._tick)

    def _tick(self) -> None:
        now, self._timer = clock(), None
        if self._is_committing() and not self._waited:
            self._waited = True
            self._arm(now + COMMIT_WAIT_S)
            return
        self._waited = False
        self._earliest = max(self._earliest + INTERVAL_S, now)
        self._begin(now)
        if self._sliced is None:
            self._slice()
        self._arm_for_rest()

    def _begin(self, now: float) -> None:
        """Start a delivery of every channel whose time has come."""
        due = [channel for channel in self._dirty if not channel.delivering and channel.earliest <= now]
        self._dirty.difference_update(due)
        for channel in due:
            channel.delivering = True
            self._deliveries.append(Delivery(channel, clock()))
            waiting, channel.waiting = channel.waiting, []
            for subscription in waiting:
                self._place(subscription)
        self._deliveries.sort(key=lambda delivery: delivery.size, reverse=True)  # taken from the end
        self._stats.flushes += bool(due)

    def _arm_for_rest(self) -> None:
        """Set the clock for channels that have to wait for their own turn."""
        waiting = [channel.earliest for channel in self._dirty if not channel.delivering]
        if waiting:
            self._arm(max(min(waiting), self._earliest))

    def _slice(self, limit_s: float = SLICE_S) -> None:
        """Gather and write for a while; the rest comes after others have had their turn."""
        self._sliced = None
        self._writes = 0
        deadline = clock() + limit_s
        while self._writes < SLICE_WRITES and clock() < deadline and self._step():
            pass
        if self._deliveries or self._first or self._then:
            self._sliced = asyncio.get_running_loop().call_soon(self._slice)

    def _step(self) -> bool:
        """Do a little of what is most urgent: small channels whole, then large ones; false if nothing is left."""
        delivery = self._deliveries[-1] if self._deliveries else None
        if delivery is not None and (delivery.is_small or not self._first):
            self._serve(delivery)
        elif self._first or self._then:
            self._write(self._first or self._then)
        else:
            return False
        return True

    def _serve(self, delivery: Delivery) -> None:
        """Give a batch to some of its subscribers."""
        queue = self._first if delivery.is_small else self._then
        if not delivery.left:
            pass  # everybody has left meanwhile
        elif len(self._deliveries) == 1 and not queue:  # nothing else is there to be gathered
            self._pass_on(delivery)
        else:
            self._gather(delivery, queue)
        if not delivery.left:
            self._deliveries.pop()
            queue.append(delivery)  # it is done when all before it are written

    def _pass_on(self, delivery: Delivery) -> None:
        encoded, subscriptions = delivery.next(CHECK_EVERY)
        passed = 0
        for subscription in subscriptions:
            if subscription.phase is LIVE:
                if subscription.outlet.pass_on(encoded):
                    passed += 1
                else:
                    self._cut(delivery, subscription)
        self._stats.deliveries += passed * delivery.events
        self._writes += passed

    def _gather(self, delivery: Delivery, queue: Queue) -> None:
        encoded, subscriptions = delivery.next(SMALL)
        for subscription in subscriptions:
            if subscription.phase is LIVE:
                self._offer(delivery, subscription, encoded, queue)

    def _offer(self, delivery: Delivery, subscription: Subscription, encoded: Encoded, queue: Queue) -> None:
        outlet = subscription.outlet
        is_new = not outlet.is_gathering
        if not outlet.offer(encoded):
            self._cut(delivery, subscription)
            return
        self._stats.deliveries += delivery.events
        if is_new or queue is self._first:  # those of a small channel must not wait for what a large one gathered
            queue.append(outlet)

    def _cut(self, delivery: Delivery, subscription: Subscription) -> None:
        """Let it stay at what it was last sent, and pull once its socket drains."""
        self._stats.cuts += 1
        subscription.fall_back(delivery.before)
        self._wake(subscription.outlet)

    def _write(self, queue: Queue) -> None:
        for _ in range(min(CHECK_EVERY, len(queue))):
            item = queue.popleft()
            if isinstance(item, Outlet):
                item.release()
                self._writes += 1
            else:
                self._finish(item)

    def _finish(self, delivery: Delivery) -> None:
        now = clock()
        channel, length = delivery.channel, now - delivery.started
        channel.delivering = False
        late = max(0.0, length - INTERVAL_S)
        channel.earliest = max(channel.earliest + INTERVAL_S, delivery.started) + late
        self._stats.flush_s.observe(length)
        self._stats.flush_size.observe(delivery.size * delivery.events)
        self._stats.write_s.observe(now - delivery.since)
        if channel in self._dirty:
            self._arm_for_rest()
