"""A real uvicorn with lean sockets in this process: `/lean` echoes, `/asgi` echoes through plain ASGI."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import uvicorn
from tests.transports.client_frames import KEY, TEXT, frame
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from antiphon.transports.base import Ending, Limits, Refusal, Socket
from antiphon.transports.crew import Crew
from antiphon.transports.entrance import Scope, lean_protocol
from antiphon.transports.frames import Opcode, encode_frame
from antiphon.transports.handshake import Refused
from antiphon.transports.lean import LeanSocket, Shared
from antiphon.transports.sweep import Beat, Sweep

DEADLINE_S = 30
LIMITS = Limits(message_bytes=1 << 20, queued_bytes=256 << 10, stalled_s=1.0)
STILL = Beat(tick_s=3600, ping_ticks=4, answer_ticks=2)  # its ticks are made by the test


class EchoSession:
    """Sends back what it gets; some words make it behave otherwise."""

    def __init__(self, socket: Socket, scope: Scope) -> None:
        self.socket = socket
        self.scope = scope
        self.taken: list[str | bytes] = []
        self.drains = 0
        self.gate = asyncio.Event()
        self._news = asyncio.Event()
        self.drained_once = asyncio.Event()
        self.over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def opened(self) -> None:
        self.say("hello")

    def say(self, *texts: str | bytes) -> None:
        frames = [
            encode_frame(text.encode() if isinstance(text, str) else text, Opcode.TEXT if isinstance(text, str) else 2)
            for text in texts
        ]
        self.socket.send(frames)

    def received(self, message: str | bytes) -> Awaitable[None] | None:
        assert not self.over.done()
        self.taken.append(message)
        self._news.set()
        match message:
            case "wait":
                return self._wait()
            case "wait and fail":
                return self._wait(Refusal(1008, "abusive"))
            case "refuse":
                raise Refusal(1008, "abusive")
            case "fail":
                raise ValueError("as asked for")
            case "much":
                self.say("x" * (100 << 10))
            case "soon":
                self.socket.send_soon([encode_frame(b"1"), encode_frame(b"2")])
                self.socket.send_soon([encode_frame(b"3")])
                assert self.socket.queued_bytes == 9
                self.say("4")
                self.socket.send_soon([encode_frame(b"5")])
            case "end":
                self.socket.send_soon([encode_frame(b"last words")])
                self.socket.end()
                self.say("never sent")
            case _:
                self.say(message)
        return None

    async def next_message(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _wait(self, error: Exception | None = None) -> None:
        await self.gate.wait()
        if error is not None:
            raise error
        self.say("waited")

    def drained(self) -> None:
        self.drains += 1
        self.drained_once.set()

    def ended(self, ending: Ending) -> None:
        self.over.set_result(ending)  # raises if called twice


class EchoApp:
    def __init__(self) -> None:
        self.sessions: asyncio.Queue[EchoSession] = asyncio.Queue()
        self.asked = asyncio.Event()
        self.gave_up = asyncio.Event()

    def serves(self, path: str) -> bool:
        return path == "/lean"

    async def open(self, scope: Scope, socket: Socket) -> EchoSession:
        self.asked.set()
        match scope["query_string"]:
            case b"refuse":
                raise Refused(403, [(b"content-type", b"application/json")], b'{"code":"no"}')
            case b"fail":
                raise ValueError("as asked for")
            case b"hang":
                try:
                    await asyncio.Event().wait()
                finally:
                    self.gave_up.set()
        session = EchoSession(socket, scope)
        self.sessions.put_nowait(session)
        return session


async def plain_asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"http"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": f"asgi {message['text']}"})


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class LeanServer:
    def __init__(self, *, http: str = "httptools", beat: Beat = STILL, limits: Limits = LIMITS) -> None:
        self.app = EchoApp()
        self.crew = Crew()
        self.sweep = Sweep(beat, stalled_s=limits.stalled_s)
        protocol = lean_protocol(self.app, Shared(limits, self.crew, self.sweep), otherwise=WebSocketsSansIOProtocol)
        config = uvicorn.Config(plain_asgi, ws=protocol, http=http, lifespan="off", log_level="critical")  # type: ignore[arg-type]
        self.uvicorn = _Uvicorn(config)

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._serving = asyncio.create_task(self.uvicorn.serve([self._listener]))
        async with asyncio.timeout(DEADLINE_S):
            await self.uvicorn.listening.wait()
        return self

    async def stop(self) -> None:
        """As on SIGTERM."""
        self.uvicorn.should_exit = True
        async with asyncio.timeout(DEADLINE_S):
            await self._serving

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.crew.__aexit__(None, None, None)
        self.sweep.stop()
        self._listener.close()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def session(self) -> EchoSession:
        """The session of the next socket that opens."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.app.sessions.get()

    def socket(self) -> LeanSocket:
        """The only one there is."""
        (found,) = self.uvicorn.server_state.connections
        assert isinstance(found, LeanSocket)
        return found

    def tick_until_ping(self, socket: LeanSocket) -> None:
        socket._unanswered = False
        while not socket._unanswered:
            self.sweep.tick()

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.sweep.tick()


class RawPeer:
    """A client that says and reads exactly what a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def connect(cls, server: LeanServer, *, receive_buffer: int | None = None) -> AsyncIterator[RawPeer]:
        """Not yet upgraded."""
        raw = socket.socket()
        if receive_buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", server.port))
        reader, writer = await asyncio.open_connection(sock=raw, limit=receive_buffer or 1 << 16)
        try:
            yield cls(reader, writer)
        finally:
            writer.transport.abort()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, server: LeanServer, target: str = "/lean", *, receive_buffer: int | None = None
    ) -> AsyncIterator[RawPeer]:
        """Upgraded, and greeted."""
        async with cls.connect(server, receive_buffer=receive_buffer) as peer:
            status, _, _ = await peer.ask(target)
            assert status == 101
            assert await peer.frame() == (TEXT, b"hello")
            yield peer

    async def ask(
        self, target: str = "/lean", method: str = "GET", **other: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send the handshake; `other` replaces headers (`_` for `-`), None leaves them out. Returns the answer."""
        headers: dict[str, str | None] = {
            "host": "localhost",
            "connection": "keep-alive, Upgrade",
            "upgrade": "WebSocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        } | {name.replace("_", "-"): value for name, value in other.items()}
        lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        self.writer.write("\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode())
        async with asyncio.timeout(DEADLINE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *rest = head.strip().split("\r\n")
            answer = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
            body = await self.reader.readexactly(int(answer.get("content-length", "0")))
        return int(first.split()[1]), answer, body

    def write(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    def say(self, *texts: str) -> None:
        self.write(*[frame(TEXT, text.encode(), key=KEY) for text in texts])

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload."""
        async with asyncio.timeout(DEADLINE_S):
            first, size = await self.reader.readexactly(2)
            assert first & 0xF0 == 0x80
            assert size < 128
            if size >= 126:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
            return first & 0xF, await self.reader.readexactly(size)

    async def texts(self, count: int) -> Sequence[bytes]:
        return [(await self.frame())[1] for _ in range(count)]

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close frame that must come next; a ping before it is the server's right."""
        opcode, payload = await self.frame()
        while opcode == Opcode.PING:
            opcode, payload = await self.frame()
        assert opcode == Opcode.CLOSE, (opcode, payload)
        return int.from_bytes(payload[:2]), payload[2:].decode()

    async def gone(self) -> bool:
        """Whether the server hangs up without another word."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await self.reader.read(1) == b""
            except ConnectionResetError:
                return True
