"""Cancel cancels: at every moment, what is meant and nothing else, and no chunk follows `cancelled`."""

from __future__ import annotations

from typing import Any

from tests.dialects.agent_engine.engine import Engine, get, go_on, newest_run, outcome, post, runs, steps
from tests.live.real_server import RealServer

HANGS = steps(["say", "one "], ["say", "two "], ["hang"])


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


async def test_cancel_with_nothing_under_way(engine: Engine) -> None:
    frame = await engine.ask("cancel")
    assert frame.keys() == {"type", "timestamp"}
    assert frame["type"] == "cancelled"
    await engine.nothing_more()


async def test_a_stream_is_cancelled_then_ended(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=HANGS)
    await engine.until("stream_chunk")
    await engine.send("cancel")
    frames = await engine.until("cancelled")
    assert set(kinds(frames[:-1])) <= {"stream_chunk"}
    assert (await engine.next("stream_end")).keys() == {"type", "timestamp"}
    await engine.nothing_more()
    assert await outcome(server, await newest_run(server)) == "cancelled"


async def test_before_the_first_token(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=steps(["hang"]))
    await engine.send("cancel")
    assert kinds(await engine.until("stream_end")) == ["stream_start", "cancelled", "stream_end"]
    assert await outcome(server, await newest_run(server)) == "cancelled"


async def test_a_cancel_counts_though_the_socket_is_gone_at_once(server: RealServer) -> None:
    for _ in range(10):
        async with Engine.connect(server) as engine:
            await engine.send("streaming_query", query=steps(["hang"]), request_id=1)
            await engine.send("cancel")
            await engine.send("ping")
            run_id = (await engine.next("stream_start"))["run_id"]
            await engine.until("pong")  # the cancel has arrived
            engine.socket.transport.abort()
        if (await get(server, f"/api/runs/{run_id}")).status_code != 404:  # else it was stopped before it began
            assert await outcome(server, run_id) == "cancelled"


async def test_twice_and_once_more(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=HANGS)
    await engine.until("stream_chunk")
    for _ in range(3):
        await engine.send("cancel")
    frames: list[dict[str, Any]] = []
    while kinds(frames).count("cancelled") < 3 or "stream_end" not in kinds(frames):
        frames.append(await engine.next())
    assert "stream_chunk" not in kinds(frames)[kinds(frames).index("cancelled") :]
    assert kinds(frames).count("stream_end") == 1
    await engine.nothing_more()
    assert await outcome(server, await newest_run(server)) == "cancelled"


async def test_all_of_this_connection_and_of_no_other(engine: Engine, server: RealServer) -> None:
    async with Engine.connect(server) as other:
        await other.send("streaming_query", query=steps(["wait"], ["say", "whole"]))
        await other.next("stream_start")
        theirs = await newest_run(server)
        for number in range(3):
            await engine.send("streaming_query", query=HANGS, request_id=number)
        await engine.send("agent_query", query=steps(["hang"]), request_id="q")
        await engine.until("status")
        await engine.send("cancel")
        frames = await engine.until("cancelled")
        assert "request_id" not in frames[-1]
        after = [await engine.next() for _ in range(4)]
        assert sorted((str(frame["request_id"]), frame["type"]) for frame in after) == [
            ("0", "stream_end"),
            ("1", "stream_end"),
            ("2", "stream_end"),
            ("q", "error"),
        ]
        await engine.nothing_more()
        await go_on(server, theirs)
        assert (await other.until("stream_end", "error"))[-1]["type"] == "stream_end"
    assert [row["status"] for row in (await runs(server))[:4]] == ["cancelled"] * 4


async def test_with_a_request_id_only_that_one(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=steps(["say", "a"], ["wait"], ["say", "b"]), request_id="stays")
    await engine.until("stream_chunk")
    stays = await newest_run(server)
    await engine.send("streaming_query", query=HANGS, request_id="goes")
    await engine.until("stream_chunk")
    await engine.send("cancel", request_id="goes")
    frames = await engine.until("stream_end")
    assert {frame["request_id"] for frame in frames} == {"goes"}
    assert kinds(frames)[-2:] == ["cancelled", "stream_end"]
    await go_on(server, stays)
    frames = await engine.until("stream_end", "error")
    assert {frame["request_id"] for frame in frames} == {"stays"}
    assert kinds(frames) == ["stream_chunk", "stream_end"]


async def test_a_request_id_that_nobody_has(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=steps(["say", "a"], ["wait"]), request_id="stays")
    await engine.until("stream_chunk")
    frame = await engine.ask("cancel", request_id="unknown")
    assert (frame["type"], frame["request_id"]) == ("cancelled", "unknown")
    await go_on(server, await newest_run(server))
    await engine.until("stream_end")


async def test_a_whole_answer_that_was_cancelled_ends_with_an_error(engine: Engine, server: RealServer) -> None:
    await engine.send("agent_query", query=steps(["say", "half"], ["hang"]))
    await engine.next("status")
    assert (await engine.ask("cancel"))["type"] == "cancelled"
    assert (await engine.next())["error"] == "Query failed: cancelled"
    await engine.nothing_more()
    assert await outcome(server, await newest_run(server)) == "cancelled"


async def test_while_a_question_is_open(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=steps(["say", "a"], ["wait"]))
    await engine.until("stream_chunk")
    await engine.send("cancel")
    assert kinds(await engine.until("stream_end"))[-2:] == ["cancelled", "stream_end"]
    assert await outcome(server, await newest_run(server)) == "cancelled"


async def test_after_the_end_nothing_is_left_to_cancel(engine: Engine) -> None:
    await engine.send("streaming_query", query="done")
    await engine.until("stream_end")
    assert (await engine.ask("cancel"))["type"] == "cancelled"
    await engine.nothing_more()


async def test_somebody_else_cancels_and_it_does_not_read_as_success(engine: Engine, server: RealServer) -> None:
    for kind, failed in (("streaming_query", "Streaming failed"), ("agent_query", "Query failed")):
        await engine.send(kind, query=HANGS)
        await engine.until("stream_chunk", "status")
        await post(server, f"/api/runs/{await newest_run(server)}/cancel", {})
        frames = await engine.until("error", "stream_end", "agent_response")
        assert (frames[-1]["type"], frames[-1]["error"]) == ("error", f"{failed}: cancelled")
        await engine.nothing_more()


async def test_two_cancel_at_the_same_time(engine: Engine, server: RealServer) -> None:
    await engine.send("streaming_query", query=HANGS)
    await engine.until("stream_chunk")
    run_id = await newest_run(server)
    await engine.send("cancel")
    await post(server, f"/api/runs/{run_id}/cancel", {})
    frames = await engine.until("stream_end", "error")
    assert kinds(frames)[-2:] == ["cancelled", "stream_end"] or kinds(frames)[-1] == "error"
    assert await outcome(server, run_id) == "cancelled"


async def test_a_hundred_cancels_at_any_moment(engine: Engine, server: RealServer) -> None:
    """However far a stream is: `cancelled`, no chunk after it, one end, and the next question is answered."""
    script = steps(*[["say", f"{part} "] for part in range(30)])
    for moment in range(100):
        await engine.send("streaming_query", query=script)
        await engine.next("stream_start")
        seen: list[dict[str, Any]] = []
        while len(seen) < moment % 7 and "stream_end" not in kinds(seen):
            seen.append(await engine.next())
        await engine.send("cancel")
        while not {"cancelled", "stream_end"} <= set(kinds(seen)):
            seen.append(await engine.next())
        after = kinds(seen)[kinds(seen).index("cancelled") :]
        assert after in (["cancelled"], ["cancelled", "stream_end"])
        assert kinds(seen).count("stream_end") == 1
    await engine.nothing_more()
    assert {row["status"] for row in await runs(server)} <= {"succeeded", "cancelled", "failed"}
