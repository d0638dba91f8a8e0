"""`/socket.io/` on one listener: the sessions, who may open one, and their rows in the table of connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from antiphon.errors import InvalidRequest, TooManyConnections
from antiphon.hub import Outlet
from antiphon.server.connections import Connection
from antiphon.server.core import Core
from antiphon.server.door import Receive, Scope, Send, refuse
from antiphon.server.live.codec import LiveCodec, TextCodec
from antiphon.server.sockets import SocketPath, peer_of
from antiphon.transports.base import STOPPING_REASON, Ending, Socket
from antiphon.transports.socketio.client import Client, Shared
from antiphon.transports.socketio.codec import Codecs, Speaker, frame
from antiphon.transports.socketio.engine import Piece
from antiphon.transports.socketio.namespace import Namespace
from antiphon.transports.socketio.polling import PollingApp
from antiphon.transports.socketio.refusals import EngineRefused
from antiphon.transports.socketio.rooms import Speakers
from antiphon.transports.socketio.session import MAX_PAYLOAD, EngineSession, Rules
from antiphon.transports.socketio.sessions import EngineSessions
from antiphon.transports.socketio.websession import WebSession
from antiphon.transports.sweep import Beat, Sweep

PATH = "/socket.io/"
HELD = 4  # times what the hub may queue for a connection: that, and what is said to it alone


class SocketSite:
    """Socket.IO on one listener.

    Args:
        speakers: What is said of channels, by prefix.
    """

    def __init__(
        self,
        core: Core,
        namespaces: Mapping[str, Namespace],
        speakers: Mapping[str, Speaker],
        beat: Beat | None = None,
    ) -> None:
        beat = beat or Beat()
        self._core = core
        self._sweep = Sweep(beat, stalled_s=core.limits.stalled_s)
        limits = core.settings.limits
        codecs = Codecs(Speakers(speakers))
        self._shared = Shared(core.hub, core.crew, core.limits, limits.subscriptions, namespaces, codecs)
        rules = Rules(beat, min(limits.message_bytes, MAX_PAYLOAD), HELD * limits.queued_bytes)
        self._sessions = EngineSessions(rules, self._sweep, self._listen)
        self._polling = PollingApp(self._sessions)

    @property
    def sockets(self) -> SocketPath:
        """Where WebSockets are opened."""
        return SocketPath(PATH, self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of one who polls."""
        try:
            await self._polling(scope, receive, send)
        except TooManyConnections as error:
            await refuse(scope, receive, send, error)

    def close(self) -> None:
        """End all sessions."""
        self._sessions.close(STOPPING_REASON)
        self._sweep.stop()
        for namespace in self._shared.namespaces.values():
            if namespace.kept is not None:
                namespace.kept.close()

    def _open(self, scope: Scope, socket: Socket, framing: LiveCodec) -> WebSession:
        """Raises TooManyConnections, InvalidRequest."""
        try:
            return self._sessions.open_socket(scope, socket, _as_message if isinstance(framing, TextCodec) else frame)
        except EngineRefused as refused:
            raise InvalidRequest(refused.message) from None

    def _listen(self, session: EngineSession, scope: Scope) -> Client:
        """Raises TooManyConnections."""
        self._core.connections.check_room()
        peer = peer_of(scope)
        client = Client(self._shared, session, peer.user)
        connection = Connection(
            replace(peer, transport=_carriage(session)), client.outlet, session, lambda reason, _: session.close(reason)
        )
        client.notify(_Row(self._core, connection, session))
        self._core.connections.add(connection)
        return client


class _Row:
    """A client in the table of connections."""

    def __init__(self, core: Core, connection: Connection, session: EngineSession) -> None:
        self._core = core
        self._connection = connection
        self._session = session

    def moved(self, outlet: Outlet) -> None:
        self._connection.outlet = outlet
        self._connection.peer = replace(self._connection.peer, transport=_carriage(self._session))

    def ended(self, reason: str) -> None:
        self._core.connections.remove(self._connection, Ending(None, reason))


def _carriage(session: EngineSession) -> str:
    return "polling" if session.polls else "websocket"


def _as_message(piece: Piece) -> Piece:
    return piece
