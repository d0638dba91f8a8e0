"""A user's own LangGraph graph as a run: what people see, and how it ends."""

from __future__ import annotations

import asyncio
import itertools
import operator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import interrupt
from tests.adapters.served_chat import ServedChat
from tests.agents.kit import Stage, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import until

from antiphon.adapters.langgraph import runnable
from antiphon.services.runs import NewRun


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
async def refuse() -> str:
    """Never works."""
    raise ValueError("not like this")


@tool
async def pay(amount: int) -> str:
    """Pay somebody."""
    answer = interrupt({"action_requests": [{"name": "pay", "args": {"amount": amount}, "description": "Money!"}]})
    decision = answer["decisions"][0]
    if decision["type"] == "reject":
        raise ValueError(f"rejected: {decision.get('message')}")
    return f"paid {decision['edited_action']['args']['amount'] if decision['type'] == 'edit' else amount}"


@tool
async def hang() -> str:
    """Takes for ever."""
    await asyncio.Event().wait()
    return "never"


def chatting(models: ModelServer, **options: Any) -> Any:
    return chatting_with(models.url, **options)


def chatting_with(url: str, **options: Any) -> Any:
    """A model that calls tools until it has an answer."""
    tools = [add, refuse, pay, hang]
    chat = ServedChat(url=url).bind_tools(tools)

    async def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await chat.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_node("tools", ToolNode(tools, handle_tool_errors=True))
    builder.add_edge(START, "answer")
    builder.add_conditional_edges("answer", tools_condition)
    builder.add_edge("tools", "answer")
    return builder.compile(**options)


def steps(state: type, *nodes: Any, **options: Any) -> Any:
    """One node after the other."""
    builder = StateGraph(state)
    named = {getattr(node, "__name__", None) or node.name: node for node in nodes}
    for name, node in named.items():
        builder.add_node(name, node)
    for before, after in itertools.pairwise([START, *named, END]):
        builder.add_edge(before, after)
    return builder.compile(**options)


class Plan(TypedDict, total=False):
    topic: str
    steps: Annotated[list[str], operator.add]
    answer: Any


# What it says


async def test_texts_are_those_of_a_bare_run(stage: Stage, models: ModelServer) -> None:
    prompt = script([{"text": "Grüner Tee 🍵, " * 40, "size": 3}])
    bare = await chatting(models).ainvoke({"messages": [HumanMessage(prompt)]})
    stage.offer("chat", runnable(chatting(models)))
    row = await stage.answer("chat", "r", prompt=prompt)
    text = bare["messages"][-1].content
    assert await stage.texts("r") == [("user", prompt, "completed"), ("assistant", text, "completed")]
    assert (row["status"], await stage.result("r")) == ("succeeded", text)
    assert len(await stage.data("r", "message.append")) >= 3
    assert row["usage"] == {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18, "model": "scripted"}


async def test_reasoning_has_a_message_of_its_own(stage: Stage, models: ModelServer) -> None:
    stage.offer("chat", runnable(chatting(models)))
    await stage.answer("chat", "r", prompt=script([{"think": "Let me think about it."}, {"text": "Green."}]))
    assert (await stage.texts("r"))[1:] == [
        ("reasoning", "Let me think about it.", "completed"),
        ("assistant", "Green.", "completed"),
    ]


async def test_a_tools_arguments_grow_live_and_its_result_follows(stage: Stage, models: ModelServer) -> None:
    stage.offer("chat", runnable(chatting(models)))
    prompt = script([{"call": "add", "arguments": {"a": 2, "b": 3}, "size": 4}], [{"text": "It is 5."}])
    row = await stage.answer("chat", "r", prompt=prompt)
    (start,) = await stage.data("r", "tool.start")
    pieces = [data["delta"] for data in await stage.data("r", "tool.args")]
    (end,) = await stage.data("r", "tool.end")
    assert start == {"tool_call_id": "call_1_0", "name": "add"}
    assert ("".join(pieces), len(pieces) > 1) == ('{"a": 2, "b": 3}', True)
    assert end.pop("duration_ms") >= 0
    assert end == {"tool_call_id": "call_1_0", "status": "succeeded", "result": "5"}
    assert (await stage.texts("r"))[-1] == ("assistant", "It is 5.", "completed")
    assert row["usage"]["total_tokens"] == 36


async def test_a_tool_that_fails_says_why(stage: Stage, models: ModelServer) -> None:
    stage.offer("chat", runnable(chatting(models)))
    await stage.answer("chat", "r", prompt=script([{"call": "refuse"}], [{"text": "Then not."}]))
    (end,) = await stage.data("r", "tool.end")
    assert (end["status"], end["error"]["message"]) == ("failed", "not like this")
    assert await stage.result("r") == "Then not."


async def test_values_are_the_state_of_the_run_and_nodes_its_progress(stage: Stage) -> None:
    def plan(state: Plan) -> Plan:
        get_stream_writer()({"note": state["topic"]})
        return {"steps": ["a", "b"]}

    async def work(state: Plan) -> Plan:
        return {"steps": ["c"], "answer": {"n": len(state["steps"])}}

    stage.offer("plan", runnable(steps(Plan, plan, work)))
    row = await stage.answer("plan", "r", topic="tea")
    expected = {"topic": "tea", "steps": ["a", "b", "c"], "answer": {"n": 2}}
    assert (row["status"], await stage.result("r")) == ("succeeded", expected)
    assert (await stage.hub.state("run:r")).value == expected
    assert [data["ops"] for data in await stage.data("r", "state.patch")] == [
        [{"op": "add", "path": "/topic", "value": "tea"}, {"op": "add", "path": "/steps", "value": []}],
        [{"op": "add", "path": "/steps/-", "value": "a"}, {"op": "add", "path": "/steps/-", "value": "b"}],
        [{"op": "add", "path": "/steps/-", "value": "c"}, {"op": "add", "path": "/answer", "value": {"n": 2}}],
    ]
    assert [data["message"] for data in await stage.data("r", "run.progress")] == ["plan", "work"]
    assert await stage.data("r", "x.langgraph.custom") == [{"note": "tea"}]


async def test_a_graph_inside_a_graph_speaks_once(stage: Stage, models: ModelServer) -> None:
    async def first(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("Written by hand.")]}

    stage.offer("chat", runnable(steps(MessagesState, first, chatting(models, name="inner"))))
    row = await stage.answer("chat", "r", prompt="Good morning")
    assert row["status"] == "succeeded"
    assert [text for _, text, _ in await stage.texts("r")] == [
        "Good morning",
        "Written by hand.",
        "You said: Good morning",
    ]
    assert "inner > answer" in [data["message"] for data in await stage.data("r", "run.progress")][-1]


async def test_a_node_that_repeats_its_models_text_says_it_once(stage: Stage, models: ModelServer) -> None:
    async def answer(state: MessagesState) -> dict[str, Any]:
        said = await ServedChat(url=models.url).ainvoke(state["messages"])
        return {"messages": [AIMessage(said.content, name="researcher")]}

    stage.offer("chat", runnable(steps(MessagesState, answer)))
    await stage.answer("chat", "r", prompt="hi")
    assert [text for _, text, _ in await stage.texts("r")] == ["hi", "You said: hi"]


async def test_what_a_node_raises_is_the_runs_error(stage: Stage, models: ModelServer) -> None:
    stage.offer("chat", runnable(chatting(models)))
    row = await stage.answer("chat", "r", prompt=script([{"text": "Half of it"}, {"status": 500}]))
    assert row["status"] == "succeeded"  # a script cannot fail after its first word
    row = await stage.answer("chat", "s", prompt=script([{"status": 500}]))
    assert row["status"] == "failed"
    assert row["error"]["type"] == "InternalServerError"
    assert [data["level"] for data in await stage.data("s", "log")] == ["error"]


async def test_values_that_are_not_json_are_said_in_words(stage: Stage) -> None:
    async def think(state: Plan) -> Plan:
        return {"answer": {"object": object, "lock": asyncio.Lock(), 3: b"x"}}

    stage.offer("plan", runnable(steps(Plan, think)))
    row = await stage.answer("plan", "r", topic="tea")
    assert (row["status"], (await stage.result("r"))["answer"]["3"]) == ("succeeded", "b'x'")


# Memory


async def test_a_thread_is_remembered_by_the_graphs_own_checkpointer(stage: Stage, models: ModelServer) -> None:
    stage.offer("chat", runnable(chatting(models, checkpointer=InMemorySaver())))
    for run_id in ("one", "two"):
        await stage.runs.start(NewRun(name="chat", run_id=run_id, input={"prompt": run_id}, thread_id="t"), by="ann")
        await stage.ended(run_id)
    asked = [message["content"] for message in models.requests[1].messages]
    assert asked == ["one", "You said: one", "two"]


# Questions


@pytest.mark.parametrize(
    ("asked", "kind", "answer", "expected"),
    [
        ("Which tea?", "text", "green", "green"),
        ({"question": "Which?", "options": ["green", "black"], "why": "thirst"}, "choice", "black", "black"),
        ({"anything": [1]}, "text", "yes", "yes"),
    ],
)
async def test_an_interrupt_is_a_question_whose_answer_resumes_the_graph(
    stage: Stage, asked: Any, kind: str, answer: Any, expected: Any
) -> None:
    async def ask(state: Plan) -> Plan:
        return {"answer": interrupt(asked)}

    stage.offer("plan", runnable(steps(Plan, ask)))
    await stage.start("plan", "r", topic="tea")
    question = await stage.question("r")
    assert question["kind"] == kind
    assert stage.runs.rows["r"]["status"] == "waiting"
    await stage.questions.answer(question["question_id"], answer=answer, by="ben")
    row = await stage.ended("r")
    assert (row["status"], (await stage.result("r"))["answer"]) == ("succeeded", expected)


async def test_an_interrupt_with_a_schema_is_a_form(stage: Stage) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

    async def ask(state: Plan) -> Plan:
        return {"answer": interrupt("How many?", response_schema=schema)}

    stage.offer("plan", runnable(steps(Plan, ask)))
    await stage.start("plan", "r", topic="tea")
    question = await stage.question("r")
    assert (question["kind"], question["schema"]) == ("form", schema)
    await stage.questions.answer(question["question_id"], answer={"n": 3}, by="ben")
    await stage.ended("r")
    assert (await stage.result("r"))["answer"] == {"n": 3}


async def test_several_interrupts_at_once_are_several_questions(stage: Stage) -> None:
    async def left(state: Plan) -> Plan:
        return {"steps": [interrupt("left?")]}

    async def right(state: Plan) -> Plan:
        return {"steps": [interrupt("right?")]}

    builder = StateGraph(Plan)
    for node in (left, right):
        builder.add_node(node.__name__, node)
        builder.add_edge(START, node.__name__)
    stage.offer("plan", runnable(builder.compile()))
    await stage.start("plan", "r", topic="tea")
    await until(lambda: len(stage.questions.list(status="open", run_id="r")) == 2)
    for question in stage.questions.list(status="open", run_id="r"):
        await stage.questions.answer(question["question_id"], answer=question["prompt"][0], by="ben")
    await stage.ended("r")
    assert sorted((await stage.result("r"))["steps"]) == ["l", "r"]


@pytest.mark.parametrize(
    ("action", "answer", "result", "status"),
    [
        ("approve", None, "paid 5", "succeeded"),
        ("edit", {"amount": 3}, "paid 3", "succeeded"),
        ("reject", "too much", "rejected: too much", "failed"),
    ],
)
async def test_an_approval_of_a_call(
    stage: Stage, models: ModelServer, action: str, answer: Any, result: str, status: str
) -> None:
    stage.offer("chat", runnable(chatting(models)))
    await stage.start("chat", "r", prompt=script([{"call": "pay", "arguments": {"amount": 5}}], [{"text": "Done."}]))
    question = await stage.question("r")
    assert (question["kind"], question["prompt"], question["details"]) == ("approval", "Call pay?", "Money!")
    assert question["value"] == {"amount": 5}
    await stage.questions.answer(question["question_id"], answer=answer, action=action, by="ben")
    await stage.ended("r")
    (end,) = await stage.data("r", "tool.end")
    assert (end["status"], end.get("result", end.get("error", {}).get("message"))) == (status, result)
    assert await stage.result("r") == "Done."


@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_a_breakpoint_asks_whether_to_go_on(stage: Stage, action: str) -> None:
    async def first(state: Plan) -> Plan:
        return {"steps": ["first"]}

    async def second(state: Plan) -> Plan:
        return {"steps": ["second"]}

    stage.offer("plan", runnable(steps(Plan, first, second, interrupt_before=["second"])))
    await stage.start("plan", "r", topic="tea")
    question = await stage.question("r")
    assert (question["prompt"], question["value"]) == ("Go on with second?", {"next": ["second"]})
    await stage.questions.answer(question["question_id"], action=action, by="ben")
    row = await stage.ended("r")
    assert row["status"] == ("succeeded" if action == "approve" else "failed")
