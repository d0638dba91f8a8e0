"""One run's channel as one response: an event stream in the words of another protocol, until the run has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import Response

from antiphon.hub import Outlet, Start, Subscribed, Subscription
from antiphon.server.access import User, require
from antiphon.server.connections import Connection
from antiphon.server.core import Core
from antiphon.server.http.run_codec import START, Final, Place, RunCodec, Translator, find_place
from antiphon.server.http.stream import stream_peer
from antiphon.services.runs import run_channel
from antiphon.transports.base import Ending
from antiphon.transports.queue import QueueSink
from antiphon.transports.sse import serve_stream

Message = MutableMapping[str, Any]
Headers = Sequence[tuple[bytes, bytes]]
GONE = ("closed by the peer", "connection lost", "slow_consumer")  # the client's doing, not the server's


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which stream a client wants.

    Args:
        translator: Makes what speaks; told whether the client joins in the middle.
        begins: Whether the client is sent everything that the run has said, as whoever starts it; otherwise it goes
            on from `last_event_id`, or joins where the run is.
        gone: Called once when the client goes away before the stream's end.
    """

    run_id: str
    translator: Callable[[bool], Translator]
    begins: bool = False
    last_event_id: str | None = None
    headers: Headers = ()
    gone: Callable[[], Awaitable[None]] | None = None


class RunStream(Response):
    """A response that follows a run; everything that can be refused was refused before it begins."""

    def __init__(
        self, core: Core, wanted: Wanted, connection: Connection, sink: FinalSink, begin: Callable[[], None]
    ) -> None:
        super().__init__()
        self._core = core
        self._wanted = wanted
        self._connection = connection
        self._sink = sink
        self._begin = begin

    @classmethod
    async def open(cls, core: Core, user: User, request: Request, wanted: Wanted) -> RunStream:
        """Place the cursor. Raises Forbidden, TooManyConnections, StorageError."""
        require(user, "read", run_channel(wanted.run_id))
        core.connections.check_room()
        sink = FinalSink(bound_bytes=core.settings.limits.queued_bytes)
        following = _Following(core, wanted, sink)
        await following.subscribe()
        connection = Connection(stream_peer(request, user), following.outlet, sink, following.goodbye)
        core.connections.add(connection)
        return cls(core, wanted, connection, sink, following.begin)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],  # noqa: ARG002 - Starlette's signature
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        ending = Ending(None, "closed by the peer")
        stalled_s = self._core.settings.limits.stalled_s
        try:
            self._begin()
            ending = await serve_stream(receive, send, self._sink, stalled_s=stalled_s, headers=self._wanted.headers)
        finally:
            self._core.connections.remove(self._connection, Ending(None, "finished") if self._sink.is_final else ending)
            if self._wanted.gone is not None and not self._sink.is_final and ending.reason in GONE:
                self._core.crew.start(_run(self._wanted.gone), name="whoever asked has gone")


class FinalSink(QueueSink):
    """Ends by itself with the piece that says so."""

    is_final = False

    def send(self, parts: Sequence[Any]) -> None:
        super().send(parts)
        if parts and isinstance(parts[-1], Final):
            self.is_final = True
            self.end()


class _Following:
    """A subscription to a run and what it is translated by; the outlet's codec is known once the place is."""

    def __init__(self, core: Core, wanted: Wanted, sink: FinalSink) -> None:
        self._core = core
        self._wanted = wanted
        self._sink = sink
        self._codec = RunCodec(wanted.translator(False), core.hub.epoch, START)
        bound = core.settings.limits.queued_bytes
        self.outlet = Outlet(self._codec, sink, bound_bytes=bound, max_subscriptions=1)
        sink.drained = lambda: core.hub.drained(self.outlet)
        self._placed: tuple[Subscription, Subscribed] | None = None

    async def subscribe(self) -> None:
        try:
            channel = run_channel(self._wanted.run_id)
            self._placed = await self._core.hub.subscribe(self.outlet, channel, Start.START)
        except BaseException:
            self.outlet.close()
            raise
        _, reply = self._placed
        place = self._place(reply)
        self._codec = RunCodec(self._wanted.translator(place.joins), reply.epoch, place)
        self.outlet.codec = self._codec

    def _place(self, reply: Subscribed) -> Place:
        if self._wanted.begins and reply.after == 0:
            return START
        return find_place(self._wanted.last_event_id, reply) or Place(reply.head, joins=True, skip=0)

    def begin(self) -> None:
        """Say what comes first and begin to follow."""
        if self._placed is not None:
            subscription, reply = self._placed
            self.outlet.send(self._codec.begin(reply.after, reply.summary))
            self._core.hub.begin(subscription)

    def goodbye(self, reason: str, _: float) -> None:
        self.outlet.send(self._codec.goodbye(reason))
        self._sink.end()


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
