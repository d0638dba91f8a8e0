"""Agents of a real server, and one in a process of its own: asked, watched, answered and cancelled by others."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.agents.kit import PATIENCE_S, script
from tests.agents.model_server import ModelServer
from tests.live.real_server import RealServer
from tests.live.workspace import serving

import antiphon

ROOT = Path(__file__).resolve().parents[2]
ENDLESS = script([{"text": "I begin"}, {"repeat": " and go on", "times": 100_000, "every_ms": 1}])


@pytest.fixture
async def server(tmp_path: Path, models: ModelServer) -> AsyncIterator[RealServer]:
    tables = {
        "model.scripted": {"name": "scripted", "base_url": models.url},
        "agent.chat": {"model": "scripted", "if_busy": "queue"},
    }
    async with serving(tmp_path, tables) as found:
        yield found


async def mine(server: RealServer, models: ModelServer, prompt: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.agents.own_agent", server.url, str(models.port), "r1", prompt,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def closed(models: ModelServer, number: int = 1) -> str | None:
    async with asyncio.timeout(PATIENCE_S):
        await models.requests[number - 1].over.wait()
    return models.requests[number - 1].closed_by


async def test_an_answer_is_cancelled_from_another_connection(server: RealServer, models: ModelServer) -> None:
    async with antiphon.connect(server.url) as one, antiphon.connect(server.url) as other:
        row = await one.start_run("chat", ENDLESS, thread_id="t")
        await models.until(1, chunks=20)
        receipt = await other.cancel_run(row.run_id, "enough")
        assert receipt.stopped == (row.run_id,)
        assert await closed(models) == "client"
        assert (await one.run_result(row.run_id)).status == "cancelled"


async def test_whoever_asked_may_go(server: RealServer, models: ModelServer) -> None:
    async with antiphon.connect(server.url) as one:
        row = await one.start_run("chat", script([{"text": "Yes"}, {"wait": "go"}, {"text": "!"}]))
        await models.until(1, chunks=2)
    models.open("go")
    async with antiphon.connect(server.url) as other:
        found = await other.run_result(row.run_id)
        assert (found.status, found.result) == ("succeeded", "Yes!")


async def test_a_program_of_its_own_is_cancelled_from_outside(server: RealServer, models: ModelServer) -> None:
    program = await mine(server, models, ENDLESS)
    await models.until(1, chunks=20)
    async with antiphon.connect(server.url) as live:
        await live.cancel_run("r1", "enough")
        assert await closed(models) == "client"
        out, _ = await program.communicate()
        assert out == b"RunCancelled\n"
        assert (await live.get_run("r1")).run.status == "cancelled"


async def test_a_program_of_its_own_is_answered_from_outside(server: RealServer, models: ModelServer) -> None:
    prompt = script([{"call": "pay", "arguments": {"amount": 500}}], [{"text": "Done."}])
    program = await mine(server, models, prompt)
    async with antiphon.connect(server.url) as live, asyncio.timeout(PATIENCE_S):
        while not (open_questions := await live.questions()):  # noqa: ASYNC110 - asked of the server
            await asyncio.sleep(0.01)
        await live.answer(open_questions[0].question_id, {"amount": 5}, action="edit")
        out, _ = await program.communicate()
        assert out == b"Done.\n"
    assert models.requests[1].messages[-1]["content"] == "paid 5"


async def test_a_killed_server_goes_on_with_the_thread(server: RealServer, models: ModelServer) -> None:
    async with antiphon.connect(server.url) as live:
        first = await live.start_run("chat", "My name is Ann.", thread_id="t")
        await live.run_result(first.run_id)
        await live.start_run("chat", ENDLESS, thread_id="t")
        await models.until(2, chunks=50)
    await server.kill()
    assert await closed(models, 2) == "client"
    await server.start()
    async with antiphon.connect(server.url) as live:
        last = await live.start_run("chat", "Who am I?", thread_id="t")
        await live.run_result(last.run_id)
        contents = [message["content"] for message in models.requests[-1].messages]
        assert contents[:2] == ["My name is Ann.", "You said: My name is Ann."]
        assert contents[3].startswith("I begin and go on")
        assert contents[-1] == "Who am I?"
        statuses = [run.status for run in (await live.runs(thread_id="t")).runs]
        assert statuses == ["succeeded", "lost", "succeeded"]
