"""Agents of each library in a process of their own, at a real server: killed, answered and cancelled from elsewhere."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.adapters.kit import LONG
from tests.agents.kit import script
from tests.agents.model_server import ModelServer
from tests.client.stories import story
from tests.live.real_server import RealServer

import antiphon
from antiphon import AsyncLive, Event

pytestmark = pytest.mark.slow  # each starts programs that import large libraries
ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
each_library = pytest.mark.parametrize("library", ["langgraph", "openai_agents", "pydantic_ai"])
WORDS = "Grüner Tee 🍵 und schwarzer, beide heiß. " * 20


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RealServer]:
    found = RealServer(tmp_path / "data")
    await found.start()
    yield found
    await found.kill()


@pytest.fixture
async def live(server: RealServer) -> AsyncIterator[AsyncLive]:
    """Somebody who watches."""
    async with antiphon.connect(server.url) as live:
        yield live


@asynccontextmanager
async def program(
    library: str, run_id: str, server: RealServer, models: ModelServer, prompt: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.adapters.agent_program", library, run_id, models.url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "ANTIPHON_URL": server.url},
        cwd=ROOT,
    )
    assert process.stdin is not None
    process.stdin.write(prompt.encode())
    process.stdin.close()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until_said(live: AsyncLive, run_id: str, kind: str, text: str = "") -> Event:
    """The first event of this kind that has the text in it; the run need not have begun."""
    async with asyncio.timeout(PATIENCE_S):
        async for item in live.subscribe(f"run:{run_id}", after="start"):
            if isinstance(item, Event) and item.type == kind and text in str(item.data):
                return item
    raise AssertionError("unreachable")


async def ends(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        printed = await process.stdout.read()
        assert await process.wait() == 0
    return printed.decode().strip()


@each_library
async def test_a_killed_server_changes_nothing_of_what_was_said(
    library: str, server: RealServer, live: AsyncLive, models: ModelServer
) -> None:
    call = {"call": "add", "arguments": {"a": 2, "b": 3}, "size": 3}
    prompt = script(
        [{"think": "Hm. " * 20}, {"text": WORDS, "size": 5}, {"wait": "one"}, call],
        [{"text": "It is "}, {"wait": "two"}, {"text": WORDS, "size": 5}],
    )
    async with program(library, "cut", server, models, prompt) as process:
        for gate, words in (("one", "heiß"), ("two", "It is")):
            await until_said(live, "cut", "message.append", words)
            await server.kill()
            models.open(gate)  # it goes on while nobody listens
            await server.start()
        assert await ends(process) == ""
    told = await story(live, "cut")
    assert told["texts"] == [
        ["user", prompt, "completed"],
        ["reasoning", "Hm. " * 20, "completed"],
        ["assistant", WORDS, "completed"],
        ["assistant", "It is " + WORDS, "completed"],
    ]
    assert [(tool["args"], tool["status"]) for tool in told["tools"].values()] == [('{"a": 2, "b": 3}', "succeeded")]
    assert told["outcome"] == ("run.succeeded", {"result": "It is " + WORDS})


@each_library
async def test_another_client_answers_what_is_asked(
    library: str, server: RealServer, live: AsyncLive, models: ModelServer
) -> None:
    prompt = script([{"call": "pay", "arguments": {"amount": 5}}], [{"text": "Done."}])
    async with program(library, "asks", server, models, prompt) as process:
        await until_said(live, "asks", "question.asked")
        (question,) = await live.questions(run_id="asks")
        assert (question.kind, question.prompt, question.value) == ("approval", "Call pay?", {"amount": 5})
        await live.answer(question.question_id, action="approve")
        await ends(process)
    told = await story(live, "asks")
    assert [(tool["status"], tool["result"]) for tool in told["tools"].values()] == [("succeeded", "paid 5")]
    assert told["outcome"] == ("run.succeeded", {"result": "Done."})


@each_library
async def test_two_at_once_and_one_is_cancelled_from_elsewhere(
    library: str, server: RealServer, live: AsyncLive, models: ModelServer
) -> None:
    going_on = script([{"text": "One "}, {"wait": "gate"}, {"text": "more."}])
    async with (
        program(library, "stays", server, models, going_on) as stays,
        program(library, "goes", server, models, script([LONG])) as goes,
    ):
        await until_said(live, "stays", "message.append", "One")
        await until_said(live, "goes", "message.append", "word word")
        assert (await live.cancel_run("goes")).status in ("cancelling", "cancelled")
        assert await ends(goes) == "cancelled"
        hung_up = next(request for request in models.requests if "100000" in str(request.messages))
        await hung_up.over.wait()
        assert hung_up.closed_by == "client"
        models.open("gate")
        assert await ends(stays) == ""
    assert (await story(live, "goes"))["texts"][-1][2] == "cancelled"
    assert (await story(live, "goes"))["outcome"][0] == "run.cancelled"
    assert (await story(live, "stays"))["outcome"] == ("run.succeeded", {"result": "One more."})
