"""The stock JavaScript client, oldest and newest of version 4, in both transports and through the upgrade."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.socket_io.kit import Served, serving, until
from tests.socket_io.stock import Proxy, Stock, proxied, stock

from antiphon.transports.sweep import Beat

BYTES = {"$bytes": b64encode(bytes(range(256))).decode()}
CALM = Beat(tick_s=0.05, ping_ticks=40, answer_ticks=39)


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["lean", "asgi"])
async def calm(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    async with serving(request.param, CALM) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def proxy(calm: Served) -> AsyncIterator[Proxy]:
    async with proxied(calm.port) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def node(proxy: Proxy) -> AsyncIterator[Stock]:
    """It goes before the proxy does, so that nobody connects to one that is closing."""
    async with stock() as found:
        yield found


pytestmark = pytest.mark.asyncio(loop_scope="module")
WAYS = pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join)
VERSIONS = pytest.mark.parametrize("version", ["newest", "first"])


async def left(calm: Served) -> None:
    """Nobody is in any more. 4.0.0 sometimes forgets a connection that it was still upgrading; it is closed."""
    await until(lambda: not any(space.peers for space in calm.namespaces.values()))
    calm.engine.close("stopping")


@VERSIONS
@WAYS
async def test_everything_that_a_client_says_and_hears(
    calm: Served, node: Stock, version: str, transports: list[str]
) -> None:
    name = f"{version}{transports}{calm.port}"
    node.open(calm.url, name, version, transports=transports, auth={"token": "123"}, forceNew=True)
    assert (await node.next("connect", name))["sid"] in calm.namespaces["/"].peers
    assert await node.heard("auth", name) == [{"token": "123"}]
    if len(transports) == 2:
        assert (await node.next("upgrade", name))["transport"] == "websocket"
    node.emit("message", 1, "é \x1e ✓", {"deep": [BYTES, None, True]}, BYTES, client=name)
    assert await node.heard("message-back", name) == [1, "é \x1e ✓", {"deep": [BYTES, None, True]}, BYTES]
    node.emit("message-with-ack", 1, BYTES, client=name, wants_answer=True)
    assert (await node.next("answer", name))["args"] == [1, BYTES]
    node.emit("ask-me", client=name)
    assert await node.heard("question", name) == ["why?"]
    assert await node.heard("told", name) == [["why?", "because"]]
    node.emit("to-all", {"n": 1}, BYTES, client=name)
    assert await node.heard("said", name) == [{"n": 1}, BYTES]
    node.do("disconnect", name)
    assert (await node.next("disconnect", name))["reason"] == "io client disconnect"
    await left(calm)


@VERSIONS
async def test_namespaces_share_a_connection(calm: Served, node: Stock, version: str) -> None:
    name = f"{version}{calm.port}"
    node.open(calm.url, name, version)
    node.open(f"{calm.url}/custom", f"custom{name}", version)
    await node.next("connect", name)
    await node.next("connect", f"custom{name}")
    assert len(calm.engine.all()) == 1
    node.emit("message", "custom", client=f"custom{name}")
    node.emit("message", "main", client=name)
    assert await node.heard("message-back", f"custom{name}") == ["custom"]
    assert await node.heard("message-back", name) == ["main"]
    node.do("disconnect", name)
    node.emit("message", "still here", client=f"custom{name}")
    assert await node.heard("message-back", f"custom{name}") == ["still here"]
    node.do("disconnect", f"custom{name}")
    await left(calm)


@VERSIONS
async def test_refused_with_a_reason_and_its_data(calm: Served, node: Stock, version: str) -> None:
    name = f"refused{version}{calm.port}"
    node.open(calm.url, name, version, auth={"token": "wrong"}, forceNew=True)
    found = await node.next("connect_error", name)
    assert (found["message"], found["data"]) == ("wrong token", {"hint": "tea"})
    node.open(f"{calm.url}/nowhere", f"nowhere{name}", version, forceNew=True)
    assert (await node.next("connect_error", f"nowhere{name}"))["message"] == "Invalid namespace"
    for each in (name, f"nowhere{name}"):
        node.do("disconnect", each)
    await left(calm)


@VERSIONS
async def test_sent_away_by_the_server(calm: Served, node: Stock, version: str) -> None:
    """The client does not come back by itself, but when it is told to."""
    name = f"kicked{version}{calm.port}"
    node.open(calm.url, name, version, forceNew=True)
    await node.next("connect", name)
    node.emit("kick-me", client=name)
    assert (await node.next("disconnect", name))["reason"] == "io server disconnect"
    node.do("connect", name)
    await node.next("connect", name)
    node.do("disconnect", name)
    await left(calm)


async def test_acknowledgements_that_do_not_come(calm: Served, node: Stock) -> None:
    name = f"acks{calm.port}"
    node.open(calm.url, name, forceNew=True)
    await node.next("connect", name)
    node.emit("nobody answers this", client=name, wants_answer=True, timeout_ms=50)
    await node.next("timeout", name)
    peer = next(iter(calm.namespaces["/"].peers.values()))
    with pytest.raises(TimeoutError):
        await peer.call("never", timeout_s=0.05)
    node.do("disconnect", name)
    await left(calm)


@VERSIONS
@WAYS
async def test_a_proxy_that_cuts_connections(
    calm: Served, proxy: Proxy, node: Stock, version: str, transports: list[str]
) -> None:
    name = f"cut{version}{transports}{calm.port}"
    node.open(f"http://127.0.0.1:{proxy.port}", name, version, transports=transports, forceNew=True)
    for turn in range(3):
        await node.next("connect", name)
        if len(transports) == 2:
            await node.next("upgrade", name)
        node.emit("message-with-ack", turn, client=name, wants_answer=True)
        assert (await node.next("answer", name))["args"] == [turn]
        session = calm.engine.all()[-1]
        await until(lambda: not session.polls or session.mailbox.is_polled)  # noqa: B023 - it is awaited here
        proxy.cut()
        assert (await node.next("disconnect", name))["reason"] in ("transport close", "transport error")
    await node.next("connect", name)
    node.do("disconnect", name)
    await node.next("disconnect", name)
    await left(calm)


async def test_a_flood_arrives_once_and_in_order_through_the_upgrade(calm: Served, node: Stock) -> None:
    """Both ways at once, while the carriage changes."""
    name = f"flood{calm.port}"
    space = calm.namespaces["/"]
    before = set(space.peers)
    node.open(calm.url, name, forceNew=True)
    for number in range(300):
        node.emit("message", number, client=name)
    await until(lambda: set(space.peers) - before)
    for number in range(300):
        await space.emit("said", number, room="all")
    answers = [(await node.heard("message-back", name))[0] for _ in range(300)]
    assert answers == list(range(300))
    heard: list[Any] = []
    while not heard or heard[-1] != 299:
        heard += await node.heard("said", name)
    assert heard == list(range(heard[0], 300))  # it joined at some moment
    node.do("disconnect", name)
    await left(calm)


async def test_a_silent_network_is_noticed_by_both(node: Stock) -> None:
    beat = Beat(tick_s=0.02, ping_ticks=10, answer_ticks=8)
    reasons: list[str] = []
    async with serving("lean", beat) as served, proxied(served.port) as proxy:
        served.namespaces["/"].on("disconnect")(lambda _, reason: reasons.append(reason))
        node.open(f"http://127.0.0.1:{proxy.port}", "silent", transports=["websocket"], reconnection=False)
        await node.next("connect", "silent")
        proxy.passing.clear()
        assert (await node.next("disconnect", "silent"))["reason"] == "ping timeout"
        await until(lambda: reasons)
        assert reasons == ["ping timeout"]
