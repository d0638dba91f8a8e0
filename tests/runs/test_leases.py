"""Leases: who gives no sign is lost, and what it says later is refused."""

from __future__ import annotations

import pytest
from tests.runs.conftest import OpenScene
from tests.runs.kit import LEASE, Scene, begin, note, settle

from antiphon.errors import LeaseLost
from antiphon.services.runs import NewRun


async def test_a_silent_owner_is_lost_and_fenced_off(scene: Scene) -> None:
    await scene.open(lease_s=15)
    await scene.say(begin())
    await scene.pass_time(14)
    assert scene.runs.renew("r", LEASE) == (15, "running")
    await scene.pass_time(14)
    await scene.say(note())
    await scene.pass_time(14)
    assert scene.runs.rows["r"]["status"] == "running"
    await scene.pass_time(2)
    row = await scene.ended()
    assert (row["status"], row["reason"]) == ("lost", "its owner gave no sign for 15 s")
    assert (await scene.types())[-2:] == ["message.close", "run.lost"]
    for refused in (scene.say(note()), scene.finish(), scene.say(note(), lease=None)):
        with pytest.raises(LeaseLost):
            await refused
    with pytest.raises(LeaseLost):
        scene.runs.renew("r", LEASE)
    assert (await scene.types())[-1] == "run.lost"


async def test_each_run_has_its_own_term(scene: Scene) -> None:
    await scene.open("long", lease_s=3600)
    await scene.pass_time(1)
    await scene.open("short", lease_s=2)
    await scene.pass_time(3)
    assert (await scene.ended("short"))["status"] == "lost"
    assert scene.runs.rows["long"]["status"] == "running"


async def test_every_owner_has_a_full_term_after_a_restart(open_scene: OpenScene) -> None:
    async with open_scene() as scene:
        await scene.open(lease_s=15)
        scene.clock.advance(10)
    scene.clock.advance(1000)
    async with open_scene() as scene:
        await scene.pass_time(14)
        await scene.say(note())
        await scene.pass_time(14)
        assert scene.runs.rows["r"]["status"] == "running"
        await scene.pass_time(2)
        assert (await scene.ended())["status"] == "lost"
    async with open_scene() as scene:
        with pytest.raises(LeaseLost):
            await scene.say(note())
        assert await scene.types() == ["run.started", "log", "run.lost"]


async def test_a_starter_that_leaves_takes_its_run_with_it_if_it_said_so(scene: Scene) -> None:
    for run_id, wish in (("stays", "continue"), ("goes", "cancel"), ("back", "cancel")):
        wanted = NewRun(name="demo", run_id=run_id, on_disconnect=wish)  # type: ignore[arg-type]
        await scene.runs.open(wanted, by="ann", lease=LEASE, lease_s=60, connection="c1")
    scene.runs.disconnected("c1")
    scene.runs.disconnected("another")
    await scene.pass_time(4)
    assert scene.runs.rows["goes"]["status"] == "running"
    scene.runs.renew("back", LEASE, connection="c2")
    await scene.pass_time(2)
    await settle()
    assert scene.runs.renew("goes", LEASE).status == "cancelling"
    assert [scene.runs.renew(run_id, LEASE).status for run_id in ("stays", "back")] == ["running"] * 2
    scene.runs.disconnected("c1")  # an old connection is no reason any more
    await scene.pass_time(20)
    assert scene.runs.renew("back", LEASE).status == "running"
    assert (await scene.ended("goes"))["status"] == "cancelled"
