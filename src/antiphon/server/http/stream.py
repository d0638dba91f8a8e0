"""One event stream: several channels in one response, each entry with the cursors of all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request
from starlette.responses import Response

from antiphon.errors import InvalidCursor, TooManySubscriptions
from antiphon.hub import Outlet, Start, Subscription
from antiphon.messages import Cursor, check_channel
from antiphon.server.access import User, require
from antiphon.server.connections import Connection, Peer
from antiphon.server.core import Core
from antiphon.server.live.codec import StreamCodec
from antiphon.server.live.encode import subscribed_object
from antiphon.transports.base import Ending
from antiphon.transports.queue import QueueSink
from antiphon.transports.sse import serve_stream

Message = MutableMapping[str, Any]


class EventStream(Response):
    """A response that follows channels; everything that can be refused was refused before it begins."""

    def __init__(self, core: Core, connection: Connection, sink: QueueSink, begin: Callable[[], None]) -> None:
        super().__init__()
        self._core = core
        self._connection = connection
        self._sink = sink
        self._begin = begin

    @classmethod
    async def open(cls, core: Core, user: User, request: Request, channels: list[str], given: str) -> EventStream:
        """Place the cursors.

        Raises:
            InvalidChannel, InvalidCursor, Forbidden, AlreadySubscribed, TooManySubscriptions, TooManyConnections
        """
        for channel in channels:
            require(user, "read", check_channel(channel))
        starts = _starts(given, channels)
        limits = core.settings.limits
        if len(channels) > limits.subscriptions:
            raise TooManySubscriptions(f"a stream may have {limits.subscriptions} channels")
        core.connections.check_room()
        codec = StreamCodec({channel: Cursor(core.hub.epoch, 0) for channel in channels})
        sink = QueueSink(bound_bytes=limits.queued_bytes)
        outlet = Outlet(codec, sink, bound_bytes=limits.queued_bytes, max_subscriptions=limits.subscriptions)
        sink.drained = lambda: core.hub.drained(outlet)
        try:
            placed = [await _place(core, outlet, codec, channel, start) for channel, start in starts]
        except BaseException:
            outlet.close()
            raise

        def goodbye(reason: str, reconnect_after_s: float) -> None:
            outlet.send(codec.entry("goodbye", {"reason": reason, "reconnect_after_s": reconnect_after_s}))
            sink.end()

        def begin() -> None:
            for subscription, entry in placed:
                outlet.send(codec.entry("subscribed", entry))
                core.hub.begin(subscription)

        connection = Connection(stream_peer(request, user), outlet, sink, goodbye)
        core.connections.add(connection)
        return cls(core, connection, sink, begin)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],  # noqa: ARG002 - Starlette's signature
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        ending = Ending(None, "closed by the peer")
        try:
            self._begin()
            ending = await serve_stream(receive, send, self._sink, stalled_s=self._core.settings.limits.stalled_s)
        finally:
            self._core.connections.remove(self._connection, ending)


async def _place(
    core: Core, outlet: Outlet, codec: StreamCodec, channel: str, start: Cursor | Start
) -> tuple[Subscription, dict[str, Any]]:
    subscription, reply = await core.hub.subscribe(outlet, channel, start)
    codec.place(channel, Cursor(reply.epoch, reply.after))
    return subscription, {"channel": channel, **subscribed_object(reply)}


def _starts(given: str, channels: list[str]) -> list[tuple[str, Cursor | Start]]:
    """Where each channel begins. Raises InvalidCursor."""
    if given in (start.value for start in Start):
        return [(channel, Start(given)) for channel in channels]
    cursors = [Cursor.parse(text) for text in given.split(",")]
    if len(cursors) != len(channels):
        raise InvalidCursor(f"{len(cursors)} cursors for {len(channels)} channels", pointer="/query/after")
    return list(zip(channels, cursors, strict=True))


def stream_peer(request: Request, user: User) -> Peer:
    """Who follows a stream that the door has admitted."""
    agent = request.headers.get("user-agent")
    return Peer(user, "sse", request.url.path, request.state.admitted.client, agent[:200] if agent else None)
