"""`/live`: a socket gets a session, an outlet, and a row in the table of connections."""

from __future__ import annotations

from antiphon.errors import AntiphonError
from antiphon.server.connections import Peer
from antiphon.server.core import Core
from antiphon.server.door import Receive, Scope, Send, refuse
from antiphon.server.live.codec import TEXT, LiveCodec
from antiphon.server.live.session import LiveSession
from antiphon.transports.base import Socket
from antiphon.transports.queue import QueueSink
from antiphon.transports.websocket import WebSocketTransport


class LiveEndpoint:
    """Opens sessions on any transport; itself the ASGI app behind `/live`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def open(self, scope: Scope, socket: Socket, codec: LiveCodec) -> LiveSession:
        """A session for a socket that the door has admitted. Raises TooManyConnections."""
        self._core.connections.check_room()
        return LiveSession(self._core, _peer(scope), socket, codec)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self._core.limits
        sink = QueueSink(bound_bytes=limits.queued_bytes)
        try:
            session = self.open(scope, sink, TEXT)
        except AntiphonError as exc:
            await refuse(scope, receive, send, exc)
            return
        await WebSocketTransport(receive, send, sink, limits).serve(session)


def _peer(scope: Scope) -> Peer:
    state = scope["state"]
    agents = [value for name, value in scope["headers"] if name == b"user-agent"]
    agent = agents[0].decode("latin-1")[:200] if agents else None
    return Peer(state["user"], "websocket", scope["path"], state["admitted"].client, agent)
