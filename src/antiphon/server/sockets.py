"""From a path to a session, the same on both ways: lean sockets and ASGI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.routing import WebSocketRoute, compile_path

from antiphon.errors import AntiphonError
from antiphon.server.connections import MAX_USER_AGENT, Peer
from antiphon.server.core import Core
from antiphon.server.door import Receive, Scope, Send, refuse
from antiphon.server.live.codec import TEXT, LiveCodec
from antiphon.transports.base import Session, Socket
from antiphon.transports.queue import QueueSink
from antiphon.transports.sweep import Sweep
from antiphon.transports.websocket import WebSocketTransport

Open = Callable[[Scope, Socket, LiveCodec], Session]
"""Makes a session for a socket that the door has admitted, given how messages become what the socket takes.

The parts of the path that were left open are in the scope's `path_params`. Raises AntiphonError: the handshake is
refused.
"""


@dataclass(frozen=True, slots=True)
class SocketPath:
    """A path on which sockets are opened."""

    path: str  # with the parts left open in braces
    open: Open
    sweep: Sweep | None = None  # its own signs of life, where sockets are lean; None = as all others

    def route(self, core: Core) -> WebSocketRoute:
        """The same over ASGI."""
        return WebSocketRoute(self.path, _OverAsgi(core, self.open))


class SocketPaths:
    """The paths of one listener."""

    def __init__(self, found: Iterable[SocketPath]) -> None:
        self._found = [(compile_path(each.path)[0], each) for each in found]

    def at(self, path: str) -> tuple[SocketPath, dict[str, Any]] | None:
        """What answers there, and the parts of the path that were left open; None = nothing."""
        for pattern, each in self._found:
            if (match := pattern.match(path)) is not None:
                return each, match.groupdict()
        return None


class _OverAsgi:
    """Carries a socket over ASGI, or refuses it."""

    def __init__(self, core: Core, open_session: Open) -> None:
        self._core = core
        self._open = open_session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self._core.limits
        sink = QueueSink(bound_bytes=limits.queued_bytes)
        try:
            session = self._open(scope, sink, TEXT)
        except AntiphonError as exc:
            await refuse(scope, receive, send, exc)
            return
        await WebSocketTransport(receive, send, sink, limits).serve(session)


def peer_of(scope: Scope) -> Peer:
    """Who opens a socket that the door has admitted."""
    state = scope["state"]
    agents = [value for name, value in scope["headers"] if name == b"user-agent"]
    agent = agents[0].decode("latin-1")[:MAX_USER_AGENT] if agents else None
    return Peer(state["user"], "websocket", scope["path"], state["admitted"].client, agent)
