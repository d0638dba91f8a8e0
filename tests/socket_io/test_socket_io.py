"""Socket.IO revision 5, case by case, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio
from tests.socket_io.kit import Served
from tests.socket_io.test_engine_io import enter, heard, web
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed


@pytest_asyncio.fixture
async def socket(served: Served) -> AsyncIterator[ClientConnection]:
    """An open Engine.IO connection; nothing was entered yet."""
    async with web(served) as found:
        assert (await heard(found))[:1] == "0"
        yield found


async def entered(socket: ClientConnection, namespace: str = "") -> None:
    await socket.send(f"40{namespace}")
    assert str(await heard(socket)).startswith(f"40{namespace}{{")
    assert await heard(socket) == f'42{namespace}["auth",{{}}]'


async def closed(socket: ClientConnection) -> None:
    """What was on its way still comes."""
    with contextlib.suppress(ConnectionClosed):
        while await heard(socket):
            pass
    await socket.wait_closed()


async def test_entering(socket: ClientConnection) -> None:
    await socket.send("40")
    answer = str(await heard(socket))
    assert orjson.loads(answer[2:]).keys() == {"sid"}
    assert await heard(socket) == '42["auth",{}]'


async def test_entering_with_credentials(socket: ClientConnection) -> None:
    await socket.send('40{"token":"123"}')
    await heard(socket)
    assert await heard(socket) == '42["auth",{"token":"123"}]'


async def test_entering_another_namespace(socket: ClientConnection) -> None:
    await socket.send("40/custom,")
    assert str(await heard(socket)).startswith("40/custom,{")
    assert await heard(socket) == '42/custom,["auth",{}]'


async def test_entering_another_namespace_with_credentials(socket: ClientConnection) -> None:
    await socket.send('40/custom,{"token":"abc"}')
    await heard(socket)
    assert await heard(socket) == '42/custom,["auth",{"token":"abc"}]'


async def test_a_query_behind_a_namespace_is_ignored(socket: ClientConnection) -> None:
    await socket.send("40/custom?page=1,")
    assert str(await heard(socket)).startswith("40/custom,{")


async def test_a_namespace_that_is_not_there(socket: ClientConnection) -> None:
    await socket.send("40/random")
    assert await heard(socket) == '44/random,{"message":"Invalid namespace"}'
    await socket.send("40/random,")
    assert await heard(socket) == '44/random,{"message":"Invalid namespace"}'


async def test_refused_with_a_reason(socket: ClientConnection) -> None:
    await socket.send('40{"token":"wrong"}')
    assert await heard(socket) == '44{"message":"wrong token","data":{"hint":"tea"}}'
    await socket.send('40{"token":"right"}')
    assert str(await heard(socket)).startswith("40{")


@pytest.mark.parametrize(
    "message",
    ["4", "4abc", "47", "40[]", '40"x"', "42", "42{}", "42[]", '42["connect"]', "42[{}]", "43[]", "41[1]",
     '44{"message":"no"}', '4599-["x"]', '45["x"]', '421-["x"]', '42["x"', "420"],
)  # fmt: skip
async def test_what_is_no_packet_closes_the_connection(served: Served, message: str) -> None:
    async with web(served) as socket:
        await enter(socket)
        await socket.send(message)
        await closed(socket)


async def test_bytes_that_belong_to_no_packet_close_the_connection(served: Served) -> None:
    async with web(served) as socket:
        await enter(socket)
        await socket.send(b"\x01")
        await closed(socket)


async def test_a_text_instead_of_an_attachment_closes_the_connection(served: Served) -> None:
    async with web(served) as socket:
        await enter(socket)
        await socket.send('451-["message",{"_placeholder":true,"num":0}]')
        await socket.send('42["message"]')
        await closed(socket)


@pytest.mark.parametrize("number", ["1", "-1", '"0"', "true", "null"])
async def test_a_placeholder_of_nothing_closes_the_connection(served: Served, number: str) -> None:
    async with web(served) as socket:
        await enter(socket)
        await socket.send(f'451-["message",{{"_placeholder":true,"num":{number}}}]')
        await socket.send(b"\x01")
        await closed(socket)


async def test_leaving_a_namespace(socket: ClientConnection) -> None:
    await entered(socket)
    await entered(socket, "/custom,")
    await socket.send("41")
    await socket.send('42["message",1]')  # nobody is there
    await socket.send('42/custom,["message",2]')
    assert await heard(socket) == '42/custom,["message-back",2]'


async def test_both_namespaces_over_one_connection(socket: ClientConnection) -> None:
    await entered(socket)
    await entered(socket, "/custom,")
    await socket.send('42["message","main"]')
    await socket.send('42/custom,["message","custom"]')
    assert {await heard(socket), await heard(socket)} == {
        '42["message-back","main"]',
        '42/custom,["message-back","custom"]',
    }


async def test_entering_twice_closes_the_connection(socket: ClientConnection) -> None:
    await entered(socket)
    await socket.send("40")
    await closed(socket)


async def test_sent_away_by_the_server(socket: ClientConnection) -> None:
    await entered(socket)
    await socket.send('42["kick-me"]')
    assert await heard(socket) == "41"


async def test_any_json(socket: ClientConnection) -> None:
    await entered(socket)
    await socket.send('42["message",1,"2",{"3":[true,null]}]')
    assert await heard(socket) == '42["message-back",1,"2",{"3":[true,null]}]'


async def test_an_event_that_nobody_answers_is_ignored(socket: ClientConnection) -> None:
    await entered(socket)
    await socket.send('427["unheard of",1]')
    await socket.send('42["message"]')
    assert await heard(socket) == '42["message-back"]'


async def test_bytes(socket: ClientConnection) -> None:
    await entered(socket)
    await socket.send('452-["message",{"_placeholder":true,"num":0},{"in":[{"_placeholder":true,"num":1}]}]')
    await socket.send(b"\x01\x02\x03")
    await socket.send(b"\x04\x05\x06")
    assert (
        await heard(socket)
        == '452-["message-back",{"_placeholder":true,"num":0},{"in":[{"_placeholder":true,"num":1}]}]'
    )
    assert [await heard(socket), await heard(socket)] == [b"\x01\x02\x03", b"\x04\x05\x06"]


async def test_an_acknowledgement(socket: ClientConnection) -> None:
    await entered(socket)
    await socket.send('42456["message-with-ack",1,"2",{"3":[false]}]')
    assert await heard(socket) == '43456[1,"2",{"3":[false]}]'


async def test_an_acknowledgement_with_bytes(socket: ClientConnection) -> None:
    await entered(socket)
    await socket.send('451-/custom,1["message-with-ack"]')  # not there
    await socket.send(b"\x00")
    await socket.send('451-789["message-with-ack",{"_placeholder":true,"num":0}]')
    await socket.send(b"\x01\x02\x03")
    assert await heard(socket) == '461-789[{"_placeholder":true,"num":0}]'
    assert await heard(socket) == b"\x01\x02\x03"


async def test_the_server_asks_for_an_acknowledgement(socket: ClientConnection) -> None:
    await entered(socket)
    await socket.send('42["ask-me"]')
    question = str(await heard(socket))
    assert question.endswith('["question","why?"]')
    number = question.removeprefix("42").partition("[")[0]
    await socket.send(f'43{number}["because"]')
    assert await heard(socket) == '42["told",["because"]]'
    await socket.send(f'43{number}["again"]')  # is ignored
    await socket.send('42["message"]')
    assert await heard(socket) == '42["message-back"]'


async def test_a_room_is_heard_by_those_in_it(served: Served, socket: ClientConnection) -> None:
    await entered(socket)
    async with web(served) as other:
        await enter(other)
        for peer in served.namespaces["/"].peers.values():
            await peer.join("tea")
        await served.namespaces["/"].emit("said", {"n": 1}, b"\x07", room="tea")
        for hearer in (socket, other):
            assert await heard(hearer) == '451-["said",{"n":1},{"_placeholder":true,"num":0}]'
            assert await heard(hearer) == b"\x07"
        await other.send('421["leave","tea"]')
        assert await heard(other) == '431["left"]'
        await served.namespaces["/"].emit("said", 2, room="tea")
        await other.send('42["message"]')
        assert await heard(other) == '42["message-back"]'
        assert await heard(socket) == '42["said",2]'


async def test_what_was_said_when_the_peer_went_is_told_to_nobody(served: Served) -> None:
    space = served.namespaces["/"]
    gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    space.on("disconnect")(lambda _, reason: gone.set_result(reason))
    async with web(served) as socket:
        await enter(socket)
    assert await gone
    assert not space.peers
    await space.emit("said", 1, room="tea")
