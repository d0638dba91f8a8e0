"""Several things at a time: nothing waits behind a stream, each keeps its order, ids come back."""

from __future__ import annotations

import asyncio

import pytest
from tests.dialects.agent_engine.engine import Engine, go_on, newest_run, steps, text_of
from tests.live.real_server import RealServer


async def test_ping_is_answered_during_a_stream(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=steps(["say", "one"], ["wait"], ["say", "two"]))
    before = await engine.until("stream_chunk")
    assert (await engine.ask("ping"))["type"] == "pong"
    await go_on(server, await newest_run(server))
    frames = await engine.until("stream_end", "error")
    assert text_of([*before, *frames]) == "onetwo"
    assert {frame["type"] for frame in frames} == {"stream_chunk", "stream_end"}


async def test_nothing_unasked_in_mid_stream(engine: Engine, server: RealServer) -> None:
    """Reasoning, tools, questions and usage of a run have no word here."""
    script = [["think", "a"], ["say", "one"], ["call", "x"], ["wait"], ["think", "b"], ["say", "two"]]
    await engine.send("streaming_query", query=steps(*script))
    frames = await engine.until("stream_chunk")
    await go_on(server, await newest_run(server))
    frames += await engine.until("stream_end", "error")
    kinds = [frame["type"] for frame in frames]
    assert (kinds[0], kinds[-1], set(kinds[1:-1])) == ("stream_start", "stream_end", {"stream_chunk"})


async def test_tools_are_called_during_a_stream(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=steps(["say", "one"], ["wait"]))
    await engine.until("stream_chunk")
    found = await engine.ask("tool_call", tool_name="calculator", params={"expression": "1+1"})
    assert (found["type"], found["result"]) == ("tool_result", 2)
    await go_on(server, await newest_run(server))
    await engine.until("stream_end")


async def test_overlapping_requests_each_in_order(engine: Engine) -> None:
    count = 20
    for number in range(count):
        parts = [["say", f"{number}.{part} "] for part in range(5)]
        kind = "streaming_query" if number % 2 else "agent_query"
        await engine.send(kind, query=steps(*parts), request_id=number)
    by_id: dict[int, list[dict[str, object]]] = {number: [] for number in range(count)}
    ended = 0
    while ended < count:
        frame = await engine.next()
        by_id[frame["request_id"]].append(frame)
        ended += frame["type"] in ("stream_end", "agent_response", "error")
    for number, frames in by_id.items():
        whole = "".join(f"{number}.{part} " for part in range(5))
        kinds = [frame["type"] for frame in frames]
        if number % 2:
            assert (kinds[0], kinds[-1], set(kinds[1:-1])) == ("stream_start", "stream_end", {"stream_chunk"})
            assert text_of(frames) == whole
        else:
            assert kinds == ["status", "agent_response"]
            assert frames[-1]["content"] == whole


async def test_a_slow_one_delays_nobody(engine: Engine, server: RealServer) -> None:
    await engine.send("agent_query", query=steps(["wait"], ["say", "slow"]), request_id="slow")
    assert (await engine.next())["type"] == "status"
    slow = await newest_run(server)
    await engine.send("agent_query", query="quick", request_id="quick")
    assert [frame["request_id"] for frame in await engine.until("agent_response")] == ["quick", "quick"]
    await go_on(server, slow)
    assert (await engine.next("agent_response"))["request_id"] == "slow"


@pytest.mark.parametrize("request_id", [1, -1, 2**53, "a", "ä" * 200])
async def test_a_request_id_comes_back_on_every_answer(engine: Engine, request_id: str | int) -> None:
    frames = [await engine.ask("ping", request_id=request_id)]
    await engine.send("agent_query", query="x", request_id=request_id)
    frames += await engine.until("agent_response")
    await engine.send("streaming_query", query="x", request_id=request_id)
    frames += await engine.until("stream_end")
    frames.append(await engine.ask("agent_query", query=steps(["fail", "x"]), request_id=request_id))
    frames.append(await engine.next("error"))
    for fields in ({"tool_name": "calculator", "params": {"expression": "1"}}, {"tool_name": "x"}, {}):
        frames.append(await engine.ask("tool_call", **fields, request_id=request_id))
    frames.append(await engine.ask("cancel", request_id=request_id))
    frames.append(await engine.ask("nothing", request_id=request_id))
    assert {frame["type"] for frame in frames} >= {
        "pong",
        "status",
        "stream_chunk",
        "tool_result",
        "cancelled",
        "error",
    }
    assert {frame.get("request_id") for frame in frames} == {request_id}


async def test_who_gives_an_id_is_told_the_run(engine: Engine, server: RealServer) -> None:
    for kind in ("agent_query", "streaming_query"):
        first = await engine.ask(kind, query="x", request_id=1)
        await engine.until("agent_response", "stream_end")
        assert first["run_id"] == await newest_run(server)


@pytest.mark.parametrize("request_id", ["", "x" * 201, 1.5, True, [], {}])
async def test_a_wrong_request_id_is_refused(engine: Engine, request_id: object) -> None:
    frame = await engine.ask("agent_query", query="x", request_id=request_id)
    assert (frame["type"], frame.get("request_id")) == ("error", None)
    assert frame["error"].startswith("request_id must be")


async def test_too_many_at_a_time_are_refused(engine: Engine) -> None:
    for _ in range(64):
        await engine.send("agent_query", query=steps(["hang"]))
        await engine.next("status")
    frame = await engine.ask("streaming_query", query="x")
    assert frame["error"].startswith("Streaming failed: 64 requests")
    assert (await engine.ask("tool_call", tool_name="clock"))["error"].startswith("Tool call failed: 64 requests")
    await engine.send("cancel")
    frames = await engine.until("cancelled")
    assert [frame["type"] for frame in frames] == ["cancelled"]
    assert {(await engine.next("error"))["error"] for _ in range(64)} == {"Query failed: cancelled"}
    await engine.send("agent_query", query="free again")
    await engine.until("agent_response")


async def test_a_slow_reader_gets_it_all_in_order(engine: Engine, server: RealServer) -> None:
    """More than a connection may hold: it is sent as the socket drains, once and in order."""
    async with Engine.connect(server, max_queue=1) as slow:
        await slow.send("streaming_query", query=steps(["count", 400, 10_000], ["wait"], ["count", 10, 10]))
        await slow.next("stream_start")
        assert (await engine.ask("ping"))["type"] == "pong"
        await go_on(server, await newest_run(server))
        whole = "".join(str(number).rjust(10_000) for number in range(400))
        async with asyncio.timeout(60):
            text = text_of(await slow.until("stream_end", "error"))
        assert text[: len(whole)] == whole
        assert text[len(whole) :] == "".join(str(number).rjust(10) for number in range(10))
