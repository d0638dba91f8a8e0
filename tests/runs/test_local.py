"""Runs of this process: started by name, in tasks of the service."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.runs.conftest import OpenScene
from tests.runs.kit import DEADLINE_S, Scene, begin, grow, note, until

from antiphon.errors import AntiphonError, ConflictError, LeaseLost, NotFound, RunCancelled
from antiphon.services.runs import LocalPort, NewRun, RunsConfig


class Stage:
    """A runnable that waits to be told."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go = asyncio.Event()
        self.seen: list[str] = []

    async def __call__(self, port: LocalPort) -> Any:
        self.entered.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.seen.append("cancelled")
            raise
        return port.input


async def start(scene: Scene, run_id: str = "r", *, name: str = "stage", **wanted: Any) -> dict[str, Any]:
    return await scene.runs.start(NewRun(name=name, run_id=run_id, **wanted), by="ann")


async def test_a_registered_function_runs_and_its_return_value_is_the_result(scene: Scene) -> None:
    stage = Stage()
    scene.runs.register("stage", stage)
    assert scene.runs.names == ["stage"]
    row = await start(scene, input={"q": 1})
    assert row["status"] in ("queued", "running")  # as it is by now
    assert row["owner"]["kind"] == "local"
    stage.go.set()
    row = await scene.ended()
    assert row["status"] == "succeeded"
    assert row["started_at"] is not None
    assert await scene.types() == ["run.started", "run.status", "run.succeeded"]
    assert (await scene.runs.result("r")).result == {"q": 1}


async def test_what_is_not_registered_is_not_found_and_names_are_told(scene: Scene) -> None:
    scene.runs.register("stage", Stage())
    with pytest.raises(ConflictError):
        scene.runs.register("stage", Stage())
    with pytest.raises(NotFound, match="there is: stage"):
        await start(scene, name="other")


async def test_starting_again_with_the_same_id_is_the_same_run(scene: Scene) -> None:
    stage = Stage()
    scene.runs.register("stage", stage)
    scene.runs.register("other", stage)
    await asyncio.gather(start(scene), start(scene))
    with pytest.raises(ConflictError):
        await start(scene, name="other")
    stage.go.set()
    await scene.ended()
    assert (await start(scene))["status"] == "succeeded"
    assert (await scene.types()).count("run.started") == 1


async def test_an_exception_is_a_failure(scene: Scene) -> None:
    async def fails(_: LocalPort) -> None:
        raise ValueError("no tea")

    scene.runs.register("fails", fails)
    await start(scene, name="fails")
    row = await scene.ended()
    assert (row["status"], row["error"]) == ("failed", {"message": "no tea", "type": "ValueError"})


async def test_a_result_that_is_no_json_is_a_failure(scene: Scene) -> None:
    async def odd(_: LocalPort) -> object:
        return object()

    scene.runs.register("odd", odd)
    await start(scene, name="odd")
    assert (await scene.ended())["error"]["type"] == "TypeError"


async def test_a_cancel_reaches_the_function_at_once_and_the_receipt_says_stopped(scene: Scene) -> None:
    stage = Stage()
    scene.runs.register("stage", stage)
    await start(scene)
    await stage.entered.wait()
    assert await scene.cancel() == ("r", "cancelled", ["r"], [])
    assert stage.seen == ["cancelled"]
    assert (await scene.events())[-1].data == {"reason": "enough", "by": "bob"}


async def test_a_run_that_waits_for_its_turn_is_cancelled_before_it_begins(scene: Scene) -> None:
    stage = Stage()
    scene.runs.register("stage", stage, at_once=1)
    await start(scene, "first")
    await stage.entered.wait()
    await start(scene, "second")
    await start(scene, "third")
    assert scene.runs.rows["second"]["status"] == "queued"
    assert await scene.cancel("second") == ("second", "cancelled", ["second"], [])
    assert await scene.types("second") == ["run.started", "run.cancelled"]
    stage.go.set()
    assert (await scene.ended("third"))["status"] == "succeeded"
    assert stage.seen == []


async def test_a_result_after_a_cancel_does_not_read_as_success(scene: Scene) -> None:
    async def stubborn(port: LocalPort) -> str:
        try:
            await asyncio.sleep(DEADLINE_S)
        except asyncio.CancelledError:
            with pytest.raises(RunCancelled):
                await port.emit([begin()])
            await port.emit([note("cleaning up")])
        return "done"

    scene.runs.register("stubborn", stubborn)
    await start(scene, name="stubborn")
    await until(lambda: scene.runs.rows["r"]["status"] == "running")
    assert (await scene.cancel()).stopped == ["r"]
    assert await scene.types() == ["run.started", "run.status", "run.status", "log", "run.cancelled"]


async def test_a_function_that_ignores_its_cancel_is_cut_off(open_scene: OpenScene) -> None:
    go, lost = asyncio.Event(), []

    async def deaf(port: LocalPort) -> str:
        port.on_lost = lost.append
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                continue
        return "done"

    async with open_scene(RunsConfig(cancel_grace_s=2)) as scene:
        scene.runs.register("deaf", deaf)
        await start(scene, name="deaf")
        await until(lambda: scene.runs.rows["r"]["status"] == "running")
        cancelling = asyncio.ensure_future(scene.cancel())
        await until(lambda: scene.runs.rows["r"]["status"] == "cancelling")
        await scene.pass_time(3)
        assert (await cancelling).stopped == ["r"]
        assert (await scene.ended())["status"] == "cancelled"
        assert [type(error) for error in lost] == [RunCancelled]
        go.set()


async def test_a_port_tells_of_a_cancel_and_takes_children(scene: Scene) -> None:
    heard: list[str | None] = []

    async def parent(port: LocalPort) -> None:
        port.on_cancel = heard.append
        child = port.another()
        opened = await child.open({"name": "part", "parent_run_id": port.run_id})
        await child.emit([begin(), grow("x")])
        await child.finish("succeeded", result=opened.run_id)
        await child.close()
        await asyncio.sleep(DEADLINE_S)

    scene.runs.register("parent", parent)
    await start(scene, name="parent")
    await until(lambda: any(row["status"] == "succeeded" for row in scene.runs.rows.values()))
    await scene.cancel()
    assert heard == ["enough"]
    assert [event.data["status"] for event in await scene.events() if event.type == "run.child"] == [
        "running", "succeeded",
    ]  # fmt: skip


async def test_a_port_that_is_let_go_without_an_outcome_is_lost(scene: Scene) -> None:
    port = scene.runs.port(by="ann")
    with pytest.raises(ConflictError):
        await port.emit([note()])
    opened = await port.open({"name": "own", "run_id": "r"})
    await port.emit([note()])
    await port.close()
    await port.close()
    assert (await scene.ended())["status"] == "lost"
    with pytest.raises(LeaseLost):
        await scene.runs.finish(opened.run_id, "succeeded", lease=opened.lease)


async def test_what_the_store_refuses_is_raised_by_the_next_call(scene: Scene) -> None:
    port = scene.runs.port(by="ann")
    await port.open({"name": "own", "run_id": "r"})
    await port.emit([grow("never opened")])
    await scene.say(note(), lease=None)
    with pytest.raises(AntiphonError) as caught:
        await port.emit([note()])
    assert caught.value.code == "invalid_message"
    with pytest.raises(AntiphonError, match="no service"):
        await port.ask({"prompt": "?"})
    await port.finish("failed", error={"message": "x"})


async def test_local_runs_are_lost_when_the_server_stops(open_scene: OpenScene) -> None:
    stage = Stage()
    async with open_scene() as scene:
        scene.runs.register("stage", stage)
        await start(scene)
        await stage.entered.wait()
        await scene.runs.port().open({"name": "own", "run_id": "own"})
    assert stage.seen == ["cancelled"]
    async with open_scene() as scene:
        for run_id in ("r", "own"):
            row = await scene.row(run_id)
            assert (row["status"], row["reason"]) == ("lost", "the server was stopped")
            assert (await scene.types(run_id))[-1] == "run.lost"
