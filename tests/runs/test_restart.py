"""What survives: an orderly stop, and a server that is gone from one step to the next."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runs.conftest import OpenScene
from tests.runs.kit import LEASE, OUTCOMES, Scene, begin, close, grow, log, note, tool, until

from antiphon.brokers.sqlite import SqliteBroker
from antiphon.errors import AntiphonError, StorageFull
from antiphon.hub import Hub
from antiphon.messages import NewEvent
from antiphon.services.runs import ManualClock, Runs


async def test_a_run_goes_on_over_a_restart(open_scene: OpenScene) -> None:
    async with open_scene() as scene:
        opened = await scene.open(input="q", labels={"a": "b"})
        await scene.say(begin(), grow("one "), tool())
    async with open_scene() as scene:
        assert await scene.open(input="q") == opened._replace(run=await scene.row())
        await scene.say(grow("two"))
        await scene.finish(result="done")
        assert await scene.types() == [
            "run.started", "message.open", "message.append", "tool.start", "message.append",
            "tool.end", "message.close", "run.succeeded",
        ]  # fmt: skip
        row = await scene.row()
    async with open_scene() as scene:
        assert scene.runs.rows["r"] == row
        assert await scene.finish() == row
        assert (await scene.runs.result("r")).result == "done"


class Killed:
    """A server whose loop goes on, but whose store is closed under its feet: what it says now is lost."""

    def __init__(self, directory: Path) -> None:
        self._broker = SqliteBroker(directory)
        self._broker.open()
        self.clock = ManualClock()
        self.scene: Scene | None = None

    async def __aenter__(self) -> Scene:
        hub = Hub(self._broker)
        await hub.__aenter__()
        runs = Runs(hub, clock=self.clock)
        await runs.__aenter__()
        runs.resume()
        self.scene = Scene(hub, runs, self.clock)
        return self.scene

    async def __aexit__(self, *_: object) -> None:
        assert self.scene is not None
        await self._broker.close()
        await self.scene.runs.__aexit__(None, None, None)
        await self.scene.hub.__aexit__(None, None, None)


async def test_a_killed_server_finds_remote_runs_running_and_local_ones_lost(tmp_path: Path) -> None:
    async with Killed(tmp_path) as scene:
        await scene.open("remote")
        await scene.say(begin(), run_id="remote")
        port = scene.runs.port()
        await port.open({"name": "own", "run_id": "local"})
        await port.emit([begin("m"), close("m"), begin("n")])
        await scene.say(note(), run_id="local", lease=None)
    async with Killed(tmp_path) as scene:
        assert (await scene.ended("local"))["reason"] == "the server was restarted"
        assert (await scene.types("local"))[-2:] == ["message.close", "run.lost"]
        await scene.say(grow("on"), run_id="remote")
        assert (await scene.finish(run_id="remote"))["status"] == "succeeded"


async def test_hooks_withdraw_what_belongs_to_a_local_run_that_is_lost(open_scene: OpenScene, tmp_path: Path) -> None:
    async with Killed(tmp_path) as scene:
        await scene.runs.port().open({"name": "own", "run_id": "r"})
        await scene.runs.transact("r", [NewEvent("run:r", "question.asked", b"{}")], asked=1)
        assert scene.runs.rows["r"]["status"] == "waiting"
    broker = SqliteBroker(tmp_path)
    broker.open()
    async with Hub(broker) as hub, Runs(hub, clock=ManualClock()) as runs:
        runs.on_ending.append(lambda run_id: [NewEvent(f"run:{run_id}", "question.withdrawn", b"{}")])
        assert runs.rows["r"]["status"] == "waiting"
        runs.resume()
        await runs.result("r")
        kinds = [event.type for event in await log(hub, "run:r")]
        assert kinds[-2:] == ["question.withdrawn", "run.lost"]
        assert runs.rows["r"]["questions"] == 0


class FullDisk:
    """Refuses to store while told so."""

    def __init__(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        broker = scene.hub._broker
        append = broker.append

        async def refusing(batch: object) -> None:
            if self.is_full:
                raise StorageFull("no room")
            await append(batch)  # type: ignore[arg-type]

        monkeypatch.setattr(broker, "append", refusing)


async def test_an_outcome_that_cannot_be_stored_stands_and_is_stored_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(scene, monkeypatch)
    await scene.open()
    await scene.say(begin(), tool())
    disk.is_full = True
    with pytest.raises(StorageFull):
        await scene.finish(result=1)
    with pytest.raises(AntiphonError):
        await scene.say(note())
    with pytest.raises(StorageFull):
        await scene.finish("failed")
    assert (await scene.row())["status"] == "running"
    disk.is_full = False
    await scene.pass_time(2)
    assert (await scene.ended())["status"] == "succeeded"
    assert [kind for kind in await scene.types() if kind in OUTCOMES] == ["run.succeeded"]


async def test_a_cancel_that_cannot_be_stored_counts_and_is_told_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(scene, monkeypatch)
    await scene.open(lease_s=60)
    disk.is_full = True
    with pytest.raises(StorageFull):
        await scene.cancel()
    assert scene.runs.renew("r", LEASE).status == "cancelling"
    disk.is_full = False
    await scene.pass_time(2)
    await until(lambda: scene.runs.rows["r"]["status"] == "cancelling")
    assert (await scene.cancel()).draining == ["r"]
    assert await scene.types() == ["run.started", "run.status"]


async def test_an_opening_that_cannot_be_stored_leaves_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(scene, monkeypatch)
    disk.is_full = True
    with pytest.raises(StorageFull):
        await scene.open()
    disk.is_full = False
    await scene.open()
    assert await scene.types() == ["run.started"]
    assert list(scene.runs.rows) == ["r"]


async def test_questions_that_cannot_be_stored_are_not_counted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(scene, monkeypatch)
    await scene.open()
    disk.is_full = True
    with pytest.raises(StorageFull):
        await scene.runs.transact("r", [NewEvent("run:r", "question.asked", b"{}")], asked=1)
    disk.is_full = False
    asked = [NewEvent("run:r", "question.asked", b"{}")]
    assert len(await scene.runs.transact("r", asked, asked=1)) == 1
    assert ((await scene.row())["status"], (await scene.row())["questions"]) == ("waiting", 1)
    await scene.runs.transact("r", [NewEvent("run:r", "question.answered", b"{}")], asked=-1)
    assert ((await scene.row())["status"], (await scene.row())["questions"]) == ("running", 0)
    assert [event.data["status"] for event in await scene.events() if event.type == "run.status"] == [
        "waiting", "running",
    ]  # fmt: skip
    with pytest.raises(AntiphonError):
        await scene.runs.transact("nobody", asked, asked=1)
