"""A graph is cancelled: whatever it does, it stops, and the model's server sees its client hang up."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState
from langgraph.types import interrupt
from tests.adapters.kit import LONG, cancelled, said
from tests.adapters.served_chat import ServedChat
from tests.adapters.test_langgraph import Plan, chatting, steps
from tests.agents.kit import Stage, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import until

from antiphon.adapters.langgraph import runnable
from antiphon.services.runs import NewRun


@pytest.mark.parametrize("before", [[{"wait": "never"}], [{"text": "One "}, {"wait": "never"}], [LONG]])
async def test_the_models_server_sees_its_client_hang_up(
    stage: Stage, models: ModelServer, before: list[dict[str, Any]]
) -> None:
    stage.offer("chat", runnable(chatting(models)))
    await stage.start("chat", "r", prompt=script(before))
    request = await models.until(1, chunks=0 if len(before) == 1 and "wait" in before[0] else 2)
    if request.chunks:
        await said(stage, "r", "message.append", more_than=1)
    await cancelled(stage, "r")
    await request.over.wait()
    assert request.closed_by == "client"
    assert [status for role, _, status in await stage.texts("r") if role == "assistant"] in ([], ["cancelled"])


async def test_a_node_in_a_thread_stops_at_the_next_token(stage: Stage, models: ModelServer) -> None:
    chat = ServedChat(url=models.url)
    ended: list[BaseException] = []
    over = threading.Event()

    def answer(state: MessagesState) -> dict[str, Any]:
        try:
            return {"messages": [chat.invoke(state["messages"])]}
        except BaseException as exc:
            ended.append(exc)
            raise
        finally:
            over.set()

    stage.offer("chat", runnable(steps(MessagesState, answer)))
    await stage.start("chat", "r", prompt=script([LONG]))
    request = await models.until(1, chunks=3)
    await cancelled(stage, "r")
    await request.over.wait()
    assert request.closed_by == "client"
    assert await asyncio.to_thread(over.wait, 30)
    assert [type(exc) for exc in ended] == [asyncio.CancelledError]


async def test_a_tool_is_cancelled(stage: Stage, models: ModelServer) -> None:
    stage.offer("chat", runnable(chatting(models)))
    await stage.start("chat", "r", prompt=script([{"call": "hang"}]))
    await said(stage, "r", "tool.args")
    await cancelled(stage, "r")
    (end,) = await stage.data("r", "tool.end")
    assert end["status"] == "cancelled"


async def test_an_open_question_is_withdrawn(stage: Stage) -> None:
    async def ask(state: Plan) -> Plan:
        return {"answer": interrupt("Which?")}

    stage.offer("plan", runnable(steps(Plan, ask)))
    await stage.start("plan", "r", topic="tea")
    await stage.question("r")
    await cancelled(stage, "r")
    assert [row["status"] for row in stage.questions.list(status=None, run_id="r")] == ["withdrawn"]


async def test_a_node_that_swallows_its_cancellation_is_no_success(stage: Stage) -> None:
    begun = asyncio.Event()

    async def deaf(state: Plan) -> Plan:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return {"answer": "done anyway"}

    async def after(state: Plan) -> Plan:
        raise AssertionError("not reached")

    stage.offer("plan", runnable(steps(Plan, deaf, after)))
    await stage.start("plan", "r", topic="tea")
    await begun.wait()
    await cancelled(stage, "r")


async def test_two_at_once_are_cancelled_apart(stage: Stage, models: ModelServer) -> None:
    stage.offer("chat", runnable(chatting(models)))
    await stage.start("chat", "one", prompt=script([{"text": "One "}, {"wait": "gate"}, {"text": "more."}]))
    await stage.start("chat", "two", prompt=script([LONG]))
    await models.until(2, chunks=2)
    await until(lambda: len(models.requests) == 2)
    await cancelled(stage, "two")
    models.open("gate")
    assert (await stage.ended("one"))["status"] == "succeeded"
    assert await stage.result("one") == "One more."


async def test_an_empty_input_goes_on_from_the_last_checkpoint(stage: Stage) -> None:
    async def ask(state: Plan) -> Plan:
        return {"answer": interrupt("Which?")}

    stage.offer("plan", runnable(steps(Plan, ask, checkpointer=InMemorySaver())))
    first = NewRun(name="plan", run_id="first", input={"topic": "tea"}, thread_id="t")
    await stage.runs.start(first, by="ann")
    await stage.question("first")
    await cancelled(stage, "first")
    await stage.runs.start(NewRun(name="plan", run_id="second", thread_id="t"), by="ann")
    question = await stage.question("second")
    await stage.questions.answer(question["question_id"], answer="green", by="ben")
    assert (await stage.ended("second"))["status"] == "succeeded"
    assert await stage.result("second") == {"topic": "tea", "steps": [], "answer": "green"}
