"""Limits of answers, what may be asked, and agents that others bring along."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from tests.agents.kit import Life, life_on, script
from tests.agents.model_server import ModelServer

from antiphon.brokers.memory import MemoryBroker
from antiphon.errors import ConflictError, InvalidParams, ToolError
from antiphon.services.agents import AgentConfig
from antiphon.services.runs import NewRun
from antiphon.services.tools import Tool, ToolContext

HELD = script([{"text": "As I was saying"}, {"wait": "go"}, {"text": ", yes."}])


def said_to(models: ModelServer, number: int) -> list[tuple[str, str]]:
    """Roles and texts that the model was sent."""
    return [(message["role"], message.get("content") or "") for message in models.requests[number - 1].messages]


async def test_an_answer_that_takes_too_long_fails(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models, timeout_s=0.2) as life:
        row = await life.asked("r1", HELD)
        assert (row["status"], row["error"]["type"]) == ("failed", "LimitReached")
        assert row["error"]["message"] == "it took longer than 0.2 seconds (timeout_s)"
        assert (await life.texts("r1"))[-1][1] == "As I was saying"
        await models.requests[0].over.wait()
        assert models.requests[0].closed_by == "client"


async def test_the_time_of_people_does_not_count(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models, timeout_s=1.0, needs_approval=("*",)) as life:
        prompt = script([{"call": "calculator", "arguments": {"expression": "1+1"}}], [{"text": "Done."}])
        await life.ask("r1", prompt)
        question = await life.question("r1")
        await asyncio.sleep(1.2)  # longer than the answer may take
        await life.questions.answer(question["question_id"], action="approve", by="bob")
        assert (await life.ended("r1"))["status"] == "succeeded"


async def test_too_many_tokens_fail(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models, max_tokens=50) as life:
        row = await life.asked("r1", script([{"text": "Long"}, {"usage": [40, 20]}]))
        assert row["error"]["message"] == "it used 60 tokens; it may use 50 (max_tokens)"
        assert row["usage"]["total_tokens"] == 60


async def test_too_many_rounds_of_tools_fail(models: ModelServer) -> None:
    again = [{"call": "calculator", "arguments": {"expression": "1+1"}}]
    async with life_on(MemoryBroker(), models, max_tool_rounds=2) as life:
        row = await life.asked("r1", script(again, again, again, again))
        assert row["error"]["message"] == "it wanted to go on after 2 rounds of tools (max_tool_rounds)"
        assert len(models.requests) == 3
        assert len(await life.data("r1", "tool.end")) == 3


async def test_no_rounds_of_tools_are_no_tools(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models, max_tool_rounds=0) as life:
        assert (await life.asked("r1", "Hello"))["status"] == "succeeded"
        assert models.requests[0].tools == []


async def test_wrong_input_is_refused_before_the_run_begins(life: Life) -> None:
    for wrong, where in (
        ({}, "/params/input"),
        ({"prompt": ""}, "/params/input/prompt"),
        ({"prompt": "x", "modle": "y"}, "/params/input/modle"),
        ({"prompt": "x", "model": "gpt"}, "/params/input/model"),
        ({"messages": [{"role": "assistant", "text": "x"}]}, "/params/input"),
        ({"messages": [{"role": "tool", "text": "x"}]}, "/params/input/messages/0"),
        (None, "/params/input"),
        (7, "/params/input"),
    ):
        with pytest.raises(InvalidParams) as refused:
            life.agents.check_start("chat", wrong, None)
        assert refused.value.pointer == where
        with pytest.raises(InvalidParams):
            await life.runs.start(NewRun(name="chat", run_id="x", input=wrong, thread_id="t"), by="ann")
    assert life.runs.rows == {}
    assert await life.table() == {}


async def test_instructions_of_the_agent_and_of_the_question_are_told(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models, instructions="Be kind.") as life:
        await life.asked("r1", "Hello", instructions="Be brief.")
        told = "\n".join(text for role, text in said_to(models, 1) if role in ("system", "developer"))
        assert "Be kind." in told
        assert "Be brief." in told


async def test_an_agent_of_ones_own_keeps_what_it_has(life: Life, models: ModelServer) -> None:
    mine: Agent[str, str] = Agent(deps_type=str, instructions="Mine.", description="My own")

    @mine.tool_plain
    async def shout(text: str) -> str:
        """Make it loud."""
        return text.upper()

    life.agents.offer("mine", mine, deps="Ann", config=AgentConfig(model="scripted"))
    await life.asked("r1", script([{"call": "shout", "arguments": {"text": "hey"}}], [{"text": "HEY"}]), name="mine")
    assert models.requests[0].tools == ["shout"]
    assert ("system", "Mine.") in said_to(models, 1)
    row = next(row for row in life.agents.rows if row["name"] == "mine")
    assert (row["description"], row["source"]) == ("My own", "python")
    assert [tool["name"] for tool in row["tools"]] == ["shout"]
    with pytest.raises(ConflictError):
        life.agents.offer("mine", mine)


async def test_an_agent_can_be_imported(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from pydantic_ai import Agent\nfriend = Agent(instructions='Be a friend.')\nother = 7\n"
    (tmp_path / "agents_of_mine.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    imported = AgentConfig.model_validate({"import": "agents_of_mine:friend", "model": "scripted"})
    async with life_on(MemoryBroker(), models, agents={"friend": imported}) as life:
        assert (await life.asked("r1", "Hello", name="friend"))["status"] == "succeeded"
        assert ("system", "Be a friend.") in said_to(models, 1)


async def test_a_tool_that_fails_by_its_own_words_and_one_that_breaks(models: ModelServer) -> None:
    async def refuse(_: ToolContext, __: dict[str, Any]) -> str:
        raise ToolError("closed on Sundays")

    async def explode(_: ToolContext, __: dict[str, Any]) -> str:
        raise ZeroDivisionError("by nothing")

    tools = [Tool(name, name, {"type": "object"}, call) for name, call in (("refuse", refuse), ("explode", explode))]
    async with life_on(MemoryBroker(), models, tools=tools) as life:
        row = await life.asked("r1", script([{"call": "refuse"}, {"call": "explode"}], [{"text": "Well."}]))
        assert row["status"] == "succeeded"
        errors = [end["error"]["message"] for end in await life.data("r1", "tool.end")]
        assert sorted(error.split(":")[0] for error in errors) == ["closed on Sundays", "explode failed"]
