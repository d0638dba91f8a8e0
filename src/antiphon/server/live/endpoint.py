"""`/live`: a socket gets a session, an outlet, and a row in the table of connections."""

from __future__ import annotations

from antiphon.errors import AntiphonError
from antiphon.hub import Outlet
from antiphon.server.access import User
from antiphon.server.connections import Connection, Peer
from antiphon.server.core import Core
from antiphon.server.door import Receive, Scope, Send, refuse
from antiphon.server.live.codec import TEXT
from antiphon.server.live.session import LiveSession
from antiphon.transports.queue import QueueSink
from antiphon.transports.websocket import Ending, WebSocketTransport


class LiveEndpoint:
    """The ASGI app behind `/live`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._core.connections.check_room()
        except AntiphonError as exc:
            await refuse(scope, receive, send, exc)
            return
        await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        core, limits = self._core, self._core.settings.limits
        user: User = scope["state"]["user"]
        sink = QueueSink(bound_bytes=limits.queued_bytes)
        outlet = Outlet(TEXT, sink, bound_bytes=limits.queued_bytes, max_subscriptions=limits.subscriptions)
        sink.drained = lambda: core.hub.drained(outlet)
        session = LiveSession(core, user, outlet, sink)
        connection = Connection(_peer(scope, user), outlet, sink, session.goodbye)
        session.connection_id = connection.id
        transport = WebSocketTransport(
            receive, send, sink, message_bytes=limits.message_bytes, stalled_s=limits.stalled_s
        )
        connection.received_bytes = lambda: transport.received_bytes
        core.connections.add(connection)
        ending = Ending(None, "connection lost")
        try:
            ending = await transport.serve(session)
        finally:
            core.connections.remove(connection, ending)


def _peer(scope: Scope, user: User) -> Peer:
    agents = [value for name, value in scope["headers"] if name == b"user-agent"]
    agent = agents[0].decode("latin-1")[:200] if agents else None
    return Peer(user, "websocket", scope["path"], scope["state"]["admitted"].client, agent)
