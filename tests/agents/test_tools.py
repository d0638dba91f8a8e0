"""Tools of agents over a real model server: registered ones, and those of the client."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.agents.kit import Life, life_on, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import until

from antiphon.brokers.memory import MemoryBroker
from antiphon.services.agents import AgentConfig
from antiphon.services.runs import NewRun
from antiphon.services.tools import Tool, ToolContext

HELD = script([{"text": "As I was saying"}, {"wait": "go"}, {"text": ", yes."}])


def said_to(models: ModelServer, number: int) -> list[tuple[str, str]]:
    """Roles and texts that the model was sent."""
    return [(message["role"], message.get("content") or "") for message in models.requests[number - 1].messages]


def slow_tool(name: str = "wait_here") -> tuple[Tool, asyncio.Event, asyncio.Event]:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def call(context: ToolContext, _: dict[str, Any]) -> str:
        await context.progress(0.25, "a quarter")
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    return Tool(name, "Waits.", {"type": "object"}, call), begun, ended


async def test_progress_of_a_tool_is_told_while_it_works(models: ModelServer) -> None:
    tool, begun, _ = slow_tool()
    async with life_on(MemoryBroker(), models, tools=[tool]) as life:
        await life.ask("r1", script([{"call": "wait_here"}]))
        await begun.wait()
        await until(lambda: life.runs.rows["r1"]["tool"] == "wait_here")
        for _ in range(200):
            if said := await life.data("r1", "tool.progress"):
                break
            await asyncio.sleep(0.01)
        assert [(data["progress"], data["message"]) for data in said] == [(0.25, "a quarter")]
        await life.cancel("r1")


async def test_what_a_tool_cannot_do_is_told_to_the_model(life: Life, models: ModelServer) -> None:
    prompt = script([{"call": "calculator", "arguments": {"expression": "1/0"}}], [{"text": "I cannot."}])
    row = await life.asked("r1", prompt)
    (end,) = await life.data("r1", "tool.end")
    assert (row["status"], end["status"]) == ("succeeded", "failed")
    assert "division by zero" in said_to(models, 2)[-1][1]


async def test_wrong_arguments_may_be_corrected(life: Life, models: ModelServer) -> None:
    prompt = script(
        [{"call": "calculator", "arguments": {"expresion": "1+1"}}],
        [{"call": "calculator", "arguments": {"expression": "1+1"}}],
        [{"text": "Two."}],
    )
    assert (await life.asked("r1", prompt))["status"] == "succeeded"
    assert [end["status"] for end in await life.data("r1", "tool.end")] == ["failed", "succeeded"]


async def test_only_the_tools_that_it_has_are_told_to_the_model(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models, tools=[slow_tool()[0]], agents={
        "few": AgentConfig(model="scripted", tools=("clock",)),
        "none": AgentConfig(model="scripted", tools=()),
        "wrong": AgentConfig(model="scripted", tools=("clok",)),
    }) as life:  # fmt: skip
        for name in ("chat", "few", "none"):
            await life.asked(name, "Hello", None, name=name)
        assert [sorted(request.tools) for request in models.requests] == [
            ["calculator", "clock", "wait_here"], ["clock"], [],
        ]  # fmt: skip
        row = await life.asked("wrong", "Hello", None, name="wrong")
        assert row["error"]["message"] == "Tool not found: clok"


async def test_an_agent_may_ask_for_approval_of_any_tool(models: ModelServer) -> None:
    async with life_on(MemoryBroker(), models, needs_approval=("calculator",)) as life:
        prompt = script([{"call": "calculator", "arguments": {"expression": "1+1"}}], [{"text": "Done."}])
        await life.ask("r1", prompt)
        question = await life.question("r1")
        await life.questions.answer(question["question_id"], answer={"expression": "2+2"}, action="edit", by="bob")
        await life.ended("r1")
        assert [end["result"] for end in await life.data("r1", "tool.end")] == [4]


async def test_a_tool_in_a_thread_is_said_to_go_on(models: ModelServer) -> None:
    import threading

    begun, go = threading.Event(), threading.Event()

    def block() -> str:
        begun.set()
        go.wait(30)
        return "late"

    tool = Tool.from_function(block, name="block", in_process=True)
    async with life_on(MemoryBroker(), models, tools=[tool]) as life:
        try:
            await life.ask("r1", script([{"call": "block"}]))
            await asyncio.to_thread(begun.wait, 30)
            await life.cancel("r1")
            row = await life.ended("r1")
            assert row["status"] == "cancelled"
            assert "goes on" in (await life.data("r1", "log"))[-1]["text"]
            assert life.tools.draining == [{"name": "block", "run_id": "r1"}]
        finally:
            go.set()
        await until(lambda: not life.tools.draining)


PICK = {"name": "pick_color", "description": "Let the user pick.", "parameters": {"type": "object"}}


async def test_a_tool_of_the_client_ends_the_run_and_its_result_goes_on(life: Life, models: ModelServer) -> None:
    steps = [{"text": "Which one?"}, {"call": "pick_color", "arguments": {"of": ["red", "blue"]}}]
    prompt = script(steps, [{"text": "Blue it is."}])
    await life.asked("r1", prompt, client_tools=[PICK])
    call = {"tool_call_id": "call_1_0", "name": "pick_color", "arguments": '{"of":["red","blue"]}'}
    assert await life.result("r1") == {"text": "Which one?", "client_tool_calls": [call]}
    assert await life.data("r1", "x.client_tool") == [call]
    assert await life.data("r1", "tool.start") == []
    brought = [
        {"role": "user", "text": prompt},
        {"role": "assistant", "text": "Which one?", "tool_calls": [call]},
        {"role": "tool", "text": "blue", "tool_call_id": "call_1_0"},
    ]
    wanted = NewRun(name="chat", run_id="r2", thread_id="t", input={"messages": brought, "client_tools": [PICK]})
    await life.runs.start(wanted, by="ann")
    await life.ended("r2")
    assert await life.result("r2") == "Blue it is."
    assert said_to(models, 2)[-1] == ("tool", "blue")
    await life.asked("r3", "Thanks.")
    assert [role for role, _ in said_to(models, 3)] == ["user", "assistant", "tool", "assistant", "user"]
