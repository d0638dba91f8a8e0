"""Cancels at every point: the request to the model is closed, and nothing is said after the outcome."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from tests.agents.kit import PATIENCE_S, Life, Stage, life_on, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import until

from antiphon.adapters.pydantic_ai import runnable
from antiphon.brokers.memory import MemoryBroker
from antiphon.services.runs.says import GROWING
from antiphon.services.tools import Tool, ToolContext

ENDLESS = {"repeat": "token ", "times": 100_000, "every_ms": 1}
LETTERS = {"call": "calculator", "arguments": '{"expression": "1' + "+1" * 2000, "size": 4}


async def has_words(life: Life, run_id: str) -> bool:
    return any(role == "assistant" and text for role, text, _ in await life.texts(run_id))


async def sooner_or_later(holds: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110 - for what is stored there is no event to wait for
            await asyncio.sleep(0.002)


async def check_silence(life: Life, run_id: str) -> None:
    """Cancelled; nothing grew after that was said; all that was open is closed; the outcome is the last word."""
    events = await life.events(run_id)
    kinds = [event.type for event in events]
    assert kinds[-1] == "run.cancelled"
    told = next((at for at, e in enumerate(events) if e.type == "run.status" and e.data["status"] == "cancelling"), 0)
    assert told == 0 or not GROWING & set(kinds[told:])
    for begun, ended in (("message.open", "message.close"), ("tool.start", "tool.end")):
        assert kinds.count(begun) == kinds.count(ended)


async def cut(life: Life, models: ModelServer, run_id: str, number: int = 1) -> None:
    await life.cancel(run_id)
    assert (await life.ended(run_id))["status"] == "cancelled"
    async with asyncio.timeout(PATIENCE_S):
        await models.requests[number - 1].over.wait()
    assert models.requests[number - 1].closed_by == "client"
    await check_silence(life, run_id)


async def test_before_the_first_token(life: Life, models: ModelServer) -> None:
    await life.ask("r", script([{"wait": "never"}, {"text": "Too late."}]))
    await models.until(1)
    await cut(life, models, "r")
    assert [role for role, _, _ in await life.texts("r")] == ["user"]


async def test_in_the_middle_of_a_text(life: Life, models: ModelServer) -> None:
    await life.ask("r", script([ENDLESS]))
    await sooner_or_later(lambda: has_words(life, "r"))
    await cut(life, models, "r")
    role, text, status = (await life.texts("r"))[-1]
    assert (role, status) == ("assistant", "cancelled")
    assert text.startswith("token ")


async def test_in_the_middle_of_arguments(life: Life, models: ModelServer) -> None:
    await life.ask("r", script([LETTERS, {"wait": "never"}]))
    await sooner_or_later(lambda: life.data("r", "tool.args"))
    await cut(life, models, "r")
    assert [end["status"] for end in await life.data("r", "tool.end")] == ["cancelled"]


async def test_in_the_middle_of_a_tool(models: ModelServer) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def call(_: ToolContext, __: dict[str, Any]) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    async with life_on(MemoryBroker(), models, tools=[Tool("hang", "Hangs.", {"type": "object"}, call)]) as life:
        await life.ask("r", script([{"call": "hang"}], [{"text": "Never."}]))
        await begun.wait()
        await life.cancel("r")
        assert (await life.ended("r"))["status"] == "cancelled"
        assert ended.is_set()
        assert len(models.requests) == 1
        await check_silence(life, "r")


async def test_while_people_are_asked(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models, needs_approval=("*",)) as life:
        await life.ask("r", script([{"call": "clock"}], [{"text": "Never."}]))
        question = await life.question("r")
        await life.cancel("r")
        assert (await life.ended("r"))["status"] == "cancelled"
        assert life.questions.get(question["question_id"])["status"] == "withdrawn"
        assert len(models.requests) == 1
        await check_silence(life, "r")


async def test_twice_at_once(life: Life, models: ModelServer) -> None:
    await life.ask("r", script([ENDLESS]))
    await models.until(1, chunks=5)
    await asyncio.gather(*(life.cancel("r") for _ in range(3)))
    await cut(life, models, "r")


async def test_in_the_second_round(life: Life, models: ModelServer) -> None:
    await life.ask("r", script([{"call": "clock"}], [ENDLESS]))
    await models.until(2, chunks=5)
    await cut(life, models, "r", 2)


async def test_a_tool_that_swallows_its_cancellation_cannot_make_the_answer_go_on(
    stage: Stage, chat: OpenAIChatModel, models: ModelServer
) -> None:
    agent = Agent(chat)
    begun = asyncio.Event()

    @agent.tool_plain
    async def stubborn() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "I go on"
        return "never"

    stage.offer("chat", runnable(agent))
    await stage.start("chat", "r", prompt=script([{"call": "stubborn"}], [{"text": "Never."}]))
    await begun.wait()
    await stage.runs.cancel("r", by="bob")
    assert (await stage.ended("r"))["status"] == "cancelled"
    assert len(models.requests) == 1


async def at_random(life: Life, models: ModelServer, number: int, chance: random.Random) -> None:
    """One answer that would never end, cancelled at any point of it, perhaps twice."""
    run_id = f"r{number}"
    steps: list[dict[str, Any]] = [{"text": "word " * 20, "size": 5}, ENDLESS]
    plan = [[{"call": "calculator", "arguments": {"expression": "1+1"}, "size": 3}], steps]
    await life.ask(run_id, script(*plan), f"t{number % 5}" if chance.random() < 0.5 else None, if_busy="queue")
    for _ in range(chance.randint(0, 120)):
        await asyncio.sleep(0)
    await asyncio.sleep(chance.choice((0, 0, 0.001, 0.01, 0.05)))
    await asyncio.gather(*(life.cancel(run_id) for _ in range(chance.randint(1, 2))))
    assert (await life.ended(run_id))["status"] == "cancelled"
    await check_silence(life, run_id)


@pytest.mark.parametrize("seed", range(4))
async def test_at_any_moment(life: Life, models: ModelServer, seed: int) -> None:
    chance = random.Random(seed)
    await asyncio.gather(*(at_random(life, models, number, random.Random(chance.random())) for number in range(25)))
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(request.over.wait() for request in models.requests))
    assert all(request.closed_by == "client" for request in models.requests if request.chunks > 20)
    await until(lambda: all(row["running"] is None and not row["queued"] for row in life.agents.threads()))
