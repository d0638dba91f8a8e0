"""`/live`: a socket gets a session, an outlet, and a row in the table of connections."""

from __future__ import annotations

from functools import partial

from antiphon.server.core import Core
from antiphon.server.door import Scope
from antiphon.server.live.codec import LiveCodec
from antiphon.server.live.session import LiveSession
from antiphon.server.sockets import SocketPath, peer_of
from antiphon.transports.base import Socket

PATH = "/live"


def live_path(core: Core) -> SocketPath:
    return SocketPath(PATH, partial(open_session, core))


def open_session(core: Core, scope: Scope, socket: Socket, codec: LiveCodec) -> LiveSession:
    """A session for a socket that the door has admitted. Raises TooManyConnections."""
    core.connections.check_room()
    return LiveSession(core, peer_of(scope), socket, codec)
