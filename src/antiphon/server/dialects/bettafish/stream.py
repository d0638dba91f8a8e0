"""The event stream of one report, as its page expects it: everything from the beginning, or behind what it has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from antiphon.dialects.bettafish import STREAM
from antiphon.dialects.bettafish.bodies import refused
from antiphon.dialects.bettafish.report import Story
from antiphon.dialects.bettafish.reporting import NO_REPORT
from antiphon.errors import Unauthenticated
from antiphon.hub import Encoded, Gap, Outlet, Start, Subscription
from antiphon.messages import Event, now_ms
from antiphon.server.access import User, require
from antiphon.server.connections import Connection
from antiphon.server.core import Core
from antiphon.server.dialects.bettafish.reports import ReportsOfCore
from antiphon.server.http.answers import Json
from antiphon.server.http.run_codec import Final
from antiphon.server.http.run_streams import FinalSink
from antiphon.server.http.stream import stream_peer
from antiphon.services.runs import run_channel
from antiphon.transports.base import Ending
from antiphon.transports.sse import serve_stream

Message = MutableMapping[str, Any]
NOTHING = Encoded((), 0)


def stream_route(core: Core, reports: ReportsOfCore) -> BaseRoute:
    """`GET /api/report/stream/{task_id}`."""

    async def answer(request: Request) -> Response:
        user: User | None = request.state.user
        if user is None:
            raise Unauthenticated("log in first")
        run_id = request.path_params["task_id"]
        task = await reports.find(run_id)
        if task is None:
            return Json(refused(NO_REPORT), status_code=404)
        require(user, "read", run_channel(run_id))
        last = request.headers.get("last-event-id", "")
        story = Story(task, int(last) if last.isascii() and last.isdigit() and len(last) < 16 else 0)
        return await ReportStream.open(core, user, request, run_id, story)

    return Route(STREAM, answer, methods=["GET"])


class StoryCodec:
    """One client's story. The hub may ask for a batch again, so what was made of it is kept until the next."""

    is_shared = False

    def __init__(self, story: Story) -> None:
        self._story = story
        self._made: dict[int, bytes] = {}

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002 - ids are numbers here
        self._made = {offset: piece for offset, piece in self._made.items() if offset >= events[0].offset}
        pieces = [piece for event in events if (piece := self._piece(event))]
        return Encoded(tuple(pieces), sum(map(len, pieces)))

    def _piece(self, event: Event) -> bytes:
        if event.offset not in self._made:
            ended = self._story.ended
            piece = b"" if ended else self._story.event(event)
            self._made[event.offset] = Final(piece or b":\n\n") if self._story.ended and not ended else piece
        return self._made[event.offset]

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002
        return NOTHING

    def gap(self, gap: Gap) -> Encoded:  # noqa: ARG002 - the pages have no word for it
        return NOTHING


class ReportStream(Response):
    """A response that follows a report until it has ended."""

    def __init__(self, core: Core, sink: FinalSink, connection: Connection, story: Story, placed: Subscription) -> None:
        super().__init__()
        self._core = core
        self._sink = sink
        self._connection = connection
        self._story = story
        self._placed = placed

    @classmethod
    async def open(cls, core: Core, user: User, request: Request, run_id: str, story: Story) -> ReportStream:
        """Raises TooManyConnections, StorageError."""
        core.connections.check_room()
        bound = core.settings.limits.queued_bytes
        sink = FinalSink(bound_bytes=bound)
        outlet = Outlet(StoryCodec(story), sink, bound_bytes=bound, max_subscriptions=1)
        sink.drained = lambda: core.hub.drained(outlet)
        try:
            placed, _ = await core.hub.subscribe(outlet, run_channel(run_id), Start.START)
        except BaseException:
            outlet.close()
            raise
        connection = Connection(stream_peer(request, user), outlet, sink, lambda reason, _: sink.end())  # noqa: ARG005 - told by the end
        core.connections.add(connection)
        return cls(core, sink, connection, story, placed)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],  # noqa: ARG002 - Starlette's signature
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        ending = Ending(None, "closed by the peer")
        try:
            self._core.hub.begin(self._placed)
            ending = await serve_stream(
                receive,
                send,
                self._sink,
                stalled_s=self._core.settings.limits.stalled_s,
                idle=lambda: self._story.heartbeat(now_ms()),
            )
        finally:
            is_final = self._sink.is_final
            self._core.connections.remove(self._connection, Ending(None, "finished") if is_final else ending)
