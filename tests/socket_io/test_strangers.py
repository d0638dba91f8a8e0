"""`/socket.io/` of the real server and those who should not be there: other sites, other users, too many."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import websockets
from tests.live.peers import DEADLINE_S
from tests.live.real_server import RealServer
from tests.live.workspace import ask, write_settings

POLL = "/socket.io/?EIO=4&transport=polling"
SOCKET = "/socket.io/?EIO=4&transport=websocket"
FRIEND = "https://friend.example"
GREETING = "Connected to Flask server"
UNKNOWN = {"code": 1, "message": "Session ID unknown"}
USERS = {
    f"users.{name}": {"token_sha256": sha256(name.encode()).hexdigest(), "grants": ["*"]} for name in ("ann", "bob")
}
ANN, BOB = ({"authorization": f"Bearer {name}"} for name in ("ann", "bob"))


@asynccontextmanager
async def opened(home: Path, **tables: Any) -> AsyncIterator[RealServer]:
    server = RealServer(home / "data", config=write_settings(home / "antiphon.toml", tables))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def requests(server: RealServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=server.url, timeout=DEADLINE_S) as http:
        yield http


def dial(server: RealServer, query: str = SOCKET, **options: Any) -> websockets.connect:
    return websockets.connect(f"ws://127.0.0.1:{server.port}{query}", ping_interval=None, **options)


async def sid_of(http: httpx2.AsyncClient, headers: dict[str, str] | None = None) -> str:
    answer = await http.get(POLL, headers=headers or {})
    assert answer.status_code == 200, answer.text
    return str(json.loads(answer.text[1:])["sid"])


async def test_a_page_of_another_site_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as server, requests(server) as http:
        foreign = {"origin": "https://evil.example"}
        assert (await http.get(POLL, headers=foreign)).status_code == 403
        sid = await sid_of(http)
        assert (await http.post(f"{POLL}&sid={sid}", headers=foreign, content="40")).status_code == 403
        with pytest.raises(websockets.InvalidStatus) as refused:
            await dial(server, origin="https://evil.example")
        assert refused.value.response.status_code == 403


async def test_an_allowed_site_polls_across_origins(tmp_path: Path) -> None:
    async with opened(tmp_path, server={"allowed_origins": [FRIEND]}) as server, requests(server) as http:
        asked = {"origin": FRIEND, "access-control-request-method": "POST"}
        preflight = await http.options(POLL, headers=asked | {"access-control-request-headers": "content-type"})
        assert preflight.status_code < 300
        assert preflight.headers["access-control-allow-origin"] == FRIEND
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
        opening = await http.get(POLL, headers={"origin": FRIEND})
        assert opening.headers["access-control-allow-origin"] == FRIEND
        async with dial(server, origin=FRIEND) as socket:  # type: ignore[arg-type]
            assert str(await socket.recv()).startswith("0{")
        evil = await http.options(POLL, headers=asked | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in evil.headers


async def test_nobody_uses_the_session_of_another_user(tmp_path: Path) -> None:
    async with opened(tmp_path, **USERS) as server, requests(server) as http:
        assert (await http.get(POLL)).status_code == 401
        sid = await sid_of(http, ANN)
        for answer in (
            await http.get(f"{POLL}&sid={sid}", headers=BOB),
            await http.post(f"{POLL}&sid={sid}", headers=BOB, content="1"),
        ):
            assert (answer.status_code, answer.json()) == (400, UNKNOWN)
        with pytest.raises(websockets.InvalidStatus):
            await dial(server, f"{SOCKET}&sid={sid}", additional_headers=BOB)
        assert (await http.post(f"{POLL}&sid={sid}", headers=ANN, content="40")).status_code == 200
        assert '40{"sid":' in (await http.get(f"{POLL}&sid={sid}", headers=ANN)).text


async def test_one_more_than_the_limit(tmp_path: Path) -> None:
    async with opened(tmp_path, limits={"connections": 2}) as server, requests(server) as http:
        sid = await sid_of(http)
        async with dial(server) as socket:
            assert str(await socket.recv()).startswith("0{")
            refused = await http.get(POLL)
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_connections")
        await http.post(f"{POLL}&sid={sid}", content="1")
        async with dial(server) as one, dial(server) as two:
            assert [str(await each.recv())[0] for each in (one, two)] == ["0", "0"]


async def test_a_stop_in_order_tells_everybody(tmp_path: Path) -> None:
    """Those who poll get an answer, sockets a close frame; nobody is told to stay away, so stock clients come back."""
    async with opened(tmp_path) as server, requests(server) as http, dial(server) as socket:
        await socket.recv()
        await socket.send("40")
        await socket.recv()
        sid = await sid_of(http)
        await http.post(f"{POLL}&sid={sid}", content="40")
        while GREETING not in (await http.get(f"{POLL}&sid={sid}")).text:
            pass
        poll = asyncio.create_task(http.get(f"{POLL}&sid={sid}"))
        await ask(server, "state", channel="processes")  # a round trip, and more: the poll is open by now
        assert await server.stop() == 0
        assert (await poll).text in ("1", "6")
        said: list[str] = []
        with suppress(websockets.ConnectionClosed):
            while True:
                said.append(str(await socket.recv()))
        assert [each for each in said if each.startswith("41")] == []
        assert socket.close_code == 1012


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with opened(tmp_path_factory.mktemp("rubbish")) as found:
        yield found


RUBBISH = ["", "9", "4", "40{", "42[", '42[""]' * 20_000, "4" + "[" * 100_000, "451-[", "\x00", "42" + '["a"]' + "\x1e"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("said", RUBBISH, ids=range(len(RUBBISH)))
async def test_rubbish_disturbs_nobody_else(server: RealServer, said: str) -> None:
    async with dial(server) as calm, dial(server) as mad, requests(server) as http:
        for socket in (calm, mad):
            await socket.recv()
            await socket.send("40")
            await socket.recv()
        await mad.send(said)
        sid = await sid_of(http)
        await http.post(f"{POLL}&sid={sid}", content=said.encode())
        await calm.send("40/nowhere,")
        while not (answer := str(await calm.recv())).startswith("44/nowhere,"):
            assert answer.startswith(("42", "2"))
        assert "Invalid namespace" in answer
