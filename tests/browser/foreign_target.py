"""The server that is attacked, whole or only its admission, and the server of the attacking page."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx2
import orjson
import uvicorn

from antiphon.errors import AccessError
from antiphon.server.admission import Facts, Policy, admit

PAGE = b"<!doctype html><title>a page</title>"
ANSWERS = {
    "/": (b"text/html", PAGE),
    "/api/stream": (b"text/event-stream", b"data: ours\n\n"),
    "/api/script": (b"text/javascript", b"window.stolen = 'ours'"),
}


class Attacked(Protocol):
    """A server on this machine with one event, and one program that does not run."""

    port: int

    def is_untouched(self) -> bool:
        """Whether nothing was changed and nobody connected."""


@dataclass
class Stub:
    """Answers as a server does; with `guarded=False` it answers everybody, to show that the attacks are real."""

    guarded: bool = True
    port: int = 0
    changes: list[str] = field(default_factory=list)
    sockets: int = 0

    def is_untouched(self) -> bool:
        return not self.changes and not self.sockets

    def admits(self, scope: dict[str, Any]) -> bool:
        try:
            admit(Facts.from_scope(scope), Policy(ports=frozenset({self.port})))
        except AccessError:
            return not self.guarded
        return True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.greet(scope, receive, send)

    async def greet(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if not self.admits(scope):
            await send({"type": "websocket.close"})
            return
        self.sockets += 1
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "welcome"})
        await receive()

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        admitted = self.admits(scope)
        if admitted and scope["method"] in ("POST", "DELETE"):
            self.changes.append(f"{scope['method']} {scope['path']}")
        kind, content = ANSWERS.get(scope["path"], (b"application/json", orjson.dumps(["ours"])))
        status, content = (200, content) if admitted else (403, b"refused")
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": content})


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@contextmanager
def served_stub(*, guarded: bool = True) -> Iterator[Stub]:
    """Serve on a free port until left."""
    stub = Stub(guarded)
    server = _Server(uvicorn.Config(stub, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.is_up.wait(20)
    stub.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield stub
    finally:
        server.should_exit = True
        thread.join(20)


@dataclass
class Whole:
    """The server as `antiphon serve` runs it."""

    port: int

    def is_untouched(self) -> bool:
        with httpx2.Client(base_url=f"http://127.0.0.1:{self.port}/api", trust_env=False) as own:
            events = own.get("/channels/news:tea/events").raise_for_status().json()["events"]
            rows = own.get("/processes").raise_for_status().json()["processes"]
            met = own.get("/server/connections").raise_for_status().json()
        is_quiet = met["connections"] == met["recent"] == []
        return [event["type"] for event in events] == ["ours"] and rows["canary"]["status"] == "stopped" and is_quiet


SERVE = """
import sys
from pathlib import Path
from antiphon.server.run import serve
from antiphon.server.settings import load
serve(load(Path(sys.argv[1])), announce=lambda address: print(address, flush=True))
"""


@contextmanager
def served_whole(directory: Path) -> Iterator[Whole]:
    """Run a server with an empty data directory until left."""
    config = directory / "antiphon.toml"
    config.write_text('[server]\nport = 0\n[process.canary]\ncommand = ["sleep", "60"]\n')
    with subprocess.Popen([sys.executable, "-c", SERVE, str(config)], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            assert address.startswith("http://"), "the server did not start"
            ours = {"type": "ours", "data": {"text": "ours"}}
            httpx2.post(f"{address}api/channels/news:tea/events", json=ours, trust_env=False).raise_for_status()
            yield Whole(int(address.rstrip("/").rpartition(":")[2]))
        finally:
            server.terminate()


class _Theirs(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def their_server() -> Iterator[int]:
    """Serve an empty page on a free port until left."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Theirs) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(20)
