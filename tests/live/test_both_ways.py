"""What a client sees must not depend on the way that its socket takes: lean, or through ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websockets
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.workspace import serving

LONG = "x" * 5_000
CONNECTIONS = 4


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, sockets: str) -> Iterator[RealServer]:
    """Users must log in, and not too many of them."""
    home = tmp_path_factory.mktemp("guarded")
    (home / "antiphon.toml").write_text(f"server.auth = true\nlimits.connections = {CONNECTIONS}\n")
    found = RealServer(home / "data", config=home / "antiphon.toml")
    asyncio.run(found.start())
    yield found
    asyncio.run(found.kill())


def token(server: RealServer) -> dict[str, str]:
    return {"authorization": f"Bearer {(server.data / 'operator-token').read_text().strip()}"}


async def refused(server: RealServer, path: str = "/live", **options: Any) -> tuple[int, dict[str, Any], Any]:
    """Status, error and headers of a refused handshake."""
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(f"ws://127.0.0.1:{server.port}{path}", **options)
    response = caught.value.response
    assert response.headers["content-type"] == "application/json"
    assert response.body is not None
    return response.status_code, json.loads(response.body), response.headers


async def test_the_server_says_which_way_it_is(server: RealServer, sockets: str) -> None:
    async with httpx2.AsyncClient() as client:
        assert (await client.get(f"{server.url}/api/server")).json()["active_path"] == sockets


async def test_foreign_pages_get_the_error_of_admission(shared: RealServer) -> None:
    status, error, _ = await refused(shared, origin="https://evil.example")
    assert (status, error["code"], error["retryable"]) == (403, "origin_refused", False)
    status, error, _ = await refused(shared, additional_headers={"x-forwarded-for": "203.0.113.9"})
    assert (status, error["code"]) == (403, "proxy_refused")
    status, error, _ = await refused(shared, additional_headers={"sec-fetch-site": "cross-site"})
    assert (status, error["code"]) == (403, "cross_site_refused")


async def test_our_own_page_may_connect(shared: RealServer) -> None:
    async with Rpc.connect(shared.live, origin=f"http://localhost:{shared.port}") as rpc:
        assert (await rpc.next("welcome"))["user"] == "local"
    async with Rpc.connect(f"ws://127.0.0.1:{shared.port}/%6cive?x=1") as rpc:
        assert await rpc.call("ping")


async def test_users_log_in(guarded: RealServer) -> None:
    status, error, headers = await refused(guarded)
    assert (status, error["code"], headers["www-authenticate"]) == (401, "unauthenticated", "Bearer")
    status, error, _ = await refused(guarded, additional_headers={"authorization": "Bearer wrong"})
    assert (status, error["code"]) == (401, "unauthenticated")
    async with Rpc.connect(guarded.live, additional_headers=token(guarded)) as rpc:
        assert (await rpc.next("welcome"))["user"] == "operator"


async def test_a_ticket_opens_one_socket(guarded: RealServer) -> None:
    async with httpx2.AsyncClient(headers=token(guarded)) as client:
        ticket = (await client.post(f"{guarded.url}/api/tickets")).json()["ticket"]
    async with Rpc.connect(f"{guarded.live}?ticket={ticket}") as rpc:
        assert (await rpc.next("welcome"))["user"] == "operator"
    assert (await refused(guarded, f"/live?ticket={ticket}"))[0] == 401


async def test_too_many_connections_are_told_to_come_back(guarded: RealServer) -> None:
    async with AsyncExitStack() as stack:
        while (found := await attempt(guarded, stack)) is None:
            assert (await connected(guarded)) <= CONNECTIONS
        assert found == (503, "too_many_connections")


async def attempt(server: RealServer, stack: AsyncExitStack) -> tuple[int, str] | None:
    """Open one more socket; how it is refused, if it is."""
    try:
        await stack.enter_async_context(websockets.connect(server.live, additional_headers=token(server)))
    except websockets.InvalidStatus as exc:
        return exc.response.status_code, json.loads(exc.response.body or b"{}")["code"]
    return None


async def connected(server: RealServer) -> int:
    """How many connections there are."""
    async with httpx2.AsyncClient(headers=token(server)) as client:
        return len((await client.get(f"{server.url}/api/server/connections")).json()["connections"])


@asynccontextmanager
async def named(server: RealServer, name: str) -> AsyncIterator[Rpc]:
    async with Rpc.connect(server.live, user_agent_header=name) as rpc:
        yield rpc


async def last_row(rpc: Rpc, name: str) -> dict[str, Any]:
    """How a connection that ended is remembered."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            rows = (await rpc.call("connection.list"))["recent"]
            if found := [row for row in rows if row["user_agent"] == name]:
                return found[0]


async def test_the_table_of_connections_knows_what_a_socket_did(shared: RealServer) -> None:
    async with named(shared, "watcher") as watcher:
        async with named(shared, "busy") as busy:
            await busy.call("subscribe", channel="ways")
            await busy.call("publish", channel="ways", type="x", data=LONG)
            await busy.next("event")
            rows = (await watcher.call("connection.list"))["connections"]
            row = next(row for row in rows if row["user_agent"] == "busy")
            assert (row["transport"], row["path"], row["address"]) == ("websocket", "/live", "127.0.0.1")
            assert row["subscriptions"] == [{"channel": "ways", "phase": "live", "lag": 0}]
            assert row["sent_bytes"] > len(LONG)
            assert row["received_bytes"] > len(LONG)
            await busy.socket.close(4000, "done")
        last = await last_row(watcher, "busy")
        assert (last["code"], last["reason"]) == (4000, "done")
        assert last["sent_bytes"] > len(LONG)


async def test_more_commands_than_may_run_at_a_time_are_all_answered(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc:
        replies = [await rpc.send("history", channel=f"none:{number}") for number in range(500)]
        async with asyncio.timeout(DEADLINE_S):
            answers = await asyncio.gather(*replies)
        assert [answer["id"] for answer in answers] == list(range(1, 501))
        assert all(answer["result"]["events"] == [] for answer in answers)


async def test_a_message_may_come_in_pieces(shared: RealServer) -> None:
    text = json.dumps({"jsonrpc": "2.0", "id": "pieces", "method": "ping", "params": {}})
    async with websockets.connect(shared.live) as socket:
        await socket.recv()
        await socket.send([text[at : at + 3] for at in range(0, len(text), 3)])
        assert json.loads(await socket.recv())["id"] == "pieces"
        await (await socket.ping())


async def test_stopping_lets_everybody_go_with_1012(tmp_path: Path, sockets: str) -> None:
    async with serving(tmp_path, {}) as server, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Rpc.connect(server.live)) for _ in range(20)]
        for rpc in clients:
            await rpc.next("welcome")
        assert await server.stop() == 0
        for rpc in clients:
            assert (await rpc.next("goodbye"))["reason"] == "stopping"
            await rpc.socket.wait_closed()
            assert rpc.socket.close_code == 1012
