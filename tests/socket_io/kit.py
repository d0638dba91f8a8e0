"""A server with nothing but Socket.IO, on a free port: the application of the protocol's published descriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from antiphon.brokers.memory import MemoryBroker
from antiphon.hub import Hub
from antiphon.server.access import LOCAL
from antiphon.transports.base import Limits, Session, Socket
from antiphon.transports.crew import Crew
from antiphon.transports.entrance import lean_protocol
from antiphon.transports.handshake import Refused
from antiphon.transports.lean import Shared as LeanShared
from antiphon.transports.queue import QueueSink
from antiphon.transports.socketio.client import Client, Shared
from antiphon.transports.socketio.codec import Codecs, frame
from antiphon.transports.socketio.namespace import ConnectRefused, Namespace, Peer
from antiphon.transports.socketio.polling import PollingApp
from antiphon.transports.socketio.refusals import EngineRefused
from antiphon.transports.socketio.rooms import FAMILY, Speakers, open_rooms
from antiphon.transports.socketio.session import EngineSession, Rules
from antiphon.transports.socketio.sessions import EngineSessions
from antiphon.transports.sweep import Beat, Sweep
from antiphon.transports.websocket import WebSocketTransport

BEAT = Beat(tick_s=0.05, ping_ticks=6, answer_ticks=4)  # pings every 300 ms, answered within 200 ms
LIMITS = Limits(message_bytes=1_000_000)


async def until(true: Callable[[], object]) -> None:
    """Look once in each turn of the loop, which is the server's as well."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - nobody would set an event
            await asyncio.sleep(0)


@dataclass(slots=True)
class Served:
    """The server, seen from a test."""

    port: int
    engine: EngineSessions
    namespaces: dict[str, Namespace]
    hub: Hub
    crew: Crew
    sweep: Sweep

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def namespaces() -> dict[str, Namespace]:
    """`/` and `/custom`: both say what they were given, echo, and acknowledge."""
    return {name: _namespace(name) for name in ("/", "/custom")}


def _namespace(name: str) -> Namespace:
    found = Namespace(name)

    @found.use
    def check(peer: Peer) -> None:
        if isinstance(peer.auth, dict) and peer.auth.get("token") == "wrong":
            raise ConnectRefused("wrong token", {"hint": "tea"})

    @found.on("connect")
    async def connect(peer: Peer) -> None:
        peer.emit("auth", peer.auth or {})
        await peer.join("all")

    @found.on("message")
    def message(peer: Peer, *args: Any) -> None:
        peer.emit("message-back", *args)

    @found.on("message-with-ack")
    def message_with_ack(_: Peer, *args: Any) -> tuple[Any, ...]:
        return args

    @found.on("to-all")
    async def to_all(_: Peer, *args: Any) -> None:
        await found.emit("said", *args, room="all")

    @found.on("leave")
    async def leave(peer: Peer, room: str) -> str:
        peer.leave(room)
        return "left"

    @found.on("ask-me")
    async def ask_me(peer: Peer) -> None:
        peer.emit("told", await peer.call("question", "why?", timeout_s=5))

    @found.on("kick-me")
    def kick(peer: Peer) -> None:
        peer.disconnect()

    return found


class App:
    """The ASGI app: no admission, everybody is the user of this machine."""

    def __init__(self, engine: EngineSessions) -> None:
        self._engine = engine

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["user"] = LOCAL
        if scope["type"] == "http":
            await PollingApp(self._engine)(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)

    async def _socket(self, scope: Any, receive: Any, send: Any) -> None:
        sink = QueueSink(bound_bytes=LIMITS.queued_bytes)
        try:
            session = self._engine.open_socket(scope, sink, lambda piece: piece)
        except EngineRefused as refused:
            status, headers, body = refused.answer.status, refused.answer.headers, refused.answer.body
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": body})
            return
        await WebSocketTransport(receive, send, sink, LIMITS).serve(session)


class LeanSockets:
    """The same for sockets without ASGI."""

    def __init__(self, engine: EngineSessions) -> None:
        self._engine = engine

    def serves(self, path: str) -> bool:
        return path == "/socket.io/"

    async def open(self, scope: Any, socket: Socket) -> Session:
        scope["state"]["user"] = LOCAL
        try:
            return self._engine.open_socket(scope, socket, frame)
        except EngineRefused as refused:
            answer = refused.answer
            raise Refused(answer.status, answer.headers, answer.body) from None


def lean(engine: EngineSessions, crew: Crew, sweep: Sweep) -> Any:
    """For uvicorn's `ws=`."""
    return lean_protocol(LeanSockets(engine), LeanShared(LIMITS, crew, sweep), otherwise=WebSocketsSansIOProtocol)


@asynccontextmanager
async def serving(
    way: str = "asgi", beat: Beat = BEAT, spaces: dict[str, Namespace] | None = None, limits: Limits = LIMITS
) -> AsyncIterator[Served]:
    """`way`: asgi, or lean."""
    spaces = namespaces() if spaces is None else spaces
    async with Hub(MemoryBroker()) as hub, Crew() as crew:
        sweep = Sweep(beat, stalled_s=5)
        shared = Shared(hub, crew, limits, 100, spaces, Codecs(Speakers({FAMILY: open_rooms(hub, spaces)})))

        def listen(session: EngineSession, scope: Any) -> Client:
            return Client(shared, session, scope["state"]["user"])

        engine = EngineSessions(Rules(beat), sweep, listen)
        pings = Sweep(Beat(), stalled_s=5)
        sockets = lean(engine, crew, pings) if way == "lean" else "websockets-sansio"
        server = uvicorn.Server(uvicorn.Config(App(engine), port=0, log_level="warning", lifespan="off", ws=sockets))
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Served(port, engine, spaces, hub, crew, sweep)
        finally:
            engine.close("stopping")
            sweep.stop()
            pings.stop()
            server.should_exit = True
            await task
