"""Rubbish on every way in: a named error or close code each, and nobody else is disturbed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer

CHANNEL = "news:bystander"


@pytest.fixture
async def bystander(shared: RealServer) -> AsyncIterator[Rpc]:
    """Somebody else, live on a channel; must receive what is published after the rubbish."""
    async with Rpc.connect(shared.live) as rpc:
        await rpc.call("subscribe", channel=CHANNEL)
        yield rpc
        cursor = await rpc.call("publish", channel=CHANNEL, type="check", data="still here")
        assert (await rpc.next("event"))["offset"] == cursor["offset"]


async def answer_to(shared: RealServer, text: str | bytes) -> dict[str, Any]:
    """The error for one raw message, after which the connection still works."""
    async with websockets.connect(shared.live) as socket:
        await socket.recv()
        await socket.send(text)
        async with asyncio.timeout(DEADLINE_S):
            answer = json.loads(await socket.recv())
            await socket.send('{"jsonrpc":"2.0","id":"after","method":"ping"}')
            assert json.loads(await socket.recv())["id"] == "after"
    return answer


NOT_REQUESTS = {
    "not JSON": ("hello", "invalid_json", -32700),
    "empty": ("", "invalid_json", -32700),
    "half": ('{"jsonrpc":"2.0","id":1', "invalid_json", -32700),
    "NaN": ('{"jsonrpc":"2.0","id":1,"method":"ping","params":NaN}', "invalid_json", -32700),
    "lone surrogate": ('{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', "invalid_json", -32700),
    "number": ("7", "invalid_request", -32600),
    "string": ('"x"', "invalid_request", -32600),
    "null": ("null", "invalid_request", -32600),
    "empty object": ("{}", "invalid_request", -32600),
    "batch": ('[{"jsonrpc":"2.0","id":1,"method":"ping"}]', "invalid_request", -32600),
    "empty batch": ("[]", "invalid_request", -32600),
    "no version": ('{"id":1,"method":"ping"}', "invalid_request", -32600),
    "wrong version": ('{"jsonrpc":"1.0","id":1,"method":"ping"}', "invalid_request", -32600),
    "no method": ('{"jsonrpc":"2.0","id":1}', "invalid_request", -32600),
    "method is a number": ('{"jsonrpc":"2.0","id":1,"method":3}', "invalid_request", -32600),
    "id is an object": ('{"jsonrpc":"2.0","id":{},"method":"ping"}', "invalid_request", -32600),
    "id is true": ('{"jsonrpc":"2.0","id":true,"method":"ping"}', "invalid_request", -32600),
    "nested 65 deep": (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"a": 0}}).replace(
        "0}", "[" * 63 + "]" * 63 + "}"), "too_deep", -32600),
    "nested 10 000 deep": ("[" * 10_000 + "]" * 10_000, "too_deep", -32600),
    "objects 10 000 deep": ('{"a":' * 10_000 + "1" + "}" * 10_000, "too_deep", -32600),
    "binary": (b"\x00\x01", "invalid_request", -32600),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_REQUESTS)
async def test_what_is_no_request_gets_an_error_without_id(name: str, shared: RealServer, bystander: Rpc) -> None:
    text, word, number = NOT_REQUESTS[name]
    answer = await answer_to(shared, text)
    assert answer["id"] is None
    assert (answer["error"]["code"], answer["error"]["data"]["code"]) == (number, word)


CURSORS: list[Any] = [
    "",
    "tomorrow",
    "START",
    7,
    True,
    [],
    {},
    {"epoch": "x"},
    {"offset": 1},
    {"epoch": "x", "offset": -1},
    {"epoch": "x", "offset": 1.5},
    {"epoch": "x", "offset": "1"},
    {"epoch": "x", "offset": True},
    {"epoch": "x", "offset": 2**53},
    {"epoch": "", "offset": 1},
    {"epoch": "x" * 33, "offset": 1},
    {"epoch": "a:b", "offset": 1},
    {"epoch": 5, "offset": 1},
    {"epoch": "x", "offset": 1, "more": 1},
]
NAMES: list[Any] = ["", " ", "a b", "a/b", "../x", "a\n", "ä", "log:\x00", "x" * 256, "a*", "日本", "a?b", "a%20b"]


async def test_cursors_and_channel_names_of_every_wrong_kind(shared: RealServer, bystander: Rpc) -> None:
    async with Rpc.connect(shared.live) as rpc:
        for cursor in [*CURSORS, None]:
            error = await rpc.refused("subscribe", channel="news:x", after=cursor)
            assert (error["data"]["code"], error["data"]["pointer"]) == ("invalid_cursor", "/params/after"), cursor
        for name in NAMES:
            error = await rpc.refused("subscribe", channel=name)
            assert (error["data"]["code"], error["data"]["pointer"]) == ("invalid_channel", "/params/channel"), name
        for name in (None, 5, [], {}):
            error = await rpc.refused("subscribe", channel=name)
            assert (error["data"]["code"], error["data"]["pointer"]) == ("invalid_params", "/params/channel"), name


WRONG_PARAMS: list[tuple[str, Any, str]] = [
    ("publish", {"type": "x", "data": 1}, "/params/channel"),
    ("publish", {"channel": "a", "data": 1}, "/params/type"),
    ("publish", {"channel": "a", "type": "", "data": 1}, "/params/type"),
    ("publish", {"channel": "a", "type": "x" * 129, "data": 1}, "/params/type"),
    ("publish", {"channel": "a", "type": "a\nb", "data": 1}, "/params/type"),
    ("publish", {"channel": "a", "type": "x"}, "/params/data"),
    ("publish", {"channel": "a", "type": "x", "data": 1, "idempotency_key": ""}, "/params/idempotency_key"),
    ("publish", {"channel": "a", "type": "x", "data": 1, "by": "somebody else"}, "/params/by"),
    ("history", {"channel": "a", "limit": 0}, "/params/limit"),
    ("history", {"channel": "a", "limit": 1001}, "/params/limit"),
    ("history", {"channel": "a", "limit": "5"}, "/params/limit"),
    ("history", {"channel": "a", "after": -1}, "/params/after"),
    ("search", {"channel": "a"}, "/params/text"),
    ("search", {"channel": "a", "text": ""}, "/params/text"),
    ("unsubscribe", {"channel": 1}, "/params/channel"),
    ("process.start", {}, "/params/name"),
    ("ping", {"extra": 1}, "/params/extra"),
    ("ping", [], "/params"),
]


@pytest.mark.parametrize(("method", "values", "pointer"), WRONG_PARAMS)
async def test_wrong_parameters_are_pointed_at(method: str, values: Any, pointer: str, shared: RealServer) -> None:
    text = json.dumps({"jsonrpc": "2.0", "id": 9, "method": method, "params": values})
    answer = await answer_to(shared, text)
    assert answer["id"] == 9
    assert answer["error"]["code"] == -32602
    assert answer["error"]["data"] == {"code": "invalid_params", "pointer": pointer, "retryable": False}


async def test_unknown_things_have_names(shared: RealServer, bystander: Rpc) -> None:
    async with Rpc.connect(shared.live) as rpc:
        assert (await rpc.refused("process.explode"))["code"] == -32601
        assert (await rpc.refused("process.start", name="nobody"))["data"]["code"] == "not_found"
        assert (await rpc.refused("unsubscribe", channel="a"))["data"]["code"] == "not_subscribed"
        await rpc.call("subscribe", channel="a")
        assert (await rpc.refused("subscribe", channel="a"))["data"]["code"] == "already_subscribed"
        for channel in ("processes", "logs", "log:x", "run:1", "thread:1", "forum:main"):
            error = await rpc.refused("publish", channel=channel, type="x", data=1)
            assert error["data"]["code"] == "channel_owned", channel


async def test_a_refused_notification_is_a_problem(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc:
        await rpc.next("welcome")
        message = {"jsonrpc": "2.0", "method": "publish", "params": {"channel": "log:x", "type": "x", "data": 1}}
        await rpc.socket.send(json.dumps(message))
        problem = await rpc.next("problem")
        assert problem["code"] == -32000
        assert problem["data"] == {"code": "channel_owned", "retryable": False}


async def test_a_message_of_10_mb_closes_with_1009(shared: RealServer, bystander: Rpc) -> None:
    async with websockets.connect(shared.live) as socket:
        await socket.recv()
        with pytest.raises(websockets.ConnectionClosed) as closed:  # noqa: PT012 - the write or the read may see it
            await socket.send("x" * 10_000_000)
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_invalid_utf8_closes_with_1007(shared: RealServer, bystander: Rpc) -> None:
    async with websockets.connect(shared.live) as socket:
        await socket.recv()
        await socket.send(b"\xff\xfe", text=True)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007


async def test_10_000_subscriptions_stop_at_the_limit(shared: RealServer, bystander: Rpc) -> None:
    async with Rpc.connect(shared.live) as rpc:
        replies = [await rpc.send("subscribe", channel=f"many:{number}") for number in range(10_000)]
        answers = await asyncio.gather(*replies)
        granted = [answer for answer in answers if "result" in answer]
        codes = {answer["error"]["data"]["code"] for answer in answers if "error" in answer}
        assert len(granted) == 1000
        assert codes == {"too_many_subscriptions"}


async def test_endless_rubbish_is_abusive(shared: RealServer, bystander: Rpc) -> None:
    async with websockets.connect(shared.live) as socket:
        with pytest.raises(websockets.ConnectionClosed) as closed:  # noqa: PT012
            for _ in range(5000):
                await socket.send("rubbish")
            while True:
                await socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "abusive")


HTTP_REFUSALS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/api/channels/a%20b/events", {}, 422, "invalid_channel"),
    ("GET", "/api/channels/a/events?after=x", {}, 422, "invalid_params"),
    ("GET", "/api/channels/a/events?limit=1001", {}, 422, "invalid_params"),
    ("GET", "/api/channels/a/search", {}, 422, "invalid_params"),
    ("GET", "/api/stream", {}, 422, "invalid_params"),
    ("GET", "/api/stream?channel=a%2Fb", {}, 422, "invalid_channel"),
    ("GET", "/api/stream?channel=a&after=yesterday", {}, 422, "invalid_cursor"),
    ("GET", "/api/stream?channel=a&channel=b&after=e:1", {}, 422, "invalid_cursor"),
    ("GET", "/api/stream?channel=a&channel=a", {}, 409, "already_subscribed"),
    ("GET", "/api/nothing", {}, 404, "not_found"),
    ("GET", "/../../etc/passwd", {}, 404, "not_found"),
    ("GET", "/assets/..%2f..%2fapp.py", {}, 404, "not_found"),
    ("PUT", "/api/channels", {}, 405, "method_not_allowed"),
    ("POST", "/api/channels/a/events", {"content": b"{"}, 400, "invalid_request"),
    ("POST", "/api/channels/a/events", {"json": {"type": "x"}}, 422, "invalid_params"),
    ("POST", "/api/channels/log:a/events", {"json": {"type": "x", "data": 1}}, 403, "channel_owned"),
    ("POST", "/api/channels/a/events", {"json": {"type": "x", "data": "y" * 2_000_000}}, 413, "too_large"),
    ("POST", "/api/processes/nobody/start", {}, 404, "not_found"),
    ("POST", "/api/processes/nobody/explode", {}, 422, "invalid_params"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), HTTP_REFUSALS)
async def test_http_refusals_have_one_form(
    method: str, path: str, body: dict[str, Any], status: int, code: str, shared: RealServer
) -> None:
    async with httpx2.AsyncClient(base_url=shared.url, timeout=DEADLINE_S) as client:
        answer = await client.request(method, path, **body)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == code
    assert answer.json().keys() - {"pointer"} == {"code", "message", "retryable"}


words = st.sampled_from(["jsonrpc", "id", "method", "params", "channel", "after", "x"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)
messages = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200),
    json_values.map(json.dumps),
    st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0"), "id": st.integers(), "params": json_values,
         "method": st.sampled_from(["publish", "subscribe", "history", "search", "state", "ping", "unsubscribe"])}
    ).map(json.dumps),
)  # fmt: skip


async def test_any_message_is_answered_or_closes_and_the_server_lives(shared: RealServer, bystander: Rpc) -> None:
    loop = asyncio.get_running_loop()

    async def probe(texts: list[str | bytes]) -> None:
        async with websockets.connect(shared.live, max_size=None) as socket:
            await socket.recv()
            for text in texts:
                await socket.send(text)
            await socket.send('{"jsonrpc":"2.0","id":"end","method":"ping"}')
            async with asyncio.timeout(DEADLINE_S):
                while json.loads(await socket.recv()).get("id") != "end":
                    pass

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.lists(messages, min_size=1, max_size=8))
    def search(texts: list[str | bytes]) -> None:
        asyncio.run_coroutine_threadsafe(probe(texts), loop).result(DEADLINE_S)

    await asyncio.to_thread(search)


async def test_rubbish_instead_of_http_ends_only_that_connection(shared: RealServer, bystander: Rpc) -> None:
    for raw in (b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", b"A" * 100_000):
        reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
        writer.write(raw)
        writer.write_eof()
        async with asyncio.timeout(DEADLINE_S):
            answer = await _whole(reader)
        assert not answer or answer.startswith(b"HTTP/1.1 4")
        writer.close()


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """What came before the end; nothing where the server closed with rubbish unread, which resets the connection."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
