"""What a Socket.IO client hears over the hub, whichever way its session is carried."""

from __future__ import annotations

from collections.abc import Callable

from antiphon.errors import AlreadySubscribed
from antiphon.hub import Encoded, Hub, Outlet, Start
from antiphon.hub.hub import Subscribed
from antiphon.hub.outlet import Codec, Sink, Subscription
from antiphon.messages import Cursor
from antiphon.transports.socketio.codec import LOST, Codecs, TrailSink
from antiphon.transports.socketio.recovery import Trail
from antiphon.transports.socketio.session import EngineSession


class ClientOutlet(Outlet):
    """An outlet whose client learns of missed events only by beginning anew.

    Args:
        lost: Called when events will not come and nothing can be said of it.
    """

    __slots__ = ("_lost",)

    def __init__(
        self, codec: Codec, sink: Sink, lost: Callable[[], None], *, bound_bytes: int, max_subscriptions: int
    ) -> None:
        super().__init__(codec, sink, bound_bytes=bound_bytes, max_subscriptions=max_subscriptions)
        self._lost = lost

    def send(self, encoded: Encoded) -> None:
        if encoded is LOST:
            self._lost()
        else:
            super().send(encoded)


class Hearing:
    """The subscriptions of one client.

    Args:
        bound_bytes: What may be queued before events are pulled from the log.
        lost: Called when events will not come and nothing can be said of it.
    """

    __slots__ = ("_bound_bytes", "_codecs", "_hub", "_is_late", "_lost", "_max_subscriptions", "_session", "_trails",
                 "outlet")  # fmt: skip

    def __init__(
        self,
        hub: Hub,
        codecs: Codecs,
        session: EngineSession,
        lost: Callable[[], None],
        *,
        bound_bytes: int,
        max_subscriptions: int,
    ) -> None:
        self._hub = hub
        self._codecs = codecs
        self._session = session
        self._lost = lost
        self._bound_bytes = bound_bytes
        self._max_subscriptions = max_subscriptions
        self._trails: dict[str, Trail] = {}  # by channel
        self._is_late = False  # packets get their last argument when they are sent
        self.outlet = self._make()

    def _make(self) -> Outlet:
        session, sink = self._session, self._session.sink
        codec = self._codecs.late if self._is_late else self._codecs.of(session)
        return ClientOutlet(
            codec,
            TrailSink(sink, session.frame, self._trails) if self._is_late else sink,
            self._lost,
            bound_bytes=self._bound_bytes,
            max_subscriptions=self._max_subscriptions,
        )

    def move(self) -> None:
        """Go on over what carries the session now."""
        old, self.outlet = self.outlet, self._make()
        self._hub.move(old, self.outlet)
        old.close()

    def leave_trails(self) -> None:
        """From now on packets of channels with a trail say how far the client is."""
        if not self._is_late:
            self._is_late = True
            self.move()

    async def place(self, channel: str, after: Cursor | Start) -> tuple[Subscription, Subscribed]:
        """Subscribe, again where the session was upgraded meanwhile. Raises what `Hub.subscribe` raises."""
        outlet = None
        while outlet is not self.outlet:
            outlet = self.outlet
            found = await self._hub.subscribe(outlet, channel, after)
        return found

    async def follow(self, channel: str, after: Cursor | Start, trail: Trail | None) -> None:
        """Hear a channel from there on. Raises what `Hub.subscribe` raises, but for what is followed already."""
        try:
            subscription, told = await self.place(channel, after)
        except AlreadySubscribed:
            return
        if trail is not None:
            trail.begin(channel, Cursor(told.epoch, told.after))
            self._trails[channel] = trail
        self.begin(subscription)

    def follow_again(self, channel: str, trail: Trail) -> None:
        """What the client comes back to has been placed."""
        self._trails[channel] = trail

    def begin(self, subscription: Subscription) -> None:
        """Let events come."""
        self._hub.begin(subscription)

    def unfollow(self, channel: str) -> None:
        self._trails.pop(channel, None)
        if channel in self.outlet.subscriptions:
            self.outlet.unsubscribe(channel)
