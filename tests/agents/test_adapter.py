"""A user's own pydantic-ai agent as a run: what people see, and how it ends."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.capabilities import ProcessEventStream
from pydantic_ai.models.openai import OpenAIChatModel
from tests.agents.kit import Stage, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import until

from antiphon.adapters.pydantic_ai import runnable


def agent_of(chat: OpenAIChatModel) -> Agent[None, str]:
    agent = Agent(chat)

    @agent.tool_plain
    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @agent.tool_plain(requires_approval=True)
    async def pay(amount: int) -> str:
        """Pay somebody."""
        return f"paid {amount}"

    @agent.tool_plain
    async def refuse() -> str:
        raise ModelRetry("not like this")

    @agent.tool_plain
    async def hang() -> str:
        await asyncio.Event().wait()
        return "never"

    return agent


async def test_a_text_grows_between_its_question_and_its_result(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    row = await stage.answer("chat", "r", prompt="Good morning")
    assert row["status"] == "succeeded"
    assert await stage.texts("r") == [
        ("user", "Good morning", "completed"),
        ("assistant", "You said: Good morning", "completed"),
    ]
    assert await stage.result("r") == "You said: Good morning"
    assert len(await stage.data("r", "message.append")) >= 3
    assert row["usage"] == {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18, "model": "scripted"}


async def test_reasoning_has_a_message_of_its_own(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    await stage.answer("chat", "r", prompt=script([{"think": "Let me think about it."}, {"text": "Green."}]))
    assert (await stage.texts("r"))[1:] == [
        ("reasoning", "Let me think about it.", "completed"),
        ("assistant", "Green.", "completed"),
    ]


async def test_a_tools_arguments_grow_live_and_its_result_follows(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    prompt = script([{"call": "add", "arguments": {"a": 2, "b": 3}, "size": 4}], [{"text": "It is 5."}])
    await stage.answer("chat", "r", prompt=prompt)
    (start,) = await stage.data("r", "tool.start")
    pieces = [data["delta"] for data in await stage.data("r", "tool.args")]
    (end,) = await stage.data("r", "tool.end")
    assert start == {"tool_call_id": "call_1_0", "name": "add"}
    assert "".join(pieces) == '{"a": 2, "b": 3}'
    assert len(pieces) > 1
    assert (end["status"], end["result"]) == ("succeeded", 5)
    assert end["duration_ms"] >= 0
    assert (await stage.texts("r"))[-1] == ("assistant", "It is 5.", "completed")


async def test_usage_is_the_total_of_all_requests(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    first = [{"call": "add", "arguments": {"a": 1, "b": 1}}, {"usage": [100, 10]}]
    row = await stage.answer("chat", "r", prompt=script(first, [{"text": "2"}, {"usage": [120, 5]}]))
    assert [said["total_tokens"] for said in await stage.data("r", "run.usage")] == [110, 235]
    assert row["usage"]["total_tokens"] == 235


async def test_what_a_tool_refuses_is_its_error_and_the_model_goes_on(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    row = await stage.answer("chat", "r", prompt=script([{"call": "refuse"}], [{"text": "Then not."}]))
    (end,) = await stage.data("r", "tool.end")
    assert (end["status"], end["error"]["type"]) == ("failed", "ToolRetry")
    assert "not like this" in end["error"]["message"]
    assert row["status"] == "succeeded"


async def test_a_tool_that_breaks_fails_the_run_with_its_own_words(stage: Stage, chat: OpenAIChatModel) -> None:
    agent = agent_of(chat)

    @agent.tool_plain
    async def explode() -> str:
        raise ZeroDivisionError("by nothing")

    stage.offer("chat", runnable(agent))
    row = await stage.answer("chat", "r", prompt=script([{"call": "explode"}]))
    (end,) = await stage.data("r", "tool.end")
    assert end["error"] == {"message": "by nothing", "type": "ZeroDivisionError"}
    assert row["status"] == "failed"
    assert "by nothing" in row["error"]["message"]


async def test_approval_runs_the_tool(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    await stage.start("chat", "r", prompt=script([{"call": "pay", "arguments": {"amount": 5}}], [{"text": "Done."}]))
    question = await stage.question("r")
    assert (question["prompt"], question["value"]) == ("Call pay?", {"amount": 5})
    assert question["details"] == "Pay somebody."
    assert question["schema"]["properties"]["amount"]["type"] == "integer"
    await stage.questions.answer(question["question_id"], action="approve", by="bob")
    await stage.ended("r")
    assert [end["result"] for end in await stage.data("r", "tool.end")] == ["paid 5"]


async def test_edited_arguments_are_those_that_count(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    await stage.start("chat", "r", prompt=script([{"call": "pay", "arguments": {"amount": 500}}], [{"text": "Done."}]))
    question = await stage.question("r")
    await stage.questions.answer(question["question_id"], answer={"amount": 5}, action="edit", by="bob")
    await stage.ended("r")
    assert [end["result"] for end in await stage.data("r", "tool.end")] == ["paid 5"]


async def test_a_rejection_is_told_to_the_model(stage: Stage, models: ModelServer, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    await stage.start(
        "chat", "r", prompt=script([{"call": "pay", "arguments": {"amount": 5}}], [{"text": "Then not."}])
    )
    question = await stage.question("r")
    await stage.questions.answer(question["question_id"], answer="not on a Friday", action="reject", by="bob")
    row = await stage.ended("r")
    (end,) = await stage.data("r", "tool.end")
    assert (end["status"], end["error"]["type"]) == ("failed", "ToolDenied")
    told = models.requests[1].messages[-1]
    assert (told["role"], "not on a Friday" in told["content"]) == ("tool", True)
    assert row["status"] == "succeeded"


async def test_two_calls_at_once_are_asked_about_at_once(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    calls = [{"call": "pay", "arguments": {"amount": amount}} for amount in (1, 2)]
    await stage.start("chat", "r", prompt=script(calls, [{"text": "Done."}]))
    await until(lambda: len(stage.questions.list(status="open", run_id="r")) == 2)
    for question in stage.questions.list(status="open", run_id="r"):
        await stage.questions.answer(question["question_id"], action="approve", by="bob")
    await stage.ended("r")
    assert sorted(end["result"] for end in await stage.data("r", "tool.end")) == ["paid 1", "paid 2"]


class Weather(BaseModel):
    city: str
    degrees: int


async def test_a_structured_output_is_the_result_as_json(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("weather", runnable(Agent(chat, output_type=Weather)))
    await stage.answer(
        "weather", "r", prompt=script([{"call": "final_result", "arguments": {"city": "Rome", "degrees": 30}}])
    )
    assert await stage.result("r") == {"city": "Rome", "degrees": 30}


async def test_dependencies_and_history_are_passed_on(stage: Stage, chat: OpenAIChatModel) -> None:
    agent = Agent(chat, deps_type=str)

    @agent.tool
    async def who(ctx: RunContext[str]) -> str:
        return ctx.deps

    stage.offer("chat", runnable(agent, deps="Ann"))
    await stage.answer("chat", "r", prompt=script([{"call": "who"}], [{"text": "Ann."}]))
    assert [end["result"] for end in await stage.data("r", "tool.end")] == ["Ann"]


async def test_the_agents_own_handler_still_sees_everything(stage: Stage, chat: OpenAIChatModel) -> None:
    seen: list[Any] = []

    async def handler(_: RunContext[None], events: Any) -> None:
        async for event in events:
            seen.append(event)
            break

    stage.offer("chat", runnable(Agent(chat, capabilities=[ProcessEventStream(handler)])))
    await stage.answer("chat", "r", prompt="Hello")
    assert len(seen) == 1
    assert (await stage.texts("r"))[-1] == ("assistant", "You said: Hello", "completed")


async def test_a_model_that_fails_fails_the_run(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    row = await stage.answer("chat", "r", prompt=script([{"status": 400}]))
    assert row["status"] == "failed"
    assert "told to answer 400" in row["error"]["message"]


async def test_a_stream_that_breaks_off_leaves_its_text_and_fails(stage: Stage, chat: OpenAIChatModel) -> None:
    stage.offer("chat", runnable(agent_of(chat)))
    row = await stage.answer("chat", "r", prompt=script([{"text": "As I was"}, {"drop": True}]))
    assert row["status"] == "failed"
    assert (await stage.texts("r"))[-1] == ("assistant", "As I was", "failed")
