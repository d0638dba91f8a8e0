"""What a program does with its run, against the real server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.client.stories import story, whole_history
from tests.live.real_server import RealServer

import antiphon
from antiphon import AsyncLive, Event
from antiphon.client.run import records as records_module
from antiphon.errors import (
    AlreadyAnswered,
    ConflictError,
    InputError,
    InvalidParams,
    NotFound,
    QuestionWithdrawn,
    RunEnded,
    TooLarge,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    found = RealServer(tmp_path_factory.mktemp("runs") / "data")
    asyncio.run(found.start())
    yield found
    asyncio.run(found.kill())


@pytest.fixture
async def live(server: RealServer) -> AsyncIterator[AsyncLive]:
    """The program that does the run."""
    async with antiphon.connect(server.url) as live:
        yield live


@pytest.fixture
async def other(server: RealServer) -> AsyncIterator[AsyncLive]:
    """Somebody else, who watches."""
    async with antiphon.connect(server.url) as live:
        yield live


class Deploy(BaseModel):
    version: str
    force: bool = False


async def until_said(live: AsyncLive, run_id: str, kind: str) -> Event:
    async for item in live.subscribe(f"run:{run_id}", after="start"):
        if isinstance(item, Event) and item.type == kind:
            return item
    raise AssertionError("unreachable")


async def the_question(live: AsyncLive, run_id: str) -> str:
    return str((await until_said(live, run_id, "question.asked")).data["question_id"])


# What it says


async def test_everything_that_a_run_says(live: AsyncLive, other: AsyncLive) -> None:
    async with live.run("tea", {"q": 1}, title="Tea", labels={"team": "a"}) as run:
        async with run.message() as message:
            for word in ("Green", "", " tea", "!"):
                await message.append(word)
        async with run.message("reasoning", message_id="thought") as message:
            await message.append("hm")
        async with run.tool("search", {"q": "tea"}, tool_call_id="t1", parent_message_id=message.id) as tool:
            await tool.progress(0.5, "half")
            await tool.result({"hits": 3})
        with pytest.raises(ZeroDivisionError):  # noqa: PT012  # what comes out of the block
            async with run.tool("divide", tool_call_id="t2") as tool:
                await tool.args('{"by"')
                await tool.args(": 0}")
                raise ZeroDivisionError("by zero")
        await run.log("so far", "warning", logger="kitchen")
        await run.progress(0.5, "half")
        await run.usage(input_tokens=10, cost_usd=0.5)
        await run.usage(output_tokens=3, model="small")
        async with run.state.edit() as state:
            state["tasks"] = {"t1": "open"}
            state["tasks"]["t1"] = "done"
        await run.emit("x.mine", [1, {"a": None}])
        await run.result({"tea": "green"})
    told = await story(other, run.id)
    assert told["texts"] == [["assistant", "Green tea!", "completed"], ["reasoning", "hm", "completed"]]
    assert told["tools"]["t1"] == {
        "name": "search",
        "args": '{"q":"tea"}',
        "status": "succeeded",
        "result": {"hits": 3},
    }
    assert told["tools"]["t2"] == {"name": "divide", "args": '{"by": 0}', "status": "failed", "result": None}
    assert told["log"] == [("warning", "so far")]
    assert told["state"] == {"tasks": {"t1": "done"}} == (await other.state(run.channel)).value
    assert told["outcome"] == ("run.succeeded", {"result": {"tea": "green"}})
    found = await other.get_run(run.id)
    assert (found.input, found.result, found.run.title, found.run.labels) == (
        {"q": 1},
        {"tea": "green"},
        "Tea",
        {"team": "a"},
    )
    assert (found.run.progress, found.run.usage["cost_usd"], found.run.usage["model"]) == (0.5, 0.5, "small")
    assert found.run.has_ended
    assert [row.run_id for row in (await other.runs(label={"team": "a"})).runs] == [run.id]
    with pytest.raises(RunEnded):
        await run.log("too late")


async def test_a_failure_that_is_no_exception_and_a_call_that_begins_late(live: AsyncLive, other: AsyncLive) -> None:
    async with live.run("tea") as run, run.tool("search", "{}", tool_call_id="t1") as tool:
        await tool.result("not this")
        await tool.error("no tea", "TeaError")
        await tool.begin()
    ended = [event.data for event in await whole_history(other, run.channel) if event.type == "tool.end"]
    assert ended[0].pop("duration_ms") >= 0
    assert ended == [{"tool_call_id": "t1", "status": "failed", "error": {"message": "no tea", "type": "TeaError"}}]


async def test_a_long_text_is_several_events(live: AsyncLive, other: AsyncLive) -> None:
    text = "äß" * 50_000
    async with live.run("tea") as run, run.message() as message:
        await message.append(text)
    assert (await story(other, run.id))["texts"][0][1] == text


async def test_what_cannot_be_said_is_refused_where_it_is_said(live: AsyncLive, other: AsyncLive) -> None:
    async with live.run("tea") as run:
        with pytest.raises(TypeError):
            await run.emit("x.mine", object())
        with pytest.raises(InputError):
            await run.emit("mine", 1)
        with pytest.raises(TooLarge):
            await run.log("x" * 2_000_000)
        with pytest.raises(TypeError):
            await run.result(object())
    assert (await story(other, run.id))["outcome"] == ("run.succeeded", {"result": None})


async def test_what_the_server_refuses_ends_the_run_as_failed(live: AsyncLive, other: AsyncLive) -> None:
    with pytest.raises(InvalidParams):
        async with live.run("tea") as run:
            await run.progress(7)
    assert (await other.get_run(run.id)).run.status == "failed"


async def test_an_exception_is_the_runs_error_and_goes_on(live: AsyncLive, other: AsyncLive) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # what comes out of the block
        async with live.run("tea") as run, run.message() as message:
            await message.append("1/0 is")
            raise ZeroDivisionError("division by zero")
    told = await story(other, run.id)
    assert told["texts"] == [["assistant", "1/0 is", "failed"]]
    found = await other.get_run(run.id)
    assert (found.run.status, found.error) == ("failed", {"message": "division by zero", "type": "ZeroDivisionError"})


async def test_an_id_of_ones_own_is_taken_once(live: AsyncLive) -> None:
    async with live.run("tea", run_id="mine"):
        pass
    with pytest.raises(ConflictError):
        async with live.run("tea", run_id="mine"):
            raise AssertionError("not reached")
    assert not live._session.hurries


async def test_threads_and_children(live: AsyncLive, other: AsyncLive) -> None:
    async with live.run("parent", thread_id="t-1") as run:
        async with run.child("step", 1) as step:
            assert step.thread_id == "t-1"
            assert antiphon.current_run() is step
        assert antiphon.current_run() is run
        with pytest.raises(ValueError, match="no"):
            async with run.child("step", 2):
                raise ValueError("no")
    assert antiphon.current_run() is None
    children = (await other.get_run(run.id)).children
    assert sorted(child.status for child in children) == ["failed", "succeeded"]
    assert len((await other.runs(thread_id="t-1")).runs) == 3
    assert len((await other.runs(parent=run.id, status="failed")).runs) == 1


# How it is cancelled


async def cancelled_while(other: AsyncLive, run: antiphon.Run) -> None:
    """Somebody cancels, and the body sees it."""
    receipt = await other.cancel_run(run.id, "enough")
    assert (receipt.status, receipt.draining) == ("cancelling", (run.id,))
    with pytest.raises(asyncio.CancelledError):
        await asyncio.Event().wait()
    raise asyncio.CancelledError


async def test_a_cancel_from_outside(live: AsyncLive, other: AsyncLive) -> None:
    reasons: list[str | None] = []
    with pytest.raises(antiphon.RunCancelled, match="enough") as cancelled:  # noqa: PT012  # what comes out of the block
        async with live.run("tea", on_cancel=reasons.append) as run, run.message() as message:
            await message.append("so")
            await until_said(other, run.id, "message.append")
            await cancelled_while(other, run)
    assert (cancelled.value.run_id, cancelled.value.reason, reasons) == (run.id, "enough", ["enough"])
    told = await story(other, run.id)
    assert told["texts"] == [["assistant", "so", "cancelled"]]
    assert told["outcome"][0] == "run.cancelled"
    assert (await other.get_run(run.id)).run.reason == "enough"
    assert (await other.cancel_run(run.id)).status == "cancelled"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_before_the_first_word_inside_a_tool_and_while_a_question_is_open(
    live: AsyncLive, other: AsyncLive
) -> None:
    async def silent(run: antiphon.Run) -> None:
        await asyncio.Event().wait()

    async def tool(run: antiphon.Run) -> None:
        async with run.tool("slow"):
            await asyncio.Event().wait()

    async def asking(run: antiphon.Run) -> None:
        await run.ask("Go on?", options=["yes", "no"])

    async def do(body: Any) -> None:
        async with live.run("tea", run_id=f"cancel-{body.__name__}") as run:
            open_.set()
            await body(run)

    for body, until in ((silent, "run.started"), (tool, "tool.start"), (asking, "question.asked")):
        open_ = asyncio.Event()
        doing = asyncio.create_task(do(body))
        await open_.wait()
        run_id = f"cancel-{body.__name__}"
        await until_said(other, run_id, until)
        await other.cancel_run(run_id)
        with pytest.raises(antiphon.RunCancelled):
            await doing
        assert (await story(other, run_id))["outcome"][0] == "run.cancelled"
        assert [row.status for row in (await other.get_run(run_id)).questions] in ([], ["withdrawn"])


async def test_a_body_that_goes_on_is_refused_what_grows(live: AsyncLive, other: AsyncLive) -> None:
    with pytest.raises(antiphon.RunCancelled):  # noqa: PT012  # what comes out of the block
        async with live.run("tea") as run, run.message() as message:
            try:
                await cancelled_while(other, run)
            except asyncio.CancelledError:
                assert run.is_cancelled
            with pytest.raises(antiphon.RunCancelled):
                await message.append("more")
            with pytest.raises(antiphon.RunCancelled):
                await run.ask("Really?", kind="text")
            await run.log("cleaning up")
            async with run.state.edit() as state:
                state["clean"] = True
    told = await story(other, run.id)
    assert (told["log"], told["state"]) == ([("info", "cleaning up")], {"clean": True})
    assert told["outcome"][0] == "run.cancelled"


async def test_a_success_after_a_cancel_does_not_read_as_success(live: AsyncLive, other: AsyncLive) -> None:
    """The cancel is stored, and the body ends before it hears of it."""
    with pytest.raises(antiphon.RunCancelled):  # noqa: PT012  # what comes out of the block
        async with live.run("tea") as run:
            await other.cancel_run(run.id)
            await run.result("done")
    assert (await other.get_run(run.id)).run.status == "cancelled"


async def test_the_programs_own_cancel_goes_on(live: AsyncLive, other: AsyncLive) -> None:
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def do() -> None:
        async with live.run("tea") as run:
            started.set_result(run.id)
            await asyncio.Event().wait()

    doing = asyncio.create_task(do())
    run_id = await started
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert (await other.get_run(run_id)).run.status == "cancelled"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), live.run("tea") as run:
            await asyncio.Event().wait()
    assert (await other.get_run(run.id)).run.status == "cancelled"


async def test_a_cancel_goes_down_the_tree_and_comes_out_of_each_block(live: AsyncLive, other: AsyncLive) -> None:
    with pytest.raises(antiphon.RunCancelled) as cancelled:  # noqa: PT012  # what comes out of the block
        async with live.run("parent") as run, run.child("step") as step, step.child("deep"):
            await other.cancel_run(run.id)
            await asyncio.Event().wait()
    assert cancelled.value.run_id == run.id
    found = await other.get_run(run.id)
    rows = (*found.children, found.run)
    assert {row.status for row in rows} == {"cancelled"}
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancelled_child_leaves_its_parent_alone(live: AsyncLive, other: AsyncLive) -> None:
    async with live.run("parent") as run:
        with pytest.raises(antiphon.RunCancelled) as cancelled:  # noqa: PT012  # what comes out of the block
            async with run.child("step") as step:
                await other.cancel_run(step.id)
                await asyncio.Event().wait()
        assert cancelled.value.run_id == step.id
    assert (await other.get_run(run.id)).run.status == "succeeded"


# What it asks


async def test_answers_come_back_as_what_was_asked_for(live: AsyncLive, other: AsyncLive) -> None:
    async def answered(asking: Any, run_id: str, answer: Any, **given: Any) -> Any:
        task = asyncio.create_task(asking)
        question_id = ""
        while not question_id:  # the newest is the open one
            await until_said(other, run_id, "question.asked")
            question_id = next((row.question_id for row in await other.questions(run_id=run_id)), "")
        await other.answer(question_id, answer, **given)
        with pytest.raises(AlreadyAnswered) as late:
            await other.answer(question_id, answer, **given)
        assert late.value.question is not None
        assert late.value.question["by"] == "local"
        return await task

    async with live.run("tea") as run:
        options = ["green", {"value": 2, "label": "black"}]
        assert await answered(run.ask("Which?", options=options), run.id, 2) == 2
        assert await answered(run.ask("How?"), run.id, "hot") == "hot"
        deploy = await answered(run.ask("Deploy?", schema=Deploy), run.id, {"version": "1", "force": True})
        assert deploy == Deploy(version="1", force=True)
        assert await answered(run.ask("Deploy?", schema=Deploy), run.id, None, action="reject") is None
        plain = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        assert await answered(run.ask("How many?", schema=plain), run.id, {"n": 3}) == {"n": 3}

        approval = await answered(run.approve("Do it?", Deploy(version="2")), run.id, None, action="approve")
        assert (approval.approved, approval.value, approval.by) == (True, Deploy(version="2"), "local")
        edited = {"version": "3", "force": True}
        approval = await answered(run.approve("Do it?", Deploy(version="2")), run.id, edited, action="edit")
        assert (approval.action, approval.value) == ("edit", Deploy(version="3", force=True))
        approval = await answered(run.approve("Do it?", {"rm": "-rf"}), run.id, "no!", action="reject")
        assert (approval.approved, approval.value, approval.reason) == (False, None, "no!")


async def test_deadlines(live: AsyncLive) -> None:
    async with live.run("tea") as run:
        assert await run.ask("Which?", options=["a", "b"], timeout_s=0.05, default="b") == "b"
        assert await run.ask("Which?", options=["a", None], timeout_s=0.05, default=None) is None
        default = Deploy(version="0")
        assert await run.ask("Deploy?", schema=Deploy, timeout_s=0.05, default=default) == default
        assert await run.ask("Deploy?", schema=Deploy, timeout_s=0.05, default="reject") is None
        approval = await run.approve("Do it?", {"a": 1}, timeout_s=0.05, default="approve")
        assert (approval.approved, approval.value, approval.by, approval.is_default) == (True, {"a": 1}, None, True)
        with pytest.raises(QuestionWithdrawn, match="deadline"):
            await run.ask("Which?", options=["a"], timeout_s=0.05)


async def test_a_question_that_makes_no_sense_is_refused(live: AsyncLive) -> None:
    async with live.run("tea") as run:
        with pytest.raises(InvalidParams) as wrong:
            await run.ask("Which?", options=["a"], default="z", timeout_s=5)
        assert wrong.value.pointer is not None
        assert wrong.value.pointer.startswith("/params/default")


async def test_a_question_nobody_waits_for_is_withdrawn(live: AsyncLive, other: AsyncLive) -> None:
    async with live.run("tea") as run:
        asking = asyncio.create_task(run.ask("Which?"))
        await the_question(other, run.id)
        asking.cancel()
        await until_said(other, run.id, "question.withdrawn")
        assert await other.questions(run_id=run.id) == ()


# What others do


async def test_starting_needs_something_that_can_be_started(live: AsyncLive) -> None:
    with pytest.raises(NotFound):
        await live.start_run("nothing")
    with pytest.raises(NotFound):
        await live.get_run("nobody")


async def test_waiting_for_a_result(live: AsyncLive, other: AsyncLive) -> None:
    async with live.run("tea") as run:
        assert (await other.run_result(run.id, timeout_s=0)).status == "running"
        waiting = asyncio.create_task(other.run_result(run.id, timeout_s=None))
        await other.request("ping")
        await run.result(7)
    assert ((await waiting).status, (await waiting).result) == ("succeeded", 7)


async def test_a_run_as_a_file(live: AsyncLive, other: AsyncLive) -> None:
    async with live.run("tea") as run:
        await run.log("one")
    exported = await other.export_run(run.id)
    row = await other.import_run(exported)
    assert (row.owner["kind"], row.status, row.run_id != run.id) == ("imported", "succeeded", True)
    mine, theirs = await whole_history(other, run.channel), await whole_history(other, f"run:{row.run_id}")
    assert [(event.type, event.time) for event in mine] == [(event.type, event.time) for event in theirs]
    with pytest.raises(NotFound):
        await other.export_run("nobody")
    with pytest.raises(InputError):
        await other.import_run(b"rubbish")


# Log records


@pytest.fixture
def kitchen() -> logging.Logger:
    """A logger beside the tree of loggers: pytest-xdist cannot pass on what is no UTF-8, which one test logs."""
    logger = logging.Logger("kitchen", logging.DEBUG)
    logger.addHandler(antiphon.RunHandler(level=logging.INFO))
    return logger


async def test_log_records_belong_to_the_current_run(
    live: AsyncLive, other: AsyncLive, kitchen: logging.Logger
) -> None:
    kitchen.warning("outside")
    async with live.run("tea") as run:
        kitchen.info("kettle at %d degrees", 90)
        kitchen.debug("below the level")
        async with run.child("step") as step:
            await asyncio.to_thread(kitchen.error, "in a thread \ud800")
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            kitchen.exception("broken")
    events = [event for event in await whole_history(other, run.channel) if event.type == "log"]
    assert events[0].data == {"level": "info", "text": "kettle at 90 degrees", "logger": "kitchen"}
    assert events[1].data["level"] == "error"
    assert "ZeroDivisionError" in events[1].data["text"]
    assert len(events) == 2
    assert (await story(other, step.id))["log"] == [("error", "in a thread ?")]


async def test_too_many_records_at_once_are_counted(
    live: AsyncLive, other: AsyncLive, kitchen: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "MAX_RECORDS", 10)
    async with live.run("tea") as run:
        for number in range(25):
            kitchen.info("%d", number)
    log = (await story(other, run.id))["log"]
    assert log[:10] == [("info", str(number)) for number in range(10)]
    assert log[10][1].startswith("15 log records were dropped")
    assert len(log) == 11
