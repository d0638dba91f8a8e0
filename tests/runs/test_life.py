"""A run from its beginning to its outcome."""

from __future__ import annotations

import asyncio

import pytest
from tests.runs.conftest import OpenScene
from tests.runs.kit import LEASE, Scene, begin, close, grow, log, note, tool, tool_end, until

from antiphon.errors import Busy, ConflictError, InvalidParams, LeaseLost, NotFound, RunEnded
from antiphon.services.runs import Filter, NewRun, Owner, RunEvent, RunsConfig


async def test_a_run_begins_with_its_start_and_ends_with_its_outcome(scene: Scene) -> None:
    opened = await scene.open(input={"q": "tea"}, title="Tea", thread_id="t1", labels={"team": "a"})
    assert opened.run["status"] == "running"
    assert (opened.channel, opened.lease, opened.epoch) == ("run:r", LEASE, scene.hub.epoch)
    await scene.say(note())
    row = await scene.finish(result={"answer": 42})
    assert await scene.types() == ["run.started", "log", "run.succeeded"]
    first, *_, last = await scene.events()
    assert first.data == {
        "run_id": "r", "name": "demo", "title": "Tea", "thread_id": "t1", "parent_run_id": None,
        "input": {"q": "tea"}, "labels": {"team": "a"}, "by": "ann",
    }  # fmt: skip
    assert last.data == {"result": {"answer": 42}}
    assert row == await scene.row()
    assert (row["status"], row["by"], row["owner"]["kind"]) == ("succeeded", "ann", "remote")
    assert row["ended_at"] is not None
    assert [event.data for event in await log(scene.hub, "thread:t1")] == [{"run_id": "r", "name": "demo"}]


async def test_all_about_a_run_can_be_asked(scene: Scene) -> None:
    await scene.open(input=[1])
    await scene.open("child", parent_run_id="r")
    before = await scene.runs.get("r")
    assert (before.input, before.result, [child["run_id"] for child in before.children]) == ([1], None, ["child"])
    await scene.finish(result="done")
    after = await scene.runs.get("r")
    assert (after.run["status"], after.result, after.error) == ("succeeded", "done", None)
    with pytest.raises(NotFound):
        await scene.runs.get("other")


async def test_a_parent_hears_of_its_children(scene: Scene) -> None:
    await scene.open()
    await scene.open("child", name="part", parent_run_id="r")
    await scene.finish(run_id="child")
    said = [event.data for event in await scene.events() if event.type == "run.child"]
    assert said == [
        {"run_id": "child", "name": "part", "status": "running"},
        {"run_id": "child", "name": "part", "status": "succeeded"},
    ]


async def test_a_parent_that_has_ended_says_nothing_of_its_children(scene: Scene) -> None:
    await scene.open()
    await scene.open("child", parent_run_id="r")
    await scene.finish()
    await scene.finish(run_id="child")
    assert (await scene.types())[-1] == "run.succeeded"
    with pytest.raises(RunEnded):
        await scene.open("late", parent_run_id="r")
    with pytest.raises(NotFound):
        await scene.open("lost", parent_run_id="nobody")


async def test_opening_again_with_the_same_lease_finds_the_same_run(scene: Scene) -> None:
    first, second = await asyncio.gather(scene.open(), scene.open())
    assert first == second
    assert await scene.types() == ["run.started"]
    with pytest.raises(ConflictError):
        await scene.open(lease="another lease than the first")
    with pytest.raises(ConflictError):
        await scene.open(name="other")


async def test_a_run_gets_an_id_that_sorts_and_a_lease(scene: Scene) -> None:
    ids = []
    for _ in range(3):
        opened = await scene.runs.open(NewRun(name="demo"), by=None)
        assert len(opened.lease) >= 32
        ids.append(opened.run_id)
        scene.clock.advance(1)
    assert ids == sorted(ids)
    assert all(len(run_id) == 24 and run_id.startswith("run_") for run_id in ids)


async def test_a_failed_run_says_why(scene: Scene) -> None:
    await scene.open()
    row = await scene.finish("failed", error={"message": "no tea", "type": "TeaError"})
    assert row["error"] == {"message": "no tea", "type": "TeaError"}
    assert (await scene.events())[-1].data == {"error": {"message": "no tea", "type": "TeaError"}}
    assert (await scene.runs.result("r")).error == row["error"]


async def test_finishing_twice_gives_the_first_outcome(scene: Scene) -> None:
    await scene.open()
    first = await scene.finish(result=1)
    assert await scene.finish("failed", error={"message": "late"}) == first
    with pytest.raises(LeaseLost):
        await scene.runs.finish("r", "failed", lease="another lease than the first")
    assert (await scene.types()).count("run.succeeded") == 1


async def test_nothing_can_be_said_after_the_outcome(scene: Scene) -> None:
    await scene.open()
    await scene.finish()
    for lease in (LEASE, None):
        with pytest.raises(RunEnded):
            await scene.say(note(), lease=lease)
    with pytest.raises(RunEnded):
        scene.runs.renew("r", LEASE)
    assert (await scene.types())[-1] == "run.succeeded"


async def test_what_was_said_before_the_outcome_stands_before_it(scene: Scene) -> None:
    await scene.open()
    await scene.say(begin(), grow("one"))
    told: list[object] = []
    for number in range(50):
        scene.runs.emit("r", [grow(f" {number}")], lease=LEASE, by="ann", done=told.append)
    await scene.finish()
    assert len(told) == 50
    text = "".join(event.data["delta"] for event in await scene.events() if event.type == "message.append")
    assert text == "one" + "".join(f" {number}" for number in range(50))


async def test_what_is_open_is_closed_with_the_outcome(scene: Scene) -> None:
    await scene.open()
    await scene.say(begin("a"), begin("b"), close("b"), tool("x"), tool("y"), tool_end("y"))
    await scene.finish("failed", error={"message": "oh"})
    tail = [(event.type, event.data.get("status")) for event in (await scene.events())[-3:]]
    assert tail == [("tool.end", "failed"), ("message.close", "failed"), ("run.failed", None)]


async def test_a_stored_retry_does_not_open_a_part_again(scene: Scene) -> None:
    await scene.open()
    start = RunEvent("message.open", {"message_id": "m", "role": "user"}, "k1")
    work = RunEvent("tool.start", {"tool_call_id": "t", "name": "x"}, "k2")
    await scene.say(start, work, close(), tool_end())
    await scene.say(start, work)
    await scene.finish()
    kinds = await scene.types()
    assert (kinds.count("message.close"), kinds.count("tool.end"), kinds[-1]) == (1, 1, "run.succeeded")


async def test_progress_usage_and_tool_reach_the_row(scene: Scene) -> None:
    await scene.open()
    await scene.say(
        RunEvent("run.progress", {"progress": 0.5, "message": "half"}),
        RunEvent("run.usage", {"input_tokens": 3, "model": "m"}),
        RunEvent("run.usage", {"output_tokens": 5}),
        tool(name="browse"),
    )
    rows = scene.runs.rows
    await until(lambda: rows["r"]["tool"] == "browse")
    row = await scene.row()
    assert (row["progress"], row["progress_message"]) == (0.5, "half")
    assert row["usage"] == {"input_tokens": 3, "model": "m", "output_tokens": 5}
    await scene.say(RunEvent("run.usage", {"output_tokens": 7}), tool_end())
    row = await scene.finish()
    assert (row["usage"]["output_tokens"], row["tool"]) == (7, None)


async def test_the_list_is_newest_first_and_filtered(scene: Scene) -> None:
    for number in range(5):
        await scene.open(f"r{number}", name="odd" if number % 2 else "even", labels={"n": str(number)})
    await scene.finish(run_id="r4")

    def ids(**wanted: object) -> list[str]:
        return [row["run_id"] for row in scene.runs.find(Filter.model_validate(wanted))]

    assert ids() == ["r4", "r3", "r2", "r1", "r0"]
    assert ids(status=["succeeded"]) == ["r4"]
    assert ids(name="odd", limit=1) == ["r3"]
    assert ids(name="odd", before="r3") == ["r1"]
    assert ids(label={"n": "2"}) == ["r2"]
    assert ids(by="bob") == ids(thread_id="t") == ids(parent_run_id="r0") == []


async def test_a_result_can_be_waited_for(scene: Scene) -> None:
    await scene.open()
    assert await scene.runs.result("r", timeout_s=0) == ("running", None, None)
    waiting = asyncio.ensure_future(scene.runs.result("r"))
    await scene.finish(result=[1])
    assert await waiting == ("succeeded", [1], None)


async def test_too_many_runs_at_once_are_refused(open_scene: OpenScene) -> None:
    async with open_scene(RunsConfig(max_active=2)) as scene:
        await scene.open("a")
        await scene.open("b")
        with pytest.raises(Busy):
            await scene.open("c")
        await scene.finish(run_id="a")
        await scene.open("c")


async def test_the_oldest_ended_runs_are_forgotten_with_all_they_said(open_scene: OpenScene) -> None:
    async with open_scene(RunsConfig(keep=2)) as scene:
        await scene.open("active")
        for number in range(4):
            await scene.open(f"r{number}")
            await scene.say(begin(), run_id=f"r{number}")
            await scene.finish(run_id=f"r{number}")
            scene.clock.advance(1)
            scene.runs.renew("active", LEASE)
        await until(lambda: list(scene.runs.rows) == ["active", "r2", "r3"])
        assert list((await scene.hub.state("runs")).value) == ["active", "r2", "r3"]
        assert list((await scene.hub.state("antiphon:runs")).value) == ["active", "r2", "r3"]
        await scene.hub.clear("run:r1")  # behind the ones that the service clears
        assert await log(scene.hub, "run:r0") == []
    async with open_scene(RunsConfig(keep=2)) as scene:
        assert list(scene.runs.rows) == ["active", "r2", "r3"]
        await scene.open("r0")
        assert await scene.types("r0") == ["run.started"]
        assert (await scene.runs.get("r0")).input is None


async def test_a_result_must_be_json(scene: Scene) -> None:
    await scene.open()
    with pytest.raises(InvalidParams) as caught:
        await scene.finish(result=object())
    assert caught.value.pointer == "/params/result"
    assert (await scene.row())["status"] == "running"


async def test_an_owner_says_who_it_is(scene: Scene) -> None:
    opened = await scene.runs.open(NewRun(name="demo"), by="ann", owner=Owner("remote", "my agent", 42))
    assert opened.run["owner"] == {"kind": "remote", "client": "my agent", "pid": 42}
