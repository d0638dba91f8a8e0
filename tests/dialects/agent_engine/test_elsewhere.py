"""Who may come from where, a port of its own with pages, and users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
import websockets
from tests.dialects.agent_engine.engine import SETTINGS, Engine, get, scripted_server
from tests.live.real_server import RealServer, free_port

PAGE = "<!doctype html><title>Their page</title>"


@asynccontextmanager
async def started(server: RealServer) -> AsyncIterator[RealServer]:
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


async def enters(port: int, path: str = "/ws/agent", **headers: str) -> int:
    """The status of a socket's handshake."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        async with websockets.connect(f"ws://127.0.0.1:{port}{path}", additional_headers=given):
            return 101
    except websockets.InvalidStatus as exc:
        return exc.response.status_code


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:3001", "http://localhost:8080"])
async def test_documented_development_origins_on_the_dialects_paths_only(server: RealServer, origin: str) -> None:
    assert await enters(server.port, origin=origin) == 101
    assert (await get(server, "/ws/statistics", headers={"origin": origin})).status_code == 200
    assert await enters(server.port, "/live", origin=origin) == 403
    assert (await get(server, "/api/runs", headers={"origin": origin})).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:9999", "http://localhost.evil.example:3000", "null"]
)
async def test_other_origins_are_refused(server: RealServer, origin: str) -> None:
    assert await enters(server.port, origin=origin) == 403
    assert (await get(server, "/ws/statistics", headers={"origin": origin})).status_code == 403


async def test_the_main_ports_own_pages_may_use_it(server: RealServer) -> None:
    assert await enters(server.port, origin=server.url) == 101
    assert await enters(server.port, origin=f"http://localhost:{server.port}") == 101


async def test_what_is_turned_off_is_not_there(tmp_path: Path, sockets: str) -> None:
    async with started(scripted_server(tmp_path, "enabled = false\n")) as server:
        for path in ("/ws/statistics", "/health", "/ready", "/static/test_websocket.html"):
            assert (await get(server, path)).status_code == 404
        assert await enters(server.port) in (403, 404)
        assert await enters(server.port, "/ws/agent", origin="http://localhost:3000") == 403
        assert await enters(server.port, "/live") == 101


async def test_a_port_of_its_own(tmp_path: Path, sockets: str) -> None:
    port = free_port()
    pages = tmp_path / "pages"
    (pages / "static").mkdir(parents=True)
    (pages / ".git").mkdir()
    (pages / "index.html").write_text(PAGE)
    (pages / "static" / "test_websocket.html").write_text(PAGE)
    (pages / "static" / "app.js").write_text("1")
    (pages / ".git" / "config").write_text(HIDDEN_TEXT)
    (pages / ".env").write_text(HIDDEN_TEXT)
    (tmp_path / "secret.txt").write_text(HIDDEN_TEXT)
    (pages / "link.txt").symlink_to(tmp_path / "secret.txt")
    async with started(scripted_server(tmp_path, f'listen = "127.0.0.1:{port}"\npages = "pages"\n')) as server:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as own:
            for path in ("/", "/static/test_websocket.html"):
                assert (await own.get(path)).text == PAGE
            assert (await own.get("/static/app.js")).headers["x-content-type-options"] == "nosniff"
            assert (await own.get("/health")).json()["status"] == "healthy"
            assert (await own.get("/ws/statistics")).json()["active_connections"] == 0
            for path in HIDDEN:
                answer = await own.get(path)
                assert answer.status_code in (404, 405), path
                assert HIDDEN_TEXT not in answer.text
            assert (await own.get("/", headers={"host": "evil.example"})).status_code == 403
        assert await enters(port) == 101
        assert await enters(port, origin=f"http://127.0.0.1:{port}") == 101
        assert await enters(port, origin="http://localhost:3000") == 101
        assert await enters(port, "/live") in (403, 404)
        assert (await get(server, "/static/test_websocket.html")).text != PAGE
        assert (await get(server, "/ws/statistics")).json()["total_connections"] == 3  # one service on two ports


HIDDEN_TEXT = "not for everybody"
HIDDEN = (
    "/api/runs",
    "/api/server",
    "/.env",
    "/.git/config",
    "/%2eenv",
    "/static/%2e%2e/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/link.txt",
    "/static/",
    "//etc/passwd",
    "/static/%00",
    "/nothing",
)


async def test_without_pages_the_test_page_is_on_the_main_port(tmp_path: Path, sockets: str) -> None:
    port = free_port()
    async with (
        started(scripted_server(tmp_path, f'listen = "127.0.0.1:{port}"\n')) as server,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as own,
    ):
        answer = await own.get("/static/test_websocket.html")
        assert answer.status_code == 307
        assert answer.headers["location"] == f"{server.url}/static/test_websocket.html"
        assert (await own.get("/")).status_code == 404


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    blocked = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = blocked.sockets[0].getsockname()[1]
    server = scripted_server(tmp_path, f'listen = "127.0.0.1:{port}"\n')
    try:
        with pytest.raises(AssertionError, match="the server ended"):
            await server.start()
    finally:
        blocked.close()
        await server.kill()


USERS = """
[users.ann]
token_sha256 = "{ann}"
grants = ["*"]

[users.bob]
token_sha256 = "{bob}"
grants = ["control tool:clock", "control run:other", "read run:*"]
"""


async def test_users_and_their_grants(tmp_path: Path, sockets: str) -> None:
    settings = SETTINGS + USERS.format(**{name: sha256(name.encode()).hexdigest() for name in ("ann", "bob")})
    async with started(scripted_server(tmp_path, settings=settings)) as server:
        assert await enters(server.port) == 401
        assert (await get(server, "/health")).status_code == 200
        assert (await get(server, "/static/test_websocket.html")).status_code == 200
        assert (await get(server, "/ws/statistics")).status_code == 401
        bob = {"authorization": "Bearer bob"}
        assert (await get(server, "/ws/statistics", headers=bob)).status_code == 403
        async with Engine.connect(server, additional_headers=bob) as engine:
            frames = [await engine.ask("agent_query", query="x"), await engine.next()]
            assert frames[1]["error"].startswith("Query failed: User 'bob' lacks the grant 'control run:scripted'")
            frames = [await engine.ask("streaming_query", query="x"), await engine.next()]
            assert frames[1]["error"].startswith("Streaming failed: User 'bob' lacks")
            assert (await engine.ask("tool_call", tool_name="clock"))["type"] == "tool_result"
            refused = await engine.ask("tool_call", tool_name="calculator", params={"expression": "1"})
            assert refused["error"].startswith("Tool call failed: User 'bob' lacks the grant 'control tool:calculator'")
        async with Engine.connect(server, additional_headers={"authorization": "Bearer ann"}) as engine:
            await engine.send("agent_query", query="x")
            assert (await engine.until("agent_response", "error"))[-1]["content"] == "x"
