"""The dialect over real agents: an OpenAI-compatible server that is seen to be hung up on, and the offline model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.agents.model_server import ModelServer, Request
from tests.dialects.agent_engine.engine import (
    Engine,
    get,
    newest_run,
    outcome,
    runs,
    scripted_server,
    text_of,
)
from tests.live.peers import DEADLINE_S
from tests.live.real_server import RealServer

pytest.importorskip("pydantic_ai")
pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = """
[agent.assistant]
model = "local"
on_disconnect = "{on_disconnect}"

[model.local]
name = "small"
base_url = "{url}"
"""


def script(*rounds: list[dict[str, Any]]) -> str:
    return json.dumps({"rounds": rounds})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as found:
        yield found


@asynccontextmanager
async def serving(folder: Path, settings: str) -> AsyncIterator[RealServer]:
    found = scripted_server(folder, settings=settings)
    await found.start()
    try:
        yield found
    finally:
        await found.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    tmp_path_factory: pytest.TempPathFactory, model: ModelServer, sockets: str
) -> AsyncIterator[RealServer]:
    """One for all: it imports much."""
    settings = SETTINGS.format(url=model.url, on_disconnect="continue")
    async with serving(tmp_path_factory.mktemp("agents"), settings) as found:
        yield found


async def hung_up(model: ModelServer, number: int) -> Request:
    """A request to the model, once it is over."""
    async with asyncio.timeout(DEADLINE_S):
        request = await model.until(number)
        await request.over.wait()
    return request


async def test_whole_and_streamed(server: RealServer) -> None:
    async with Engine.connect(server) as engine:
        await engine.send("agent_query", query="tea?")
        answer = (await engine.until("agent_response", "error"))[-1]
        assert (answer.get("content"), answer.get("vendor")) == ("You said: tea?", "openai")
        text = "Ein grüner Tee 🍵, \n bitte.  " * 50
        await engine.send("streaming_query", query=script([{"think": "hm"}, {"text": text, "size": 5}]))
        frames = await engine.until("stream_end", "error")
        assert text_of(frames) == text
        assert {frame["type"] for frame in frames} == {"stream_start", "stream_chunk", "stream_end"}


async def test_tools_are_called_in_mid_answer(server: RealServer) -> None:
    call = {"call": "calculator", "arguments": {"expression": "6*7"}}
    async with Engine.connect(server) as engine:
        await engine.send("streaming_query", query=script([{"text": "I count. "}, call], [{"text": "It is 42."}]))
        assert text_of(await engine.until("stream_end", "error")) == "I count. \n\nIt is 42."


async def test_every_query_stands_alone_unless_it_names_a_thread(server: RealServer, model: ModelServer) -> None:
    before = len(model.requests)
    async with Engine.connect(server) as engine:
        for thread in (None, None, "t", "t"):
            await engine.send("agent_query", query="again", **({} if thread is None else {"thread_id": thread}))
            await engine.until("agent_response")
    said = [sum(message["role"] == "user" for message in request.messages) for request in model.requests[before:]]
    assert said == [1, 1, 1, 2]


async def test_a_model_that_fails(server: RealServer) -> None:
    async with Engine.connect(server) as engine:
        await engine.send("streaming_query", query=script([{"text": "half "}, {"drop": True}]))
        frames = await engine.until("stream_end", "error")
        assert frames[-1]["type"] == "error"
        assert frames[-1]["error"].startswith("Streaming failed: ")
        await engine.nothing_more()


async def test_cancel_closes_the_models_request(server: RealServer, model: ModelServer) -> None:
    """Before the model has answered, before its first token, in mid-answer, and in its second round."""
    hang = {"wait": "never"}
    call = {"call": "calculator", "arguments": {"expression": "6*7"}}
    moments: list[tuple[str, int, int]] = [
        (script([hang]), 1, 0),
        (script([{"think": "hm "}, hang]), 1, 1),
        (script([{"text": "one two three "}, hang]), 1, 2),
        (script([{"repeat": "word ", "times": 100_000, "every_ms": 1}]), 1, 20),
        (script([call], [{"text": "and "}, hang]), 2, 1),
    ]
    asked = len(model.requests)
    async with Engine.connect(server) as engine:
        for query, requests, chunks in moments * 4:
            await engine.send("streaming_query", query=query)
            asked += requests
            async with asyncio.timeout(DEADLINE_S):
                await model.until(asked, chunks=chunks)
            await engine.send("cancel")
            frames = await engine.until("cancelled")
            assert (await engine.next())["type"] == "stream_end"
            assert {frame["type"] for frame in frames} <= {"stream_start", "stream_chunk", "cancelled"}
            assert (await hung_up(model, asked)).closed_by == "client"
            assert await outcome(server, await newest_run(server)) == "cancelled"
        await engine.nothing_more()
    assert len(model.requests) == asked


async def test_by_default_an_answer_outlives_its_socket(server: RealServer, model: ModelServer) -> None:
    number = len(model.requests) + 1
    async with Engine.connect(server) as engine:
        frame = await engine.ask("streaming_query", query=script([{"text": "one "}, {"wait": "gone"}, {"text": "two"}]))
        assert frame["type"] == "stream_start"
        await engine.until("stream_chunk")
    model.open("gone")
    run_id = await newest_run(server)
    assert await outcome(server, run_id) == "succeeded"
    assert (await get(server, f"/api/runs/{run_id}")).json()["result"] == "one two"
    assert (await hung_up(model, number)).closed_by == "server"


async def test_an_agent_may_be_set_to_end_with_its_socket(tmp_path: Path, model: ModelServer, sockets: str) -> None:
    number = len(model.requests) + 1
    async with serving(tmp_path, SETTINGS.format(url=model.url, on_disconnect="cancel")) as server:
        async with Engine.connect(server) as engine:
            await engine.send("streaming_query", query=script([{"text": "one "}, {"wait": "never"}]))
            await engine.until("stream_chunk")
        assert (await hung_up(model, number)).closed_by == "client"
        assert await outcome(server, await newest_run(server)) == "cancelled"


async def test_without_settings_the_offline_model_answers(tmp_path: Path, sockets: str) -> None:
    async with serving(tmp_path, "") as server:
        async with Engine.connect(server) as engine:
            await engine.send("agent_query", query="What is 123 + 456?")
            answer = (await engine.until("agent_response", "error"))[-1]
            assert answer["vendor"] == "offline"
            assert "579" in answer["content"]
            await engine.send("streaming_query", query="What is 123 + 456?")
            assert "579" in text_of(await engine.until("stream_end", "error"))
        assert [row["name"] for row in await runs(server)] == ["assistant", "assistant"]
        assert (await get(server, "/ready")).json()["ready"]
