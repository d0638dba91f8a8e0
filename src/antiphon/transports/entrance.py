"""Where uvicorn hands over a connection that asks for a WebSocket: lean paths are served here, all others by uvicorn.

uvicorn makes an instance of its `ws=` class once it has read the request, calls `connection_made` and, with the
request's bytes, `data_received`, and makes it the transport's protocol only afterwards. The socket's own protocol can
therefore take over only in a later step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any, Protocol, cast

import structlog

from antiphon.transports import handshake
from antiphon.transports.base import Ending, Session, Socket
from antiphon.transports.handshake import Refused, Request
from antiphon.transports.lean import LeanSocket, Shared

Scope = MutableMapping[str, Any]

ADMITTED_WITHIN_S = 20.0

log = structlog.get_logger(__name__)


class LeanApp(Protocol):
    """What answers on lean paths."""

    def serves(self, path: str) -> bool:
        """Whether the path (decoded, without the query) is a lean one."""

    async def open(self, scope: Scope, socket: Socket) -> Session:
        """Decide who may enter, before the handshake is answered.

        Nothing can be sent before the session's `opened`. A cancelled `open` leaves nothing behind.

        Args:
            scope: As of an ASGI WebSocket; kept by nobody.
        Raises:
            Refused: Answer this instead.
        """


class UvicornState(Protocol):
    """What uvicorn's protocols share."""

    connections: set[Any]
    default_headers: list[tuple[bytes, bytes]]


class Entrance(asyncio.Protocol):
    """A connection until it is known what it becomes; subclasses made by `lean_protocol` say who serves."""

    app: LeanApp
    shared: Shared
    shared_at: Callable[[str], Shared]
    otherwise: Callable[..., asyncio.Protocol]

    def __init__(
        self,
        config: Any,
        server_state: UvicornState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,  # uvicorn passes it to some of its own
    ) -> None:
        self._given = {"config": config, "server_state": server_state, "app_state": app_state}
        self._root_path: str = config.root_path
        self._state = server_state
        self._transport: asyncio.Transport | None = None
        self._target: asyncio.Protocol | None = None  # who has taken over
        self._admission: asyncio.Task[None] | None = None

    # what uvicorn and the transport call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not of that class
        self._state.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._target is not None:
            self._target.data_received(data)
        elif self._admission is None:
            self._decide(data)

    def eof_received(self) -> bool | None:
        return None if self._target is None else self._target.eof_received()

    def pause_writing(self) -> None:
        if self._target is not None:
            self._target.pause_writing()

    def resume_writing(self) -> None:
        if self._target is not None:
            self._target.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._transport = None
        if self._target is not None:
            self._target.connection_lost(exc)
        elif self._admission is not None:
            self._admission.cancel()

    def shutdown(self) -> None:
        """Called by uvicorn when it stops."""
        if self._admission is not None:
            self._admission.cancel()
        self._answer(Refused(503))

    # what happens to the request

    def _decide(self, data: bytes) -> None:
        try:
            request = handshake.read_request(data)
            if not self.app.serves(request.path):
                self._hand_over(data)
                return
            answer = handshake.accept(request)
        except Refused as exc:
            self._answer(exc)
            return
        if self._transport is not None:
            self._transport.pause_reading()  # a client waits for the answer: RFC 6455, 4.1
            self._admission = self.shared.crew.start(self._admit(request, answer), name="lean admission")

    def _hand_over(self, data: bytes) -> None:
        """Let uvicorn's own protocol serve the connection, as if it had been there from the beginning."""
        transport, target = self._transport, self.otherwise(**self._given)
        assert transport is not None
        self._target = target
        self._state.connections.discard(self)
        target.connection_made(transport)
        target.data_received(data)
        asyncio.get_running_loop().call_soon(transport.set_protocol, target)

    async def _admit(self, request: Request, answer: handshake.Headers) -> None:
        transport = self._transport
        assert transport is not None
        socket = LeanSocket(self.shared_at(request.path), self._state.connections, transport)
        try:
            async with asyncio.timeout(ADMITTED_WITHIN_S):
                session = await self.app.open(self._scope(request, transport), socket)
        except Refused as exc:
            self._answer(exc)
        except TimeoutError:
            self._answer(Refused(503))
        except Exception:
            log.exception("a handshake failed", path=request.path[:200])
            self._answer(Refused(500))
        else:
            self._open(session, socket, handshake.encode_switch(answer + self._state.default_headers))

    def _open(self, session: Session, socket: LeanSocket, response: bytes) -> None:
        transport, self._transport = self._transport, None
        if transport is None or transport.is_closing():
            session.ended(Ending(None, "connection lost"))
            return
        self._state.connections.discard(self)
        transport.write(response)
        transport.set_protocol(socket)
        socket.start(session)
        transport.resume_reading()

    def _answer(self, refused: Refused) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(handshake.encode_refusal(refused, self._state.default_headers))
            transport.close()

    def _scope(self, request: Request, transport: asyncio.Transport) -> Scope:
        offered = [part.strip() for value in request.values(b"sec-websocket-protocol") for part in value.split(b",")]
        return {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if transport.get_extra_info("sslcontext") else "ws",
            "server": _address(transport.get_extra_info("sockname")),
            "client": _address(transport.get_extra_info("peername")),
            "root_path": self._root_path,
            "path": self._root_path + request.path,
            "raw_path": self._root_path.encode() + request.raw_path,
            "query_string": request.query,
            "headers": request.headers,
            "subprotocols": [part.decode("latin-1") for part in offered],
            "state": dict(self._given["app_state"]),
            "extensions": {},
        }


def _address(found: Any) -> tuple[str, int | None] | None:
    """As ASGI wants it: host and port; a Unix socket has a path, or nothing."""
    if isinstance(found, tuple) and len(found) >= 2:
        return str(found[0]), int(found[1])
    return (found, None) if isinstance(found, str) and found else None


def lean_protocol(
    app: LeanApp,
    shared: Shared,
    *,
    otherwise: Callable[..., asyncio.Protocol],
    shared_at: Callable[[str], Shared] | None = None,
) -> type[Entrance]:
    """A class for uvicorn's `ws=`.

    Args:
        otherwise: Serves all paths that are not the app's: one of uvicorn's own protocol classes.
        shared_at: What the sockets of a lean path have in common, where that is not `shared`.
    """
    members = {
        "app": app,
        "shared": shared,
        "shared_at": staticmethod(shared_at or (lambda _: shared)),
        "otherwise": staticmethod(otherwise),
    }
    return type("LeanProtocol", (Entrance,), members)
