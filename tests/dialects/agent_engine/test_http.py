"""The dialect's HTTP: statistics, health, the test page's address; the limit of connections and the heartbeat."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from pathlib import Path
from typing import Any

from tests.dialects.agent_engine.engine import Engine, get, scripted_server
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer


async def statistics(server: RealServer) -> dict[str, Any]:
    answer = await get(server, "/ws/statistics")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert found.keys() == {"active_connections", "total_connections", "total_messages", "connections"}
    return found


async def until_active(server: RealServer, count: int) -> dict[str, Any]:
    """A socket's end is known a moment after its client."""
    async with asyncio.timeout(DEADLINE_S):
        found = await statistics(server)
        while found["active_connections"] != count:
            found = await statistics(server)
    return found


async def test_statistics_count_what_the_server_sent(server: RealServer) -> None:
    before = await until_active(server, 0)
    assert before["connections"] == []
    began = time.time()
    async with Engine.connect(server, greeted=False) as engine:
        number = (await engine.next("connected"))["connection_id"]
        for _ in range(3):
            await engine.ask("ping")
        await engine.send("streaming_query", query="a")
        sent = 4 + len(await engine.until("stream_end"))
        found = await statistics(server)
        assert found["active_connections"] == 1
        assert found["total_connections"] == before["total_connections"] + 1
        assert found["total_messages"] == before["total_messages"] + sent
        (row,) = found["connections"]
        assert row.keys() == {"id", "connected_at", "message_count", "uptime"}
        assert (row["id"], row["message_count"]) == (number, sent)
        assert began - 1 <= row["connected_at"] <= time.time() + 1
        assert 0 <= row["uptime"] <= time.time() - began + 1
    after = await until_active(server, 0)
    assert after | {"total_messages": 0} == found | {"active_connections": 0, "connections": [], "total_messages": 0}
    assert after["total_messages"] == found["total_messages"]


async def test_a_connection_that_goes_in_mid_stream_is_counted_once(server: RealServer) -> None:
    async with Engine.connect(server) as engine:
        await engine.send("streaming_query", query='[["say", "a"], ["hang"]]')
        await engine.until("stream_chunk")
        before = await statistics(server)
    after = await until_active(server, before["active_connections"] - 1)
    assert after["total_messages"] == before["total_messages"]


async def test_health_and_ready(server: RealServer) -> None:
    health = await get(server, "/health")
    assert (health.status_code, health.json()) == (200, {"status": "healthy", "service": "agent-engine"})
    ready = await get(server, "/ready")
    assert ready.json() == {"ready": True, "checks": {"engine": True, "llm": True, "tools": True, "memory": True}}


async def test_the_test_page_has_an_address(server: RealServer) -> None:
    page = await get(server, "/static/test_websocket.html")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_connections_are_in_the_servers_table(server: RealServer) -> None:
    async with Engine.connect(server) as engine:
        await engine.send("streaming_query", query='[["say", "a"], ["hang"]]')
        await engine.until("stream_chunk")
        rows = (await get(server, "/api/server/connections")).json()["connections"]
        (row,) = [row for row in rows if row["path"] == "/ws/agent"]
        assert (row["transport"], row["user"]) == ("websocket", "local")
        assert [found["phase"] for found in row["subscriptions"]] == ["live"]
        await engine.send("cancel")
        await engine.until("stream_end")


async def test_ws_max_connections(tmp_path: Path, sockets: str) -> None:
    server = scripted_server(tmp_path, WS_MAX_CONNECTIONS="2")
    await server.start()
    try:
        async with Engine.connect(server) as first, Engine.connect(server):
            async with Engine.connect(server, greeted=False) as third:
                frame = await third.next("error")
                assert frame.keys() == {"type", "error", "timestamp"}
                assert frame["error"].startswith("Too many connections: the limit is 2")
                assert (await third.closed())[0] == 1013
            assert (await statistics(server))["total_connections"] == 2
            await first.nothing_more()
            async with Rpc.connect(server.live) as rpc:  # others are not counted, and count for nothing
                assert await rpc.call("ping")
            await first.socket.close()
            await until_active(server, 1)
            async with Engine.connect(server) as fourth:
                await fourth.nothing_more()
    finally:
        await server.kill()


async def test_ws_heartbeat_interval_is_that_of_protocol_pings(tmp_path: Path) -> None:
    server = scripted_server(tmp_path, WS_HEARTBEAT_INTERVAL="1", ANTIPHON_SERVER_SOCKETS="auto")
    await server.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        key = "AAAAAAAAAAAAAAAAAAAAAA=="
        writer.write(
            b"GET /ws/agent HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: %b\r\n\r\n" % key.encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(2):
            assert await next_ping(reader) == b""
            writer.write(b"\x8a\x80" + os.urandom(4))  # a pong, so that it stays
        # without an answer it is gone before the next ping would come
        assert await next_ping(reader) == b""
        async with asyncio.timeout(DEADLINE_S):
            assert (await reader.read())[:4] == b"\x88\x08\x03\xf0"  # close, 1008
        writer.close()
    finally:
        await server.kill()


async def next_ping(reader: asyncio.StreamReader) -> bytes:
    """The payload of the next ping; what comes before it is skipped."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            first, length = await reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await reader.readexactly(2))
            payload = await reader.readexactly(length)
            if first == 0x89:
                return payload


async def test_an_id_of_a_connection_is_its_own(server: RealServer) -> None:
    numbers = set()
    for _ in range(5):
        async with Engine.connect(server, greeted=False) as engine:
            numbers.add(uuid.UUID((await engine.next("connected"))["connection_id"]))
    assert len(numbers) == 5
