"""Engine.IO revision 4, case by case, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio
from tests.socket_io.kit import Served, until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

POLL = "/socket.io/?EIO=4&transport=polling"
WEB = "/socket.io/?EIO=4&transport=websocket"


@pytest_asyncio.fixture
async def http(served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=served.url, timeout=20) as client:
        yield client


async def opened(http: httpx2.AsyncClient) -> str:
    """The path of a new session that polls."""
    found = orjson.loads((await http.get(POLL)).text[1:])
    return f"{POLL}&sid={found['sid']}"


def web(served: Served, query: str = "") -> Any:
    return connect(f"ws://127.0.0.1:{served.port}{WEB}{query}", ping_interval=None)


async def heard(socket: ClientConnection) -> str | bytes:
    """The next message that is no ping; pings are answered."""
    while True:
        message = await socket.recv()
        if message != "2":
            return message
        await socket.send("3")


async def enter(socket: ClientConnection) -> None:
    assert (await heard(socket))[:1] == "0"
    await socket.send("40")
    assert str(await heard(socket)).startswith("40{")
    assert await heard(socket) == '42["auth",{}]'


async def test_the_handshake_of_polling(http: httpx2.AsyncClient) -> None:
    answer = await http.get(POLL)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
    assert answer.text[0] == "0"
    facts = orjson.loads(answer.text[1:])
    assert isinstance(facts.pop("sid"), str)
    assert facts == {"upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000}


async def test_the_handshake_of_a_websocket(served: Served) -> None:
    async with web(served) as socket:
        message = await socket.recv()
        assert orjson.loads(message[1:])["upgrades"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [("?transport=polling", 5), ("?EIO=3&transport=polling", 5), ("?EIO=4", 0), ("?EIO=4&transport=abc", 0)],
)
async def test_a_wrong_handshake(http: httpx2.AsyncClient, query: str, code: int) -> None:
    answer = await http.get(f"/socket.io/{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] == code


async def test_a_wrong_method(http: httpx2.AsyncClient) -> None:
    assert (await http.post(POLL)).json() == {"code": 2, "message": "Bad handshake method"}
    assert (await http.put(POLL)).status_code == 400


@pytest.mark.parametrize("query", ["?transport=websocket", "?EIO=4", "?EIO=4&transport=polling"])
async def test_a_wrong_handshake_of_a_websocket(served: Served, query: str) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://127.0.0.1:{served.port}/socket.io/{query}"):
            pass


async def test_an_unknown_session(http: httpx2.AsyncClient, served: Served) -> None:
    assert (await http.get(f"{POLL}&sid=nobody")).json() == {"code": 1, "message": "Session ID unknown"}
    with pytest.raises(InvalidStatus):
        async with web(served, "&sid=nobody"):
            pass


async def test_several_packets_in_one_body(http: httpx2.AsyncClient) -> None:
    path = await opened(http)
    answer = await http.post(path, content='40\x1e42["message",1]\x1e42["message","é"]')
    assert (answer.status_code, answer.text) == (200, "ok")
    found = ""
    while "é" not in found:
        found += (await http.get(path)).text + "\x1e"
    messages = [part for part in found.split("\x1e") if part.startswith("42")]
    assert messages == ['42["auth",{}]', '42["message-back",1]', '42["message-back","é"]']


async def test_bytes_in_a_body(http: httpx2.AsyncClient) -> None:
    path = await opened(http)
    await http.post(path, content="40")
    packet = '451-["message",{"_placeholder":true,"num":0}]'
    await http.post(path, content=f"{packet}\x1ebAQIDBA==")
    found = ""
    while "bAQIDBA==" not in found:
        found += (await http.get(path)).text + "\x1e"
    assert '451-["message-back",{"_placeholder":true,"num":0}]\x1ebAQIDBA==' in found


@pytest.mark.parametrize("body", ["abc", "", "7x", "b@@", "40\x1e9", "0{}"])
async def test_a_body_that_cannot_be_read_ends_the_session(http: httpx2.AsyncClient, body: str) -> None:
    path = await opened(http)
    assert (await http.post(path, content=body)).status_code == 400
    assert (await http.get(path)).status_code == 400


async def test_a_message_that_cannot_be_read_ends_the_session(served: Served) -> None:
    async with web(served) as socket:
        await enter(socket)
        await socket.send("abc")
        with pytest.raises(ConnectionClosed):
            await heard(socket)


async def test_a_body_that_is_too_long(http: httpx2.AsyncClient) -> None:
    path = await opened(http)
    assert (await http.post(path, content="4" * 1_000_001)).status_code == 413
    assert (await http.get(path)).status_code == 400


async def test_two_polls_at_once_end_the_session(http: httpx2.AsyncClient, served: Served) -> None:
    path = await opened(http)
    first = asyncio.create_task(http.get(path))
    session = next(iter(served.engine.all()))
    await until(lambda: session.mailbox.is_polled)
    assert (await http.get(path)).status_code == 400
    assert (await first).text == "1"
    assert (await http.get(path)).status_code == 400


async def test_a_poll_that_is_let_go_ends_the_session(http: httpx2.AsyncClient, served: Served) -> None:
    path = await opened(http)
    poll = asyncio.create_task(http.get(path))
    session = next(iter(served.engine.all()))
    await until(lambda: session.mailbox.is_polled)
    poll.cancel()
    await until(lambda: not session.is_open)
    assert (await http.get(path)).status_code == 400


async def test_a_poll_is_answered_when_there_is_something(http: httpx2.AsyncClient) -> None:
    path = await opened(http)
    await http.post(path, content="40")
    texts = [(await http.get(path)).text]
    await http.post(path, content="3")
    assert any(text == "2" or text.startswith("40") for text in texts)


async def test_a_peer_that_answers_pings_stays(served: Served) -> None:
    async with web(served) as socket:
        assert (await socket.recv())[:1] == "0"
        for _ in range(3):
            assert await socket.recv() == "2"
            await socket.send("3")


async def test_a_peer_that_does_not_answer_is_let_go(http: httpx2.AsyncClient, served: Served) -> None:
    async with web(served) as socket:
        assert (await socket.recv())[:1] == "0"
        assert await socket.recv() == "2"
        await socket.wait_closed()
    path = await opened(http)
    while (answer := await http.get(path)).status_code == 200:
        pass
    assert answer.status_code == 400


async def test_closed_by_the_peer(http: httpx2.AsyncClient, served: Served) -> None:
    path = await opened(http)
    poll = asyncio.create_task(http.get(path))
    session = next(iter(served.engine.all()))
    await until(lambda: session.mailbox.is_polled)
    await http.post(path, content="1")
    assert (await poll).text == "6"
    assert (await http.get(path)).status_code == 400
    async with web(served) as socket:
        await socket.recv()
        await socket.send("1")
        with pytest.raises(ConnectionClosed):
            await heard(socket)


async def upgraded(http: httpx2.AsyncClient, served: Served, path: str, socket: ClientConnection) -> None:
    poll = asyncio.create_task(http.get(path))
    await socket.send("2probe")
    assert await socket.recv() == "3probe"
    while (await poll).text == "2":
        await http.post(path, content="3")
        poll = asyncio.create_task(http.get(path))
    assert (await poll).text == "6"
    await socket.send("5")


async def test_the_upgrade(http: httpx2.AsyncClient, served: Served) -> None:
    path = await opened(http)
    async with web(served, f"&sid={path.rpartition('=')[2]}") as socket:
        await upgraded(http, served, path, socket)
        await socket.send("40")
        assert str(await heard(socket)).startswith("40{")
        assert await heard(socket) == '42["auth",{}]'
        assert (await http.get(path)).status_code == 400
        assert (await http.post(path, content="3")).status_code == 400
        with pytest.raises(InvalidStatus):
            async with web(served, f"&sid={path.rpartition('=')[2]}"):
                pass
        await socket.send('42["message",1]')
        assert await heard(socket) == '42["message-back",1]'


async def test_an_upgrade_that_is_given_up(http: httpx2.AsyncClient, served: Served) -> None:
    path = await opened(http)
    async with web(served, f"&sid={path.rpartition('=')[2]}") as socket:
        await socket.send("2probe")
        assert await socket.recv() == "3probe"
    session = next(iter(served.engine.all()))
    await until(lambda: not session.is_probing)
    await http.post(path, content="40")
    assert (await http.get(path)).text[:1] in "24"


async def test_nothing_is_lost_or_doubled_by_an_upgrade(http: httpx2.AsyncClient, served: Served) -> None:
    """A room is spoken to all the while."""
    path = await opened(http)
    await http.post(path, content="40")
    space = served.namespaces["/"]
    session = next(iter(served.engine.all()))
    await until(lambda: space.peers)
    await next(iter(space.peers.values())).join("talk")
    texts: list[str] = []

    async def speak() -> None:
        for number in range(400):
            await space.emit("said", number, room="talk")
            await asyncio.sleep(0)

    async with web(served, f"&sid={path.rpartition('=')[2]}") as socket:
        speaking = asyncio.create_task(speak())
        texts += (await http.get(path)).text.split("\x1e")
        await socket.send("2probe")
        assert await socket.recv() == "3probe"
        texts += (await http.get(path)).text.split("\x1e")
        await socket.send("5")
        while '42["said",399]' not in texts:
            texts.append(str(await heard(socket)))
        await speaking
    assert not session.polls
    said = [text for text in texts if text.startswith('42["said"')]
    assert said == [f'42["said",{number}]' for number in range(400)]
