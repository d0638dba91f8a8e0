"""Cancel means cancelled."""

from __future__ import annotations

import asyncio

import pytest
from tests.runs.conftest import OpenScene
from tests.runs.kit import LEASE, OUTCOMES, Scene, begin, close, grow, note, tool, tool_end

from antiphon.errors import NotFound, RunCancelled
from antiphon.services.runs import RunEvent, RunsConfig


async def test_an_owner_is_told_and_may_close_what_is_open(scene: Scene) -> None:
    await scene.open()
    await scene.say(begin(), grow("so far"), tool())
    receipt = await scene.cancel()
    assert receipt == ("r", "cancelling", [], ["r"])
    assert (await scene.events())[-1].data == {"status": "cancelling", "reason": "enough", "by": "bob"}
    assert (await scene.row())["status"] == "cancelling"
    assert scene.runs.renew("r", LEASE).status == "cancelling"
    for refused in (begin("n"), grow("more"), tool("u"), RunEvent("tool.args", {"tool_call_id": "t", "delta": "{"})):
        with pytest.raises(RunCancelled):
            await scene.say(refused)
    await scene.say(note("cleaning up"), tool_end(status="cancelled"), close(status="cancelled"))
    row = await scene.finish("succeeded", result="too late")
    assert (row["status"], row["reason"]) == ("cancelled", "enough")
    last = (await scene.events())[-1]
    assert (last.type, last.data) == ("run.cancelled", {"reason": "enough", "by": "bob"})
    assert (await scene.types()).count("message.close") == 1
    with pytest.raises(RunCancelled):
        await scene.say(note())


async def test_a_growing_message_stops_at_once(scene: Scene) -> None:
    await scene.open()
    await scene.say(begin(), grow("one"))
    told: list[object] = []
    for _ in range(10):
        scene.runs.emit("r", [grow(" held back")], lease=LEASE, by="ann", done=told.append)
    await scene.cancel()
    assert [type(answer) for answer in told] == [RunCancelled] * 10
    await scene.finish("cancelled")
    text = "".join(event.data["delta"] for event in await scene.events() if event.type == "message.append")
    assert text == "one"
    assert (await scene.types())[-2:] == ["message.close", "run.cancelled"]


async def test_cancelling_twice_says_it_once(scene: Scene) -> None:
    await scene.open()
    first, second = await asyncio.gather(scene.cancel(), scene.cancel(reason="again"))
    assert first == second
    await scene.finish("cancelled", reason="mine")
    assert await scene.types() == ["run.started", "run.status", "run.cancelled"]
    assert (await scene.cancel()) == ("r", "cancelled", [], [])
    assert (await scene.row())["reason"] == "enough"


async def test_an_ended_run_keeps_its_outcome(scene: Scene) -> None:
    await scene.open()
    await scene.finish()
    assert (await scene.cancel()) == ("r", "succeeded", [], [])
    with pytest.raises(NotFound):
        await scene.cancel("other")


async def test_an_owner_that_takes_too_long_is_cut_off(open_scene: OpenScene) -> None:
    async with open_scene(RunsConfig(cancel_grace_s=3)) as scene:
        await scene.open(lease_s=60)
        await scene.say(begin())
        await scene.cancel()
        await scene.pass_time(2)
        await scene.say(note())
        await scene.pass_time(2)
        assert (await scene.ended())["status"] == "cancelled"
        with pytest.raises(RunCancelled):
            await scene.say(note())
        assert (await scene.finish())["status"] == "cancelled"
        assert await scene.types() == [
            "run.started", "message.open", "run.status", "log", "message.close", "run.cancelled",
        ]  # fmt: skip


async def test_an_owner_that_dies_of_a_cancel_was_cancelled(scene: Scene) -> None:
    await scene.open(lease_s=2)
    await scene.cancel()
    await scene.pass_time(3)
    assert (await scene.ended())["status"] == "cancelled"


async def test_a_cancel_goes_down_the_tree(scene: Scene) -> None:
    await scene.open()
    await scene.open("child", parent_run_id="r")
    await scene.open("grandchild", parent_run_id="child")
    await scene.open("ended", parent_run_id="r")
    await scene.open("other")
    await scene.finish(run_id="ended")
    receipt = await scene.cancel()
    assert receipt == ("r", "cancelling", [], ["r", "child", "grandchild"])
    with pytest.raises(RunCancelled):
        await scene.open("late", parent_run_id="child")
    for run_id in ("grandchild", "child", "r"):
        assert (await scene.finish(run_id=run_id))["status"] == "cancelled"
    assert [event.data["status"] for event in await scene.events() if event.type == "run.child"] == [
        "running", "running", "succeeded", "cancelled",
    ]  # fmt: skip
    assert scene.runs.rows["other"]["status"] == "running"


async def test_a_child_that_is_just_opened_is_cancelled_with_its_parent(scene: Scene) -> None:
    await scene.open()
    opening = asyncio.ensure_future(scene.open("child", parent_run_id="r"))
    await asyncio.sleep(0)
    receipt = await scene.cancel()
    await opening
    assert receipt.draining == ["r", "child"]
    assert await scene.types("child") == ["run.started", "run.status"]


async def test_a_cancel_survives_a_restart(open_scene: OpenScene) -> None:
    async with open_scene() as scene:
        await scene.open(lease_s=60)
        await scene.say(begin())
        await scene.cancel()
    async with open_scene() as scene:
        with pytest.raises(RunCancelled):
            await scene.say(grow("more"))
        await scene.pass_time(11)
        await scene.ended()
        last = (await scene.events())[-1]
        assert (last.type, last.data) == ("run.cancelled", {"reason": "enough", "by": "bob"})


async def test_a_cancel_while_the_outcome_is_stored_does_not_change_it(scene: Scene) -> None:
    await scene.open()
    finishing = asyncio.ensure_future(scene.finish())
    await asyncio.sleep(0)
    receipt = await scene.cancel()
    assert (await finishing)["status"] == receipt.status == "succeeded"
    assert receipt.stopped == ["r"]
    assert [kind for kind in await scene.types() if kind in OUTCOMES] == ["run.succeeded"]


async def test_whoever_waits_for_the_result_hears_of_the_cancel(scene: Scene) -> None:
    await scene.open()
    waiting = asyncio.ensure_future(scene.runs.result("r"))
    await scene.cancel()
    await scene.finish("cancelled")
    assert await waiting == ("cancelled", None, None)
