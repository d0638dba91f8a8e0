"""Slow readers and live ones on one channel, over real sockets: the bounds are shown by what the server counts."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import websockets
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.workspace import write_settings

from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub
from antiphon.messages import NewEvent

BEHIND = 300_000
LIVE = 200
QUEUED_BYTES = 512 * 1024
LOW_WATER_BYTES = QUEUED_BYTES // 4  # below it pages are pulled
PATIENT = {"limits": {"queued_bytes": QUEUED_BYTES, "stalled_s": 600}}
STRICT = {"limits": {"queued_bytes": QUEUED_BYTES, "stalled_s": 1.5}}
MEMORY_GROWTH_BYTES = 48 * 1024 * 1024  # of which the page cache of the store may take 16
CHANNEL = "news:old"
USER_AGENT = "slow reader"
ROUNDS = 30


async def fill(data: Path, count: int) -> None:
    """Give a store that nobody serves yet a long channel."""
    payload = orjson.dumps({"text": "the quick brown fox jumps over the lazy dog, 60 characters", "stream": "stdout"})
    broker = SqliteBroker(data)
    broker.open()
    async with Hub(broker) as hub:
        for _ in range(0, count, 1000):
            await hub.publish_many([NewEvent(CHANNEL, "line", payload)] * 1000)


class SlowReader:
    """A socket with next to no room, read only when `read` is called: what it does not take stays with the server."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.offset = 0
        self.caught_up = 0

    @classmethod
    @asynccontextmanager
    async def connect(cls, server: RealServer) -> AsyncIterator[SlowReader]:
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", server.port))
        options = {"sock": plain, "max_queue": 1, "max_size": None, "user_agent_header": USER_AGENT}
        async with websockets.connect(server.live, **options) as found:
            yield cls(found)

    async def subscribe(self, channel: str, after: str) -> None:
        params = {"channel": channel, "after": after}
        await self.socket.send(
            orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": params}).decode()
        )
        while "result" not in orjson.loads(await self.socket.recv()):
            pass

    async def read(self, upto: int) -> None:
        """Take events until this offset; each comes once, in order."""
        async with asyncio.timeout(DEADLINE_S):
            while self.offset < upto:
                message = orjson.loads(await self.socket.recv())
                offset = message["params"]["offset"]
                if message["method"] == "caught_up":
                    self.caught_up += 1
                    assert offset == self.offset
                else:
                    assert offset == self.offset + 1
                    self.offset = offset


async def metric(server: RealServer, name: str) -> int:
    async with httpx2.AsyncClient() as client:
        text = (await client.get(f"{server.url}/metrics")).text
    found = re.search(rf"^{name} (\d+)$", text, re.MULTILINE)
    assert found is not None, text
    return int(found[1])


async def seen_by_server(rpc: Rpc, table: str = "connections") -> dict[str, Any]:
    """What `connection.list` says of the slow reader's connection; {} if it is not in this table."""
    rows = (await rpc.call("connection.list"))[table]
    return next((row for row in rows if row["user_agent"] == USER_AGENT), {})


async def until_full(rpc: Rpc) -> dict[str, Any]:
    """Wait until the server holds as much for the slow reader as it wants to."""
    async with asyncio.timeout(DEADLINE_S):
        while (row := await seen_by_server(rpc))["queued_bytes"] < LOW_WATER_BYTES:
            pass
        return row


def resident_bytes(server: RealServer) -> int:
    pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def live_readers(server: RealServer, count: int) -> AsyncIterator[list[Rpc]]:
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(Rpc.connect(server.live)) for _ in range(count)]
        for reader in readers:
            reply = await reader.call("subscribe", channel=CHANNEL)
            assert (await reader.next("caught_up"))["offset"] == reply["head"]
        yield readers


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_slow_reader_far_behind_gets_everything_while_200_stay_live(tmp_path: Path, sockets: str) -> None:
    server = RealServer(tmp_path / "data", config=write_settings(tmp_path / "antiphon.toml", PATIENT))
    await fill(server.data, BEHIND)
    await server.start()
    try:
        async with (
            Rpc.connect(server.live) as rpc,
            live_readers(server, LIVE) as live,
            SlowReader.connect(server) as slow,
        ):
            before = resident_bytes(server)
            await slow.subscribe(CHANNEL, "start")
            head, peak = BEHIND, 0
            for part in range(1, ROUNDS + 1):
                row = await until_full(rpc)
                assert row["queued_bytes"] <= QUEUED_BYTES
                (subscription,) = row["subscriptions"]
                assert subscription["phase"] == "pulling"
                assert subscription["lag"] > 0
                for _ in range(5):
                    head = (await rpc.call("publish", channel=CHANNEL, type="line", data={"text": "new"}))["offset"]
                for reader in live:
                    assert [(await reader.next())["offset"] for _ in range(5)] == [*range(head - 4, head + 1)]
                peak = max(peak, resident_bytes(server))
                await slow.read(BEHIND * part * 2 // (ROUNDS * 3))  # the rest is more than the kernel may hold
            await slow.read(head)
            await rpc.call("publish", channel=CHANNEL, type="line", data={"text": "last"})
            await slow.read(head + 1)
            assert slow.caught_up == 1
            assert peak - before < MEMORY_GROWTH_BYTES, f"{(peak - before) >> 20} MiB more"
        assert await metric(server, "antiphon_cuts_total") == 0  # nobody who was live fell back
        assert await metric(server, "antiphon_pulled_total") >= BEHIND
        assert await metric(server, "antiphon_pages_total") > ROUNDS
    finally:
        await server.stop()


async def test_who_stops_reading_falls_back_and_is_closed_and_nobody_else_notices(tmp_path: Path, sockets: str) -> None:
    server = RealServer(tmp_path / "data", config=write_settings(tmp_path / "antiphon.toml", STRICT))
    await server.start()
    try:
        async with Rpc.connect(server.live) as rpc, live_readers(server, 5) as live, SlowReader.connect(server) as deaf:
            await deaf.subscribe(CHANNEL, "now")
            head = 0
            while not await metric(server, "antiphon_cuts_total"):
                head = (await rpc.call("publish", channel=CHANNEL, type="line", data={"text": "x" * 50_000}))["offset"]
            row = await seen_by_server(rpc)
            assert row["queued_bytes"] <= QUEUED_BYTES
            assert row["subscriptions"][0]["phase"] == "pulling"
            assert row["subscriptions"][0]["lag"] > 0
            async with asyncio.timeout(DEADLINE_S):
                while not (row := await seen_by_server(rpc, "recent")):
                    pass
            assert (row["code"], row["reason"]) == (1008, "slow_consumer")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await deaf.read(head)
            if sockets == "lean":  # plain ASGI cannot say anything to a socket that is full
                assert closed.value.rcvd is not None
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "slow_consumer")
            assert 0 < deaf.offset < head
            for reader in live:
                assert [(await reader.next())["offset"] for _ in range(head)] == [*range(1, head + 1)]
        assert await metric(server, "antiphon_cuts_total") == 1
    finally:
        await server.stop()
