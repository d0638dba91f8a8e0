"""Going on after a cut: what was missed, exactly once, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
from tests.socket_io.kit import Served, serving, until
from tests.socket_io.stock import Stock, proxied, stock
from tests.socket_io.test_engine_io import heard, web
from websockets.asyncio.client import ClientConnection

from antiphon.transports.socketio.namespace import Namespace, Peer
from antiphon.transports.socketio.recovery import MAX_OWN
from antiphon.transports.sweep import Beat

CALM = Beat(tick_s=0.05, ping_ticks=40, answer_ticks=39)


def space() -> Namespace:
    chat = Namespace("/", recovery_s=60)

    @chat.on("connect")
    async def connect(peer: Peer) -> None:
        if not peer.recovered:
            peer.data["visits"] = 0
            await peer.join("tea")
            await peer.join("coffee")
        peer.data["visits"] += 1

    @chat.on("visits")
    def visits(peer: Peer) -> int:
        return int(peer.data["visits"])

    return chat


@pytest_asyncio.fixture(params=["lean", "asgi"])
async def keeping(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    async with serving(request.param, CALM, {"/": space()}) as found:
        yield found


async def come(socket: ClientConnection, served: Served, **claim: Any) -> dict[str, str]:
    """Enter; what the server says of the client."""
    assert str(await heard(socket)).startswith("0{")
    await socket.send(f"40{orjson.dumps(claim).decode() if claim else ''}")
    facts: dict[str, str] = orjson.loads(str(await heard(socket))[2:])
    peer = served.namespaces["/"].peers[facts["sid"]]
    await until(lambda: peer.entering is not None and peer.entering.done())
    return facts


async def event(socket: ClientConnection) -> list[Any]:
    found: list[Any] = orjson.loads(str(await heard(socket))[2:])
    return found


async def cut(served: Served, socket: ClientConnection) -> None:
    socket.transport.abort()
    await until(lambda: not served.namespaces["/"].peers)


async def test_what_was_missed_comes_once_and_in_order(keeping: Served) -> None:
    chat = keeping.namespaces["/"]
    async with web(keeping) as socket:
        facts = await come(socket, keeping)
        await chat.emit("tea", 1, room="tea")
        await chat.emit("coffee", 1, room="coffee")
        await chat.emit("all", 1)
        seen = [(await event(socket)) for _ in range(3)]
        await chat.emit("tea", 2, room="tea")  # never read
        await cut(keeping, socket)
    for number in range(3, 6):
        await chat.emit("tea", number, room="tea")
    await chat.emit("all", 2)
    async with web(keeping) as socket:
        again = await come(socket, keeping, pid=facts["pid"], offset=seen[-1][-1])
        assert again == facts
        missed = [(await event(socket))[:2] for _ in range(5)]
        assert [args for args in missed if args[0] == "tea"] == [["tea", number] for number in range(2, 6)]
        assert ["all", 2] in missed
        await socket.send('427["visits"]')
        assert await heard(socket) == "437[2]"


async def test_what_was_said_to_the_client_alone_comes_again(keeping: Served) -> None:
    chat = keeping.namespaces["/"]
    async with web(keeping) as socket:
        facts = await come(socket, keeping)
        peer = chat.peers[facts["sid"]]
        for number in range(4):
            peer.emit("own", number, b"\x01")
        first = await event_of_bytes(socket)
        await cut(keeping, socket)
    async with web(keeping) as socket:
        assert (await come(socket, keeping, pid=facts["pid"], offset=first[-1])) == facts
        assert [(await event_of_bytes(socket))[1] for _ in range(3)] == [1, 2, 3]
        await cut(keeping, socket)  # the client has read all, but its word is that it has only the first
    async with web(keeping) as socket:
        assert (await come(socket, keeping, pid=facts["pid"], offset=first[-1])) == facts
        assert [(await event_of_bytes(socket))[1] for _ in range(3)] == [1, 2, 3]


async def event_of_bytes(socket: ClientConnection) -> list[Any]:
    head = str(await heard(socket))
    assert isinstance(await heard(socket), bytes)
    found: list[Any] = orjson.loads(head.partition("-")[2])
    return found


@pytest.mark.parametrize("offset", ["", "9999", "0,0:99999", "0,0:-1", "x" * 5000, "0,99999999999999999999:1", None, 7])
async def test_an_offset_that_is_not_ours(keeping: Served, offset: Any) -> None:
    """Numbers of rooms that it never had are ignored, everything else lets the client begin anew."""
    async with web(keeping) as socket:
        facts = await come(socket, keeping)
        await cut(keeping, socket)
    async with web(keeping) as socket:
        again = await come(socket, keeping, pid=facts["pid"], offset=offset)
        assert (again == facts) is (offset in (None, 7))


async def test_an_unknown_client_begins_anew(keeping: Served) -> None:
    async with web(keeping) as socket:
        assert (await come(socket, keeping, pid="nobody", offset="0")).keys() == {"sid", "pid"}


async def test_whoever_left_on_purpose_begins_anew(keeping: Served) -> None:
    async with web(keeping) as socket:
        facts = await come(socket, keeping)
        await socket.send("41")
        await until(lambda: not keeping.namespaces["/"].peers)
        await socket.send(f'40{{"pid":"{facts["pid"]}"}}')
        assert orjson.loads(str(await heard(socket))[2:])["sid"] != facts["sid"]


async def test_a_cut_that_the_server_has_not_noticed(keeping: Served) -> None:
    chat = keeping.namespaces["/"]
    async with web(keeping) as first, web(keeping) as second:
        facts = await come(first, keeping)
        assert await come(second, keeping, pid=facts["pid"]) == facts
        assert list(chat.peers) == [facts["sid"]]
        await chat.emit("tea", 1, room="tea")
        assert (await event(second))[:2] == ["tea", 1]


async def test_more_was_missed_than_is_kept(keeping: Served) -> None:
    chat = keeping.namespaces["/"]
    async with web(keeping) as socket:
        facts = await come(socket, keeping)
        for number in range(MAX_OWN + 1):
            chat.peers[facts["sid"]].emit("own", number)
        first = await event(socket)
        await cut(keeping, socket)
    async with web(keeping) as socket:
        assert (await come(socket, keeping, pid=facts["pid"], offset=str(int(first[-1].partition(",")[0]) - 1)))[
            "sid"
        ] != facts["sid"]


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]], ids="+".join)
async def test_the_stock_client(keeping: Served, transports: list[str]) -> None:
    chat = keeping.namespaces["/"]
    async with proxied(keeping.port) as proxy, stock() as node:
        node.open(f"http://127.0.0.1:{proxy.port}", transports=transports)
        first = await node.next("connect")
        assert first["recovered"] is False
        if len(transports) == 2:
            await node.next("upgrade")
        heard_numbers = []
        for turn in range(3):
            await until(lambda: chat.peers and all("visits" in peer.data for peer in chat.peers.values()))
            await chat.emit("tea", 3 * turn, room="tea")
            heard_numbers.append((await heard_of(node))[0])
            session = keeping.engine.all()[-1]
            await until(lambda: not session.polls or session.mailbox.is_polled)  # noqa: B023
            proxy.cut()
            await until(lambda: not chat.peers)
            await chat.emit("tea", 3 * turn + 1, room="tea")
            await chat.emit("tea", 3 * turn + 2, room="tea")
            await node.next("disconnect")
            again = await node.next("connect")
            assert (again["recovered"], again["sid"]) == (True, first["sid"])
            if len(transports) == 2:
                await node.next("upgrade")
            heard_numbers += [(await heard_of(node))[0] for _ in range(2)]
        assert heard_numbers == list(range(9))


async def heard_of(node: Stock) -> list[Any]:
    return await node.heard("tea")


async def test_clients_that_may_come_back_are_forgotten_in_time() -> None:
    async with serving("lean", CALM, {"/": Namespace("/", recovery_s=0.05)}) as served:
        kept = served.namespaces["/"].kept
        async with web(served) as socket:
            assert str(await heard(socket)).startswith("0{")
            await socket.send("40")
            await heard(socket)
            await cut(served, socket)
        assert kept is not None
        await until(lambda: not len(kept))
