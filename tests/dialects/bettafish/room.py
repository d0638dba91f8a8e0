"""BettaFish's room: real programs with a real health address, a server, clients of its protocol. Plain on purpose."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import websockets
from tests.live.peers import DEADLINE_S
from tests.live.real_server import RealServer, free_port
from tests.live.workspace import Row, python, write_settings

ENGINES = ("insight", "media", "query")
SOCKET = "/socket.io/?EIO=4&transport=websocket"

ENGINE = """
import http.server, os, socketserver, sys, threading
port, gate, ready = int(sys.argv[1]), sys.argv[2], sys.argv[3]

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        fine = self.path == "/_stcore/health" and (ready == "-" or os.path.exists(ready))
        self.send_response(200 if fine else 503)
        self.end_headers()
    def log_message(self, *args):
        pass

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

server = Server(("127.0.0.1", port), Health)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("engine is up", flush=True)
while True:
    with open(gate, encoding="utf-8", errors="surrogateescape", newline="") as orders:
        for order in orders:
            if order.startswith("count "):
                _, first, last = order.split()
                for number in range(int(first), int(last)):
                    print(f"line {number}")
            elif order.strip() == "end":
                sys.exit(3)
            else:
                sys.stdout.write(order)
            sys.stdout.flush()
"""
"""Answers health checks once it may, and says what it is told through a pipe: text, or `count FIRST LAST`."""


class House:
    """The programs, and the server that keeps them."""

    def __init__(self, home: Path, apps: tuple[str, ...] = ENGINES, **tables: Any) -> None:
        self.home = home
        self.ports = {app: free_port() for app in apps}
        home.mkdir(parents=True, exist_ok=True)
        self.config = home / "antiphon.toml"
        self.tables = {f"process.{app}": self._engine(app, **tables.pop(f"process.{app}", {})) for app in apps}
        self.tables |= tables
        self.server = RealServer(home / "data", config=write_settings(self.config, self.tables))

    def _engine(self, app: str, **more: Any) -> Row:
        os.mkfifo(self._gate(app))
        url = f"http://127.0.0.1:{self.ports[app]}/_stcore/health"
        ready = more.pop("ready", "-")
        fields = {"port": self.ports[app], "url": url, "grace_s": 2, **more}
        return python(ENGINE, self.ports[app], self._gate(app), ready, **fields)

    def _gate(self, app: str) -> Path:
        return self.home / f"{app}.gate"

    async def say(self, app: str, *lines: str) -> None:
        """Have an engine say this."""
        text = "".join(f"{line}\n" for line in lines)
        await self.write(app, text.encode())

    async def write(self, app: str, data: bytes) -> None:
        def write() -> None:
            with self._gate(app).open("wb") as gate:
                gate.write(data)

        async with asyncio.timeout(DEADLINE_S):
            await asyncio.to_thread(write)

    @classmethod
    @asynccontextmanager
    async def open(cls, home: Path, *args: Any, **tables: Any) -> AsyncIterator[House]:
        """With the server on, and the programs off."""
        house = cls(home, *args, **tables)
        await house.server.start()
        try:
            yield house
        finally:
            await house.server.stop()

    @asynccontextmanager
    async def http(self, port: int | None = None, **options: Any) -> AsyncIterator[httpx2.AsyncClient]:
        base = f"http://127.0.0.1:{port or self.server.port}"
        async with httpx2.AsyncClient(base_url=base, timeout=DEADLINE_S, **options) as client:
            yield client

    async def get(self, path: str, **options: Any) -> Any:
        async with self.http() as http:
            return (await http.get(path, **options)).json()

    async def post(self, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        async with self.http() as http:
            answer = await http.post(path, **({} if body is None else {"json": body}), **options)
            return answer.status_code, answer.json()

    async def start_all(self) -> None:
        status, found = await self.post("/api/system/start")
        assert status == 200, found


class Page:
    """One Socket.IO client over a WebSocket, and all that it heard, in order."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.heard: list[tuple[str, Any]] = []

    @classmethod
    @asynccontextmanager
    async def connect(cls, server: RealServer, port: int | None = None, **options: Any) -> AsyncIterator[Page]:
        """A page that was greeted."""
        address = f"ws://127.0.0.1:{port or server.port}{SOCKET}"
        # A dead server says no farewell.
        options = {"max_size": None, "ping_interval": None, "close_timeout": 0.1, **options}
        async with websockets.connect(address, **options) as socket:
            page = cls(socket)
            assert str(await socket.recv()).startswith("0{")
            await socket.send("40")
            assert str(await socket.recv()).startswith("40{")
            assert await page.next() == ("status", "Connected to Flask server")
            yield page

    async def emit(self, event: str, *args: Any) -> None:
        await self.socket.send(f"42{json.dumps([event, *args])}")

    async def next(self, *events: str) -> tuple[str, Any]:
        """The next event (of these), with its one argument."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = str(await self.socket.recv())
                if message == "2":
                    await self.socket.send("3")
                    continue
                assert message.startswith("42"), message
                event, argument = json.loads(message[2:])
                self.heard.append((event, argument))
                if not events or event in events:
                    return event, argument

    async def statuses(self) -> dict[str, Any]:
        """Ask for them."""
        await self.emit("request_status")
        return (await self.next("status_update"))[1]

    async def until_status(self, **wanted: str) -> list[dict[str, Any]]:
        """Status updates until all of these hold; those that came."""
        found: list[dict[str, Any]] = []
        while not found or any(found[-1][app]["status"] != status for app, status in wanted.items()):
            found.append((await self.next("status_update"))[1])
        return found

    async def forum_messages(self, count: int) -> list[dict[str, Any]]:
        return [(await self.next("forum_message"))[1] for _ in range(count)]

    async def until_line(self, app: str, text: str) -> list[str]:
        """The lines of an app up to the one that says this."""
        found = await self.lines(app, 1)
        while not found[-1].endswith(f"] {text}"):
            found += await self.lines(app, 1)
        return found

    async def lines(self, app: str, count: int) -> list[str]:
        """The next lines of an app."""
        found: list[str] = []
        while len(found) < count:
            _, output = await self.next("console_output")
            if output["app"] == app:
                found.append(output["line"])
        return found


def texts(lines: list[str]) -> list[str]:
    """Without their times."""
    assert all(line[0] == "[" and line[3] == ":" and line[6] == ":" and line[9:11] == "] " for line in lines), lines
    return [line[11:] for line in lines]
