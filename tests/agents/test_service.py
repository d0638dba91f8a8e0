"""Agents of the server over a real model server: memory, tools, limits, client tools, what is listed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from tests.agents.kit import Life, life_on, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import log, until

from antiphon.brokers.memory import MemoryBroker
from antiphon.errors import ConflictError, InvalidParams, NotFound, ThreadBusy, ToolError
from antiphon.services.agents import AgentConfig
from antiphon.services.runs import NewRun
from antiphon.services.tools import Tool, ToolContext

HELD = script([{"text": "As I was saying"}, {"wait": "go"}, {"text": ", yes."}])


def said_to(models: ModelServer, number: int) -> list[tuple[str, str]]:
    """Roles and texts that the model was sent."""
    return [(message["role"], message.get("content") or "") for message in models.requests[number - 1].messages]


# Memory


async def test_a_thread_remembers(life: Life, models: ModelServer) -> None:
    await life.asked("r1", "My name is Ann.")
    await life.asked("r2", "Who am I?")
    assert said_to(models, 2) == [
        ("user", "My name is Ann."),
        ("assistant", "You said: My name is Ann."),
        ("user", "Who am I?"),
    ]


async def test_without_a_thread_every_question_stands_alone(life: Life, models: ModelServer) -> None:
    await life.asked("r1", "My name is Ann.", None)
    await life.asked("r2", "Who am I?", None)
    assert said_to(models, 2) == [("user", "Who am I?")]
    assert await life.table() == {}


async def test_tools_and_their_results_are_remembered(life: Life, models: ModelServer) -> None:
    prompt = script([{"call": "calculator", "arguments": {"expression": "6*7"}}], [{"text": "42."}])
    await life.asked("r1", prompt)
    await life.asked("r2", "And?")
    roles = [role for role, _ in said_to(models, 3)]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert said_to(models, 3)[2][1] == "42"


async def test_a_cancelled_answer_is_remembered_as_far_as_it_came(life: Life, models: ModelServer) -> None:
    await life.ask("r1", HELD)
    await models.until(1, chunks=3)
    await until(lambda: life.runs.rows["r1"]["status"] == "running")
    await life.cancel("r1")
    await life.ended("r1")
    await life.asked("r2", "Go on.")
    (question, partial, goes_on) = said_to(models, 2)
    assert question[0] == "user"
    assert partial[0] == "assistant"
    assert "As I was saying".startswith(partial[1])
    assert partial[1]
    assert goes_on == ("user", "Go on.")


async def test_a_failed_answer_is_remembered_too(life: Life, models: ModelServer) -> None:
    await life.asked("r1", script([{"status": 400}]))
    await life.asked("r2", "Again?")
    assert [role for role, _ in said_to(models, 2)][-1] == "user"
    assert "Again?" in said_to(models, 2)[-1][1]


async def test_what_a_client_brings_replaces_the_memory_for_its_run(life: Life, models: ModelServer) -> None:
    await life.asked("r1", "My name is Ann.")
    brought = [
        {"role": "system", "text": "Be brief."},
        {"role": "user", "text": "I am Bob."},
        {"role": "assistant", "text": "Hello Bob."},
        {"role": "user", "text": "Who am I?"},
    ]
    await life.runs.start(NewRun(name="chat", run_id="r2", input={"messages": brought}, thread_id="t"), by="ann")
    await life.ended("r2")
    assert said_to(models, 2) == [(message["role"], message["text"]) for message in brought]
    assert (await life.texts("r2"))[0] == ("user", "Who am I?", "completed")


async def test_the_table_tells_what_there_is(life: Life, models: ModelServer) -> None:
    await life.asked("r1", "  What is   new?\nTell me all.")
    await life.asked("r2", "And then?")
    (row,) = life.agents.threads()
    published = await life.table()
    assert published == {"t": row}
    assert (row["title"], row["agent"], row["by"], row["runs"]) == ("What is new?", "chat", "ann", 2)
    assert (row["running"], row["queued"], row["forked_from"]) == (None, [], None)
    assert row["usage"] == {"input_tokens": 22, "output_tokens": 14, "total_tokens": 36}
    assert [run["run_id"] for run in life.agents.runs_of("t")] == ["r1", "r2"]


async def test_memory_is_stored_with_the_outcome(life: Life) -> None:
    await life.asked("r1", "One")
    kinds = [event.type for event in await log(life.hub, "thread:t")]
    assert kinds == ["thread.run", "thread.messages"]


# Forks, names, ends


async def test_a_fork_goes_on_from_where_it_was_made(life: Life, models: ModelServer) -> None:
    for number, text in enumerate(("One", "Two", "Three"), 1):
        await life.asked(f"r{number}", text)
    row = await life.agents.fork("t", "r2", by="bob")
    assert (row["forked_from"], row["by"]) == ({"thread_id": "t", "run_id": "r2"}, "bob")
    await life.asked("r4", "Four", row["thread_id"])
    assert [text for role, text in said_to(models, 4) if role == "user"] == ["One", "Two", "Four"]
    assert [run["run_id"] for run in life.agents.runs_of(row["thread_id"])] == ["r1", "r2", "r4"]
    again = await life.agents.fork(row["thread_id"], by="bob")
    assert [run["run_id"] for run in life.agents.runs_of(again["thread_id"])] == ["r1", "r2", "r4"]
    assert (await life.table())[again["thread_id"]] == again


async def test_a_fork_of_an_inherited_run_ends_there(life: Life, models: ModelServer) -> None:
    for number, text in enumerate(("One", "Two"), 1):
        await life.asked(f"r{number}", text)
    first = await life.agents.fork("t", "r2", by="bob")
    await life.asked("r3", "Three", first["thread_id"])
    second = await life.agents.fork(first["thread_id"], "r1", by="bob")
    await life.asked("r4", "Four", second["thread_id"])
    assert [text for role, text in said_to(models, 4) if role == "user"] == ["One", "Four"]
    assert [run["run_id"] for run in life.agents.runs_of(second["thread_id"])] == ["r1", "r4"]


async def test_forks_from_nowhere_and_from_the_future_are_refused(life: Life, models: ModelServer) -> None:
    with pytest.raises(NotFound):
        await life.agents.fork("t", by="bob")
    await life.ask("r1", HELD)
    await models.until(1)
    with pytest.raises(NotFound):
        await life.agents.fork("t", "r9", by="bob")
    with pytest.raises(ConflictError):
        await life.agents.fork("t", "r1", by="bob")
    models.open("go")
    await life.ended("r1")


async def test_threads_are_renamed_and_deleted(life: Life, models: ModelServer) -> None:
    await life.ask("r1", HELD)
    await models.until(1)
    with pytest.raises(ThreadBusy):
        await life.agents.delete("t")
    models.open("go")
    await life.ended("r1")
    assert (await life.agents.rename("t", " Tea  time "))["title"] == "Tea time"
    with pytest.raises(InvalidParams):
        await life.agents.rename("t", " ")
    await life.agents.delete("t")
    assert await life.table() == {}
    assert await log(life.hub, "thread:t") == []
    assert life.runs.rows["r1"]["status"] == "succeeded"
    await life.asked("r2", "Who am I?")
    assert said_to(models, 2) == [("user", "Who am I?")]


# Tools


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


# Client tools

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


# Limits


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


# What is asked for


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
