"""A server with one event log behind `admit`, and another one that serves nothing but an empty page: theirs."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn

from antiphon.errors import AccessError
from antiphon.server.admission import Facts, Policy, admit

PAGE = b"<!doctype html><title>a page</title>"


@dataclass
class Target:
    """Answers as a server does; with `guarded=False` it answers everybody, to show that the attacks are real."""

    guarded: bool = True
    port: int = 0
    events: list[str] = field(default_factory=lambda: ["ours"])
    sockets: int = 0

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
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        admitted = self.admits(scope)
        if admitted and scope["method"] in ("POST", "DELETE"):
            self.events.append(body.decode())
        await respond(send, scope["path"], self.events, admitted=admitted)


async def respond(send: Any, path: str, events: list[str], *, admitted: bool) -> None:
    kind, content = b"application/json", orjson.dumps(events)
    if not admitted:
        content = b"refused"
    elif path == "/":
        kind, content = b"text/html", PAGE
    elif path == "/api/stream":
        kind, content = b"text/event-stream", b"data: ours\n\n"
    elif path == "/api/script":
        kind, content = b"text/javascript", b"window.stolen = 'ours'"
    await send(
        {"type": "http.response.start", "status": 200 if admitted else 403, "headers": [(b"content-type", kind)]}
    )
    await send({"type": "http.response.body", "body": content})


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@contextmanager
def served(target: Target) -> Iterator[Target]:
    """Serve on a free port until left."""
    server = _Server(uvicorn.Config(target, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.is_up.wait(20)
    target.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield target
    finally:
        server.should_exit = True
        thread.join(20)


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
