"""A user's own agent of the OpenAI Agents SDK as a run: what people see, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    RunHooks,
    Runner,
    SQLiteSession,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel
from tests.adapters.kit import LONG, cancelled, said
from tests.agents.kit import Stage, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import until

from antiphon.adapters.openai_agents import run_agent, runnable
from antiphon.services.runs import NewRun


@function_tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@function_tool
async def refuse() -> str:
    """Never works."""
    raise ValueError("not like this")


@function_tool(needs_approval=True)
async def pay(amount: int) -> str:
    """Pay somebody."""
    return f"paid {amount}"


@function_tool
async def hang() -> str:
    """Takes for ever."""
    await asyncio.Event().wait()
    return "never"


def agent_with(client: AsyncOpenAI) -> Agent[Any]:
    set_tracing_disabled(True)  # of the bare runs
    model, settings = OpenAIChatCompletionsModel("scripted", client), ModelSettings(include_usage=True)
    return Agent("assistant", model=model, model_settings=settings, tools=[add, refuse, pay, hang])


@pytest.fixture
async def agent(models: ModelServer) -> AsyncIterator[Agent[Any]]:
    async with AsyncOpenAI(base_url=models.url, api_key="not needed", max_retries=0) as client:
        yield agent_with(client)


# What it says


async def test_texts_are_those_of_a_bare_run(stage: Stage, agent: Agent[Any]) -> None:
    prompt = script([{"text": "Grüner Tee 🍵, " * 40, "size": 3}])
    bare = await Runner.run(agent, prompt)
    stage.offer("chat", runnable(agent))
    row = await stage.answer("chat", "r", prompt=prompt)
    assert await stage.texts("r") == [
        ("user", prompt, "completed"),
        ("assistant", bare.final_output, "completed"),
    ]
    assert (row["status"], await stage.result("r")) == ("succeeded", bare.final_output)
    assert len(await stage.data("r", "message.append")) >= 3
    assert row["usage"] == {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18, "model": "scripted"}


async def test_reasoning_has_a_message_of_its_own(stage: Stage, agent: Agent[Any]) -> None:
    stage.offer("chat", runnable(agent))
    await stage.answer("chat", "r", prompt=script([{"think": "Let me think about it."}, {"text": "Green."}]))
    assert (await stage.texts("r"))[1:] == [
        ("reasoning", "Let me think about it.", "completed"),
        ("assistant", "Green.", "completed"),
    ]


async def test_a_tools_arguments_grow_live_and_its_result_follows(stage: Stage, agent: Agent[Any]) -> None:
    stage.offer("chat", runnable(agent))
    call = {"call": "add", "arguments": {"a": 2, "b": 3}, "size": 4}
    row = await stage.answer("chat", "r", prompt=script([{"text": "Let me see."}, call], [{"text": "It is 5."}]))
    (start,) = await stage.data("r", "tool.start")
    pieces = [data["delta"] for data in await stage.data("r", "tool.args")]
    (end,) = await stage.data("r", "tool.end")
    assert start == {"tool_call_id": "call_1_0", "name": "add"}
    assert "".join(pieces) == '{"a": 2, "b": 3}'
    assert end.pop("duration_ms") >= 0
    assert end == {"tool_call_id": "call_1_0", "status": "succeeded", "result": 5}
    assert [text for _, text, _ in await stage.texts("r")][1:] == ["Let me see.", "It is 5."]
    assert row["usage"]["total_tokens"] == 36


async def test_a_result_is_there_before_a_slower_tool_has_returned(stage: Stage, agent: Agent[Any]) -> None:
    stage.offer("chat", runnable(agent))
    await stage.start("chat", "r", prompt=script([{"call": "hang"}, {"call": "add", "arguments": {"a": 1, "b": 1}}]))
    await said(stage, "r", "tool.end")
    (end,) = await stage.data("r", "tool.end")
    assert (end["tool_call_id"], end["status"]) == ("call_1_1", "succeeded")
    await cancelled(stage, "r")
    assert [end["status"] for end in await stage.data("r", "tool.end")] == ["succeeded", "cancelled"]


async def test_a_tool_that_fails_is_shown_as_failed(stage: Stage, agent: Agent[Any]) -> None:
    stage.offer("chat", runnable(agent))
    await stage.answer("chat", "r", prompt=script([{"call": "refuse"}], [{"text": "Then not."}]))
    (end,) = await stage.data("r", "tool.end")
    assert end["status"] == "failed"
    assert await stage.result("r") == "Then not."


async def test_a_handoff_and_whose_turn_it_is(stage: Stage, agent: Agent[Any]) -> None:
    expert = agent.clone(name="expert")
    stage.offer("chat", runnable(agent.clone(handoffs=[expert])))
    row = await stage.answer("chat", "r", prompt=script([{"call": "transfer_to_expert"}], [{"text": "I know."}]))
    assert row["status"] == "succeeded"
    assert [data["message"] for data in await stage.data("r", "run.progress")] == ["assistant", "expert"]
    (end,) = await stage.data("r", "tool.end")
    assert end["status"] == "succeeded"


async def test_an_output_type_is_the_result_as_json(stage: Stage, agent: Agent[Any]) -> None:
    class Tea(BaseModel):
        name: str

    stage.offer("chat", runnable(agent.clone(output_type=Tea)))
    await stage.answer("chat", "r", prompt=script([{"text": '{"name": "Assam"}'}]))
    assert await stage.result("r") == {"name": "Assam"}


async def test_hooks_and_context_of_the_users_own(stage: Stage, agent: Agent[Any]) -> None:
    heard: list[Any] = []

    class Ear(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            heard.append((tool.name, context.context))

        async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
            heard.append("answered")

    async def prepare(run: Any) -> dict[str, Any]:
        return {"context": run.id}

    stage.offer("chat", runnable(agent, prepare=prepare, hooks=Ear()))
    await stage.answer("chat", "r", prompt=script([{"call": "add", "arguments": {"a": 1, "b": 1}}], [{"text": "2"}]))
    assert heard == ["answered", ("add", "r"), "answered"]


async def test_a_session_for_each_thread(stage: Stage, agent: Agent[Any], models: ModelServer, tmp_path: Any) -> None:
    stage.offer("chat", runnable(agent, session=lambda thread: SQLiteSession(thread, tmp_path / "memory.db")))
    for run_id, thread_id in (("one", "t"), ("two", "t"), ("three", "u"), ("four", None)):
        new = NewRun(name="chat", run_id=run_id, input={"prompt": run_id}, thread_id=thread_id)
        await stage.runs.start(new, by="ann")
        await stage.ended(run_id)
    asked = [[message["content"] for message in request.messages] for request in models.requests]
    assert [len(messages) for messages in asked] == [1, 3, 1, 1]
    assert asked[1][-1] == "two"


async def test_what_the_model_raises_is_the_runs_error(stage: Stage, agent: Agent[Any]) -> None:
    stage.offer("chat", runnable(agent))
    row = await stage.answer("chat", "r", prompt=script([{"status": 500}]))
    assert (row["status"], row["error"]["type"]) == ("failed", "InternalServerError")
    row = await stage.answer("chat", "s", prompt=script([{"text": "Half of "}, {"drop": True}]))
    assert row["status"] == "failed"
    assert (await stage.texts("s"))[1:] == [("assistant", "Half of ", "failed")]


async def test_too_many_turns(stage: Stage, agent: Agent[Any]) -> None:
    stage.offer("chat", runnable(agent, max_turns=1))
    row = await stage.answer("chat", "r", prompt=script([{"call": "add", "arguments": {"a": 1, "b": 1}}]))
    assert (row["status"], row["error"]["type"]) == ("failed", "MaxTurnsExceeded")


# Approvals


@pytest.mark.parametrize(
    ("action", "answer", "status", "told"),
    [
        ("approve", None, "succeeded", "paid 5"),
        ("reject", "too much", "failed", "A person rejected this call. too much"),
        ("edit", {"amount": 3}, "failed", '"amount": 3'),
    ],
)
async def test_an_approval_of_a_call(
    stage: Stage, agent: Agent[Any], models: ModelServer, action: str, answer: Any, status: str, told: str
) -> None:
    stage.offer("chat", runnable(agent))
    await stage.start("chat", "r", prompt=script([{"call": "pay", "arguments": {"amount": 5}}], [{"text": "Done."}]))
    question = await stage.question("r")
    assert (question["kind"], question["prompt"], question["details"]) == ("approval", "Call pay?", "Pay somebody.")
    assert question["value"] == {"amount": 5}
    await stage.questions.answer(question["question_id"], answer=answer, action=action, by="ben")
    assert (await stage.ended("r"))["status"] == "succeeded"
    (end,) = await stage.data("r", "tool.end")
    assert end["status"] == status
    assert told in models.requests[1].messages[-1]["content"]
    assert await stage.result("r") == "Done."


async def test_two_calls_are_decided_apart(stage: Stage, agent: Agent[Any]) -> None:
    calls = [{"call": "pay", "arguments": {"amount": amount}} for amount in (1, 2)]
    stage.offer("chat", runnable(agent))
    await stage.start("chat", "r", prompt=script(calls, [{"text": "Done."}]))
    await until(lambda: len(stage.questions.list(status="open", run_id="r")) == 2)
    for question in stage.questions.list(status="open", run_id="r"):
        action = "approve" if question["value"] == {"amount": 1} else "reject"
        await stage.questions.answer(question["question_id"], action=action, by="ben")
    await stage.ended("r")
    ends = {end["tool_call_id"]: end["status"] for end in await stage.data("r", "tool.end")}
    assert ends == {"call_1_0": "succeeded", "call_1_1": "failed"}


# Cancelling


@pytest.mark.parametrize("before", [[{"wait": "never"}], [{"text": "One "}, {"wait": "never"}], [LONG]])
async def test_the_models_server_sees_its_client_hang_up(
    stage: Stage, agent: Agent[Any], models: ModelServer, before: list[dict[str, Any]]
) -> None:
    stage.offer("chat", runnable(agent))
    await stage.start("chat", "r", prompt=script(before))
    silent = len(before) == 1 and "wait" in before[0]
    request = await models.until(1, chunks=0 if silent else 2)
    if not silent:
        await said(stage, "r", "message.append", more_than=1)
    await cancelled(stage, "r")
    await request.over.wait()
    assert request.closed_by == "client"
    assert [status for role, _, status in await stage.texts("r") if role == "assistant"] == (
        [] if silent else ["cancelled"]
    )


async def test_a_tool_is_cancelled(stage: Stage, agent: Agent[Any]) -> None:
    stage.offer("chat", runnable(agent))
    await stage.start("chat", "r", prompt=script([{"call": "hang"}]))
    await said(stage, "r", "tool.args")
    await cancelled(stage, "r")
    (end,) = await stage.data("r", "tool.end")
    assert end["status"] == "cancelled"


async def test_an_open_question_is_withdrawn(stage: Stage, agent: Agent[Any]) -> None:
    stage.offer("chat", runnable(agent))
    await stage.start("chat", "r", prompt=script([{"call": "pay", "arguments": {"amount": 5}}]))
    await stage.question("r")
    await cancelled(stage, "r")
    assert [row["status"] for row in stage.questions.list(status=None, run_id="r")] == ["withdrawn"]
    (end,) = await stage.data("r", "tool.end")
    assert end["status"] == "cancelled"


async def test_two_at_once_are_cancelled_apart(stage: Stage, agent: Agent[Any], models: ModelServer) -> None:
    stage.offer("chat", runnable(agent))
    await stage.start("chat", "one", prompt=script([{"text": "One "}, {"wait": "gate"}, {"text": "more."}]))
    await stage.start("chat", "two", prompt=script([LONG]))
    await models.until(2, chunks=2)
    await cancelled(stage, "two")
    models.open("gate")
    assert (await stage.ended("one"))["status"] == "succeeded"
    assert await stage.result("one") == "One more."


async def test_the_result_is_the_librarys_own(stage: Stage, agent: Agent[Any]) -> None:
    async def twice(run: Any, prompt: str) -> Any:
        first = await run_agent(agent, run, prompt)
        second = await run_agent(agent, run, [*first.to_input_list(), {"role": "user", "content": "and now?"}])
        return [first.final_output, second.final_output]

    stage.offer("chat", twice)
    await stage.answer("chat", "r", prompt="hi")
    assert await stage.result("r") == ["You said: hi", "You said: and now?"]
    assert [role for role, _, _ in await stage.texts("r")] == ["user", "assistant"] * 2
