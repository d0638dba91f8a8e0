"""One channel of one subscription, and what the server believes about that channel. Plain code: no sockets, no clock.

A `Lane` is what somebody wants: a channel from a position on, into a feed. A `Slot` is the channel on the wire, where
at most one subscription exists at a time; it steers what the server does towards what is wanted:

    idle --subscribe--> subscribing --reply--> live --unsubscribe--> leaving --reply--> idle

Whoever owns the slot calls `next_request` after each change and sends what it returns. Events count only while the
slot is live for the lane that is wanted; all others are left for a later subscription from the lane's position.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from antiphon.client.feed import After, Feed
from antiphon.client.items import CaughtUp, Gap, Snapshot
from antiphon.client.wire import Subscribed, WireCaughtUp, WireEvent, WireGap
from antiphon.messages import Cursor


class Lane:
    """One channel of a subscription; `position` is what has been queued so far."""

    def __init__(self, channel: str, after: After, feed: Feed) -> None:
        self.channel = channel
        self.position = after if after in ("start", "now") or isinstance(after, Cursor) else Cursor.parse(after)
        self.feed = feed
        self._hole_at = -1  # offset after which the server skipped events once already

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of `subscribe`."""
        position = self.position
        return {"channel": self.channel, "after": position._asdict() if isinstance(position, Cursor) else position}

    def subscribed(self, reply: Subscribed) -> None:
        """The server has answered: what it cannot continue becomes a gap."""
        gap = self._gap(reply)
        self.position = Cursor(reply.epoch, reply.after)
        if reply.state is not None or reply.messages:
            self._remember(Snapshot(self.position, reply.state, reply.messages))
        if gap is not None:
            self.feed.push(gap)
        self.feed.ready(self.channel)

    def _gap(self, reply: Subscribed) -> Gap | None:
        had, last = self.position, reply.after
        if had == "now" or (isinstance(had, Cursor) and reply.recovered) or (had == "start" and last == 0):
            return None
        if not isinstance(had, Cursor):
            first, reason = 1, "retention"
        elif had.epoch != reply.epoch:
            first, reason = 1, "epoch"
        elif had.offset > reply.head:
            first, reason = last + 1, "beyond_head"
        else:
            first, reason = had.offset + 1, "retention"
        return Gap(self.channel, reply.epoch, first, last, reason, reply.state, reply.messages)

    def event(self, event: WireEvent, size: int) -> bool:
        """Queue the next event. False: events before it are missing, it was not taken."""
        position = self._cursor
        if event.offset <= position.offset:
            return True  # a repetition
        if event.offset > position.offset + 1:
            if self._hole_at != position.offset:
                self._hole_at = position.offset
                return False
            self._skip(position, event.offset - 1)
        self.position = Cursor(position.epoch, event.offset)
        self.feed.push(event.of(position.epoch), size)
        return True

    def _skip(self, position: Cursor, last: int) -> None:
        self.feed.push(Gap(self.channel, position.epoch, position.offset + 1, last, "missing", None, ()))

    def gap(self, gap: WireGap) -> None:
        """The server says what will not come."""
        if gap.epoch == self._cursor.epoch and gap.last <= self._cursor.offset:
            return
        self.position = Cursor(gap.epoch, gap.last)
        if gap.state is not None:
            self._remember(Snapshot(self.position, gap.state, gap.messages))
        self.feed.push(Gap(self.channel, gap.epoch, gap.first, gap.last, gap.reason, gap.state, gap.messages))

    def caught_up(self, caught_up: WireCaughtUp) -> None:
        """What follows is live."""
        self.feed.push(CaughtUp(self.channel, self._cursor.epoch, caught_up.offset))

    @property
    def _cursor(self) -> Cursor:
        assert isinstance(self.position, Cursor), "events come after the reply"
        return self.position

    def _remember(self, snapshot: Snapshot) -> None:
        self.feed.snapshots[self.channel] = snapshot


class Phase(Enum):
    """What the server believes about a channel, as far as we know."""

    IDLE = "idle"
    SUBSCRIBING = "subscribing"
    LIVE = "live"
    LEAVING = "leaving"


class Slot:
    """A channel on the wire. `lane` is what is wanted now (None: nothing), `active` for whom the subscription is."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.phase = Phase.IDLE
        self.lane: Lane | None = None
        self.active: Lane | None = None
        self.is_held = False  # the server asked to come back later
        self._is_stale = False  # the subscription must be made anew from the lane's position

    @property
    def is_free(self) -> bool:
        """Whether nobody wants it and the server knows."""
        return self.lane is None and self.phase is Phase.IDLE

    def next_request(self) -> tuple[str, dict[str, Any]] | None:
        """What to ask of the server now to come closer to what is wanted; None: nothing."""
        wanted = None if self.lane is None or self.lane.feed.is_paused or self.is_held else self.lane
        if self.phase is Phase.IDLE and wanted is not None:
            self.phase, self.active, self._is_stale = Phase.SUBSCRIBING, wanted, False
            return "subscribe", wanted.params
        if self.phase is Phase.LIVE and (self._is_stale or self.active is not wanted):
            self.phase = Phase.LEAVING
            return "unsubscribe", {"channel": self.channel}
        return None

    def subscribed(self, reply: Subscribed) -> None:
        """The reply to `subscribe`."""
        self.phase = Phase.LIVE
        if self.active is not None and self.active is self.lane:
            self.active.subscribed(reply)

    def left(self) -> None:
        """The reply to `unsubscribe`, a refused `subscribe`, or the end of the connection."""
        self.phase, self.active = Phase.IDLE, None

    @property
    def listener(self) -> Lane | None:
        """For whom an event of this channel is; None: for nobody, it will be asked for again if needed."""
        is_wanted = self.phase is Phase.LIVE and self.active is self.lane and not self._is_stale
        return self.lane if is_wanted else None

    def event(self, event: WireEvent, size: int) -> None:
        """An event came; after a hole the subscription is made anew."""
        listener = self.listener
        if listener is not None and not listener.event(event, size):
            self._is_stale = True
