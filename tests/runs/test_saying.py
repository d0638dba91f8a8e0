"""What owners may say: checked, in order, renewing the lease."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.runs.kit import LEASE, Scene, begin, grow, note, tool

from antiphon.errors import AntiphonError, InvalidMessage, InvalidParams, InvalidPatch, KeyConflict, LeaseLost, NotFound
from antiphon.services.runs import RunEvent
from antiphon.services.runs.says import MAX_EVENTS


async def test_events_are_stored_in_the_order_in_which_they_were_said(scene: Scene) -> None:
    await scene.open()
    told: list[Any] = []
    for number in range(40):
        events = [RunEvent("x.step", number), RunEvent("x.step", number + 0.5)]
        scene.runs.emit("r", events, lease=LEASE, by="ann", done=told.append)
    await scene.say(note())
    stored = [event.data for event in await scene.events() if event.type == "x.step"]
    assert stored == [half / 2 for half in range(80)]
    assert [answer[0].offset for answer in told] == [2 * number + 3 for number in range(40)]


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        (RunEvent("run.succeeded", {"result": 1}), "/type"),
        (RunEvent("question.asked", {}), "/type"),
        (RunEvent("x.", {}), "/type"),
        (RunEvent("log", {"level": "loud", "text": ""}), "/data/level"),
        (RunEvent("log", "text"), "/data"),
        (RunEvent("run.progress", {"progress": 1.5}), "/data/progress"),
        (RunEvent("run.progress", {"progress": float("nan")}), "/data/progress"),
        (RunEvent("run.usage", {"input_tokens": -1}), "/data/input_tokens"),
        (RunEvent("run.usage", {"words": 1}), "/data/words"),
        (RunEvent("message.open", {"message_id": "m", "role": "boss"}), "/data/role"),
        (RunEvent("message.append", {"message_id": "m", "delta": 1}), "/data/delta"),
        (RunEvent("message.append", {"message_id": "m", "delta": "\ud800"}), "/data"),
        (RunEvent("tool.start", {"tool_call_id": "", "name": "x"}), "/data/tool_call_id"),
        (RunEvent("tool.end", {"tool_call_id": "t", "status": "completed"}), "/data/status"),
        (RunEvent("state.patch", {"ops": {}}), "/data/ops"),
        (RunEvent("x.y", object()), "/data"),
        (RunEvent("x.y", 1, ""), "/idempotency_key"),
    ],
)
async def test_what_is_wrong_is_refused_with_a_pointer_and_nothing_is_stored(
    scene: Scene, event: RunEvent, pointer: str
) -> None:
    await scene.open()
    with pytest.raises(InvalidParams) as caught:
        await scene.say(note(), event)
    assert caught.value.pointer == f"/params/events/1{pointer}"
    assert await scene.types() == ["run.started"]


async def test_the_number_of_events_is_bounded(scene: Scene) -> None:
    await scene.open()
    for events in ([], [note()] * (MAX_EVENTS + 1)):
        with pytest.raises(InvalidParams):
            await scene.say(*events)


@pytest.mark.parametrize(
    ("events", "error", "pointer"),
    [
        ([note(), grow("x")], InvalidMessage, "/params/events/1/data/message_id"),
        ([begin(), begin()], InvalidMessage, "/params/events/1/data/message_id"),
        (
            [RunEvent("state.patch", {"ops": [{"op": "remove", "path": "/a"}]})],
            InvalidPatch,
            "/params/events/0/data/ops/0",
        ),
        ([RunEvent("x.a", 1, "k"), RunEvent("x.a", 2, "k")], KeyConflict, "/params/events/1/idempotency_key"),
    ],
)
async def test_what_does_not_fit_is_refused_by_the_store_with_a_pointer(
    scene: Scene, events: list[RunEvent], error: type[AntiphonError], pointer: str
) -> None:
    await scene.open()
    with pytest.raises(error) as caught:
        await scene.say(*events)
    assert caught.value.pointer == pointer
    await scene.finish()
    assert (await scene.types())[-1] == "run.succeeded"


async def test_a_retry_with_the_same_keys_is_stored_once(scene: Scene) -> None:
    await scene.open()
    events = [RunEvent("message.open", begin().data, "a"), RunEvent("message.append", grow("one").data, "b")]
    await asyncio.gather(scene.say(*events), scene.say(*events))
    await scene.say(*events)
    assert await scene.types() == ["run.started", "message.open", "message.append"]


async def test_another_lease_is_fenced_off(scene: Scene) -> None:
    await scene.open()
    for lease in ("another lease than the first", ""):
        with pytest.raises(LeaseLost):
            await scene.say(note(), lease=lease)
        with pytest.raises(LeaseLost):
            scene.runs.renew("r", lease)
        with pytest.raises(LeaseLost):
            scene.runs.check_lease("r", lease)
        with pytest.raises(LeaseLost):
            await scene.runs.finish("r", "succeeded", lease=lease)
    assert await scene.types() == ["run.started"]
    with pytest.raises(NotFound):
        await scene.say(note(), run_id="other")


async def test_a_participant_may_speak_and_keeps_nothing_alive(scene: Scene) -> None:
    await scene.open()
    for _ in range(2):
        await scene.pass_time(10)
        if scene.runs.rows["r"]["status"] == "running":
            await scene.say(note("from outside"), lease=None)
    assert (await scene.ended())["status"] == "lost"
    assert await scene.types() == ["run.started", "log", "run.lost"]


async def test_state_of_a_run_is_its_own(scene: Scene) -> None:
    await scene.open()
    await scene.say(RunEvent("state.patch", {"ops": [{"op": "add", "path": "/tasks", "value": {"t": "done"}}]}))
    assert (await scene.hub.state("run:r")).value == {"tasks": {"t": "done"}}


async def test_many_open_tools_are_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.services.runs.parts.MAX_TOOLS", 2)
    await scene.open()
    await scene.say(tool("a"), tool("b"))
    with pytest.raises(AntiphonError) as caught:
        await scene.say(tool("c"))
    assert caught.value.code == "busy"
