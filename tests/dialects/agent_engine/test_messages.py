"""The contract's rows of messages: each with its fields, its order and its error texts."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from tests.dialects.agent_engine.engine import Engine, runs, steps, text_of
from tests.live.real_server import RealServer


def without_time(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame without its timestamp, which must be Unix seconds of about now."""
    stamp = frame["timestamp"]
    assert isinstance(stamp, float)
    assert abs(time.time() - stamp) < 60
    return {name: value for name, value in frame.items() if name != "timestamp"}


async def test_connected_comes_first_and_nothing_else_unasked(server: RealServer) -> None:
    async with Engine.connect(server, greeted=False) as engine:
        frame = await engine.next("connected")
        assert uuid.UUID(frame.pop("connection_id")).version == 4
        assert frame == {"type": "connected", "message": "Connected to Agent WebSocket"}
        await engine.nothing_more()


async def test_ping(engine: Engine) -> None:
    assert without_time(await engine.ask("ping")) == {"type": "pong"}


async def test_agent_query(engine: Engine) -> None:
    await engine.send("agent_query", query="good morning")
    assert without_time(await engine.next()) == {"type": "status", "status": "processing"}
    assert without_time(await engine.next()) == {
        "type": "agent_response",
        "content": "good morning",
        "vendor": "unknown",
    }
    await engine.nothing_more()


async def test_agent_query_answers_with_the_runs_result(engine: Engine) -> None:
    await engine.send("agent_query", query=steps(["say", "wait"], ["call", "x"], ["say", "last"]))
    assert (await engine.until("agent_response"))[-1]["content"] == "last"
    await engine.send("agent_query", query=steps(["say", "spoken"], ["give", "given"]))
    assert (await engine.until("agent_response"))[-1]["content"] == "given"
    await engine.send("agent_query", query=steps(["give", {"answer": 42}]))
    assert json.loads((await engine.until("agent_response"))[-1]["content"]) == {"answer": 42}


async def test_streaming_query(engine: Engine) -> None:
    await engine.send("streaming_query", query=steps(["say", "one "], ["say", ""], ["say", "two"]))
    frames = [without_time(frame) for frame in await engine.until("stream_end", "error")]
    assert frames[0] == {"type": "stream_start"}
    assert frames[-1] == {"type": "stream_end"}
    chunks = frames[1:-1]
    assert {tuple(sorted(frame)) for frame in chunks} == {("content", "type")}
    assert all(frame["type"] == "stream_chunk" and frame["content"] for frame in chunks)
    assert text_of(chunks) == "one two"
    await engine.nothing_more()


async def test_a_stream_says_the_answer_and_nothing_beside_it(engine: Engine) -> None:
    said = [["think", "hm"], ["say", "I look."], ["call", "search"], ["say", "Found."], ["give", "Found."]]
    await engine.send("streaming_query", query=steps(*said))
    frames = await engine.until("stream_end", "error")
    assert {frame["type"] for frame in frames} == {"stream_start", "stream_chunk", "stream_end"}
    assert text_of(frames) == "I look.\n\nFound."


async def test_a_result_that_was_not_streamed_is_said(engine: Engine) -> None:
    await engine.send("streaming_query", query=steps(["give", {"answer": 42}]))
    assert json.loads(text_of(await engine.until("stream_end"))) == {"answer": 42}


@pytest.mark.parametrize("kind", ["agent_query", "streaming_query"])
@pytest.mark.parametrize("fields", [{}, {"query": ""}, {"query": None}, {"query": 7}, {"query": ["a"]}])
async def test_query_is_required(engine: Engine, kind: str, fields: dict[str, Any]) -> None:
    assert without_time(await engine.ask(kind, **fields)) == {"type": "error", "error": "Query is required"}
    await engine.nothing_more()


async def test_a_failed_query(engine: Engine) -> None:
    await engine.send("agent_query", query=steps(["say", "a"], ["fail", "no more tea"]))
    assert without_time((await engine.until("error", "agent_response"))[-1]) == {
        "type": "error",
        "error": "Query failed: no more tea",
    }
    await engine.nothing_more()


async def test_a_failed_stream_ends_with_error_instead_of_stream_end(engine: Engine) -> None:
    await engine.send("streaming_query", query=steps(["say", "a"], ["fail", "no more tea"]))
    frames = await engine.until("error", "stream_end")
    assert text_of(frames) == "a"
    assert without_time(frames[-1]) == {"type": "error", "error": "Streaming failed: no more tea"}
    await engine.nothing_more()


@pytest.mark.parametrize(
    ("expression", "result"),
    [("123 + 456", 579), ("7 - 10", -3), ("6 * 7", 42), ("7 / 2", 3.5), ("2 ** 10", 1024), ("17 % 5", 2), ("-(3)", -3)],
)
async def test_tool_call_gives_the_calculators_number(engine: Engine, expression: str, result: float) -> None:
    frame = await engine.ask("tool_call", tool_name="calculator", params={"expression": expression})
    assert without_time(frame) == {"type": "tool_result", "tool_name": "calculator", "result": result}
    assert type(frame["result"]) is type(result)


async def test_params_of_a_tool_may_be_left_out(engine: Engine) -> None:
    frame = await engine.ask("tool_call", tool_name="clock")
    assert (frame["type"], frame["tool_name"]) == ("tool_result", "clock")


@pytest.mark.parametrize("fields", [{}, {"tool_name": ""}, {"tool_name": None}, {"tool_name": 3}])
async def test_tool_name_is_required(engine: Engine, fields: dict[str, Any]) -> None:
    assert without_time(await engine.ask("tool_call", **fields)) == {"type": "error", "error": "Tool name is required"}


async def test_tool_not_found(engine: Engine) -> None:
    frame = await engine.ask("tool_call", tool_name="teapot", params={})
    assert without_time(frame) == {"type": "error", "error": "Tool not found: teapot"}


@pytest.mark.parametrize(
    "params", [{"expression": "1 / 0"}, {"expression": "import os"}, {}, {"expression": 3}, {"x": "1"}, [1], "1 + 1"]
)
async def test_a_failed_tool_call(engine: Engine, params: Any) -> None:
    frame = await engine.ask("tool_call", tool_name="calculator", params=params)
    assert frame["type"] == "error"
    assert frame["error"].startswith("Tool call failed: ")
    await engine.nothing_more()


@pytest.mark.parametrize(
    ("sent", "shown"), [({"type": "dance"}, "dance"), ({}, "None"), ({"type": None}, "None"), ({"type": 5}, "5")]
)
async def test_unknown_message_type(engine: Engine, sent: dict[str, Any], shown: str) -> None:
    await engine.socket.send(json.dumps(sent))
    assert without_time(await engine.next()) == {"type": "error", "error": f"Unknown message type: {shown}"}


@pytest.mark.parametrize("text", ["", "{", "ping", '{"type": "ping"} x', "{'type': 'ping'}", "[" * 5000])
async def test_invalid_json_has_no_timestamp(engine: Engine, text: str) -> None:
    await engine.socket.send(text)
    assert await engine.next() == {"type": "error", "error": "Invalid JSON format"}
    await engine.nothing_more()


@pytest.mark.parametrize("content", ["[]", "3", '"ping"', "null", "true", '[{"type": "ping"}]', b"{}", b"\x00\xff"])
async def test_what_is_no_object_gets_an_error_and_the_connection_stays(engine: Engine, content: str | bytes) -> None:
    await engine.socket.send(content)
    frame = without_time(await engine.next())
    assert frame.keys() == {"type", "error"}
    assert frame["type"] == "error"
    await engine.nothing_more()


async def test_nesting_has_a_limit(engine: Engine) -> None:
    deep = "[" * 100 + "]" * 100
    await engine.socket.send(f'{{"type": "tool_call", "tool_name": "calculator", "params": {{"expression": {deep}}}}}')
    assert (await engine.next("error"))["error"] == "Message is nested deeper than 64"
    await engine.nothing_more()


async def test_unknown_fields_are_no_error(engine: Engine) -> None:
    assert without_time(await engine.ask("ping", mood="good", run_id="x")) == {"type": "pong"}


async def test_a_message_that_is_too_long_closes_with_1009(server: RealServer) -> None:
    async with Engine.connect(server) as engine:
        await engine.send("agent_query", query="x" * (1 << 20))
        assert (await engine.closed())[0] == 1009


async def test_a_peer_that_only_sends_what_cannot_be_read_is_closed(server: RealServer) -> None:
    async with Engine.connect(server) as engine:
        for _ in range(1001):
            await engine.socket.send("[]")
        for _ in range(1001):
            await engine.next("error")
        assert await engine.closed() == (1008, "abusive")


async def test_every_question_is_a_run(engine: Engine, server: RealServer) -> None:
    await engine.send("agent_query", query="good morning")
    await engine.until("agent_response")
    row = (await runs(server))[0]
    assert (row["name"], row["status"], row["by"], row["thread_id"]) == ("scripted", "succeeded", "local", None)
    assert row["labels"] == {"dialect": "agent_engine"}


async def test_a_question_of_a_conversation_names_its_thread(engine: Engine, server: RealServer) -> None:
    await engine.send("agent_query", query="good morning", thread_id="t-1")
    await engine.until("agent_response")
    assert (await runs(server))[0]["thread_id"] == "t-1"
    assert (await engine.ask("agent_query", query="x", thread_id=3))["error"].startswith("Query failed: thread_id")
