"""The hub's side of a connection: what it is subscribed to and how much it may hold.

A subscription is a cursor. While it is `LIVE` its cursor is the channel's flushed head and it receives the shared
batches; while it is `PULLING` it reads pages from the log as its socket drains. A live one whose connection is over its
bound goes back to pulling: the same mechanism serves replay, resume and slow readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

import structlog

from antiphon.errors import AlreadySubscribed, NotSubscribed, TooManySubscriptions
from antiphon.hub.channel import Channel
from antiphon.hub.fold import Summary
from antiphon.messages import Event

log = structlog.get_logger(__name__)


class Encoded(NamedTuple):
    """What a codec made of something: pieces that a transport writes as they are, and their length in bytes."""

    parts: tuple[Any, ...]
    size: int


class Gap(NamedTuple):
    """Offsets `first` to `last` will not come; `summary` replaces what the subscriber had, as of `last`."""

    channel: str
    epoch: str
    first: int
    last: int
    reason: str
    summary: Summary | None  # None = the channel's events add up to nothing


class Codec(Protocol):
    """Turns what happens into the bytes of one protocol. Connections that share a codec share its bytes."""

    @property
    def is_shared(self) -> bool:
        """Whether the bytes of events depend on nothing else, so that those of a page may be kept."""

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded: ...

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded: ...

    def gap(self, gap: Gap) -> Encoded: ...


class Sink(Protocol):
    """The sending half of a transport."""

    @property
    def queued_bytes(self) -> int:
        """Bytes accepted and not yet taken by the socket."""

    def send(self, parts: Sequence[Any]) -> None:
        """Accept pieces for sending, in order, without waiting."""


class Phase(Enum):
    PULLING = "pulling"
    LIVE = "live"
    CLOSED = "closed"


class Subscription:
    """One connection's cursor in one channel."""

    __slots__ = ("_cursor", "caught_up", "channel", "outlet", "phase")

    def __init__(self, outlet: Outlet, channel: Channel, cursor: int) -> None:
        self.outlet = outlet
        self.channel = channel
        self.phase = Phase.PULLING
        self.caught_up = False  # whether the subscriber has been told
        self._cursor = cursor

    @property
    def cursor(self) -> int:
        """The last offset that was sent."""
        return self.channel.flushed if self.phase is Phase.LIVE else self._cursor

    def advance(self, offset: int) -> None:
        self._cursor = offset

    def go_live(self) -> None:
        self.phase = Phase.LIVE
        self.channel.join(self)

    def fall_back(self, cursor: int) -> None:
        """Leave the live ones with what was last sent and pull from there."""
        self.channel.leave(self)
        self.phase = Phase.PULLING
        self._cursor = cursor
        self.outlet.pulling.append(self)

    def close(self) -> None:
        cursor = self.cursor
        if self.phase is Phase.LIVE:
            self.channel.leave(self)
        self.phase = Phase.CLOSED
        self._cursor = cursor


class Outlet:
    """One connection as the hub sees it.

    Args:
        codec: Shared by all connections of one protocol where its bytes do not depend on the connection.
        sink: Takes the bytes.
        bound_bytes: What may be queued before live subscriptions go back to pulling.
        max_subscriptions: At a time.
    """

    __slots__ = (
        "_gathered", "_gathered_bytes", "bound_bytes", "closed", "codec", "is_queued", "max_subscriptions", "pulling",
        "sink", "subscriptions",
    )  # fmt: skip

    def __init__(self, codec: Codec, sink: Sink, *, bound_bytes: int = 1 << 20, max_subscriptions: int = 1000) -> None:
        self.codec = codec
        self.sink = sink
        self.bound_bytes = bound_bytes
        self.max_subscriptions = max_subscriptions
        self.subscriptions: dict[str, Subscription] = {}
        self.pulling: list[Subscription] = []  # in turn; a deque would cost each idle connection 600 bytes
        self.is_queued = False  # for a turn at pulling
        self.closed = False
        self._gathered: tuple[Any, ...] = ()  # the batch itself in the common case of one
        self._gathered_bytes = 0

    @property
    def has_room(self) -> bool:
        """Whether pulling may go on; well below the bound, so that pages and live batches do not alternate."""
        return self.sink.queued_bytes < self.bound_bytes // 4

    def open(self, channel: Channel, cursor: int) -> Subscription:
        """Register a subscription, still pulling; one that is closed where the connection ended meanwhile.

        Raises:
            AlreadySubscribed, TooManySubscriptions
        """
        self.check_free(channel.name)
        subscription = Subscription(self, channel, cursor)
        if self.closed:
            subscription.phase = Phase.CLOSED
            return subscription
        self.subscriptions[channel.name] = subscription
        channel.users += 1
        return subscription

    def check_free(self, channel: str) -> None:
        if channel in self.subscriptions:
            raise AlreadySubscribed(f"this connection is already subscribed to {channel}")
        if len(self.subscriptions) >= self.max_subscriptions:
            raise TooManySubscriptions(f"a connection may have {self.max_subscriptions} subscriptions")

    def unsubscribe(self, channel: str) -> None:
        """End a subscription; nothing of it is sent afterwards. Raises NotSubscribed."""
        subscription = self.subscriptions.pop(channel, None)
        if subscription is None:
            raise NotSubscribed(f"this connection is not subscribed to {channel[:255]}")
        self._end(subscription)

    def close(self) -> None:
        """End all subscriptions; may be called twice."""
        self.closed = True
        for subscription in self.subscriptions.values():
            self._end(subscription)
        self.subscriptions.clear()
        self.pulling.clear()

    def _end(self, subscription: Subscription) -> None:
        if subscription.phase is Phase.PULLING and subscription in self.pulling:
            self.pulling.remove(subscription)
        subscription.close()
        subscription.channel.users -= 1

    def send(self, encoded: Encoded) -> None:
        """Send something that belongs to this connection alone, behind what was gathered for it."""
        if self._gathered:
            self.release()
        self._write(encoded.parts)

    @property
    def is_gathering(self) -> bool:
        """Whether something waits for `release`."""
        return bool(self._gathered)

    def offer(self, encoded: Encoded) -> bool:
        """Gather a live batch for the one write of this flush; false if it would exceed the bound."""
        size = self._gathered_bytes + encoded.size
        if self.sink.queued_bytes + size > self.bound_bytes:
            return False
        self._gathered_bytes = size
        self._gathered = self._gathered + encoded.parts if self._gathered else encoded.parts
        return True

    def pass_on(self, encoded: Encoded) -> bool:
        """Write a live batch, and what was gathered before it; false if it would exceed the bound."""
        if self._gathered:
            fits = self.offer(encoded)
            self.release()
            return fits
        if self.sink.queued_bytes + encoded.size > self.bound_bytes:
            return False
        self._write(encoded.parts)
        return True

    def release(self) -> None:
        """Write what was gathered, in one go."""
        if self._gathered:
            gathered, self._gathered, self._gathered_bytes = self._gathered, (), 0
            self._write(gathered)

    def _write(self, parts: Sequence[Any]) -> None:
        if not parts:
            return  # the protocol has no word for it
        try:
            self.sink.send(parts)
        except Exception:  # a fault in one connection must not keep a batch from the others
            log.exception("a connection could not be written to; its subscriptions end")
            self.close()
