"""Asking: what is stored, who may, and the table."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.questions.kit import LEASE, SCHEMA, Open, World, new, outcomes

from antiphon.errors import (
    AlreadyAnswered,
    Busy,
    ConflictError,
    InvalidParams,
    LeaseLost,
    NotFound,
    RunCancelled,
    RunEnded,
)
from antiphon.services.questions import table


async def test_a_question_is_an_event_of_its_run_and_a_row(world: World) -> None:
    question_id = await world.ask(schema=SCHEMA, details="**now**", timeout_s=60, default={"name": "ab"})
    (event,) = await world.said()
    assert (event.type, event.by) == ("question.asked", "ann")
    row = world.questions.get(question_id)
    assert event.data == {
        "question_id": question_id,
        "kind": "form",
        "prompt": "Deploy?",
        "details": "**now**",
        "schema": SCHEMA,
        "deadline": row["deadline"],
        "default": {"name": "ab"},
    }
    assert await world.stored() == {question_id: row}
    assert row["run_name"] == "deploy"
    assert (row["asked_at"], row["deadline"]) == ("2023-11-14T22:13:20.000Z", "2023-11-14T22:14:20.000Z")
    assert row["status"] == "open"


async def test_a_run_waits_while_a_question_is_open(world: World) -> None:
    first, second = await world.ask(), await world.ask()
    assert world.runs.rows["r1"]["status"] == "waiting"
    assert world.runs.rows["r1"]["questions"] == 2
    await world.questions.answer(first, answer="yes", by="bob")
    assert world.runs.rows["r1"]["status"] == "waiting"
    await world.questions.withdraw(second, by="ann")
    assert world.runs.rows["r1"]["status"] == "running"
    assert world.runs.rows["r1"]["questions"] == 0
    said = [event.data["status"] for event in await world.said(kind="run.status")]
    assert said == ["waiting", "running"]


async def test_the_same_question_again_is_the_same(open_world: Open) -> None:
    async with open_world() as world:
        await world.run()
        first = await world.questions.ask("r1", new(question_id="q1", timeout_s=60, options=["a"]), by="ann")
    async with open_world() as world:
        world.clock.advance(10)
        again = await world.questions.ask("r1", new(question_id="q1", timeout_s=60, options=["a"]), by="ann")
        assert again == first
        with pytest.raises(ConflictError) as refused:
            await world.questions.ask("r1", new("Else?", question_id="q1"), by="ann")
        assert refused.value.pointer == "/params/question_id"
        assert len(await world.said()) == 1
        await world.questions.answer("q1", answer="a", by="bob")
        assert await world.questions.ask("r1", new(question_id="q1", options=["a"]), by="ann") == first


async def test_two_retries_at_once_ask_once(world: World) -> None:
    asked = await outcomes(*(world.questions.ask("r1", new(question_id="q1"), by="ann") for _ in range(5)))
    assert len(set(asked)) == 1
    assert len(await world.said()) == 1


async def test_who_asks_shows_the_lease(world: World) -> None:
    await world.questions.ask("r1", new(), by="ann", lease=LEASE)
    with pytest.raises(LeaseLost):
        await world.questions.ask("r1", new(), by="ann", lease="another-lease-altogether")


async def test_what_does_not_run_cannot_ask(world: World) -> None:
    with pytest.raises(NotFound):
        await world.ask("r2")
    await world.runs.cancel("r1")
    with pytest.raises(RunCancelled):
        await world.ask()
    await world.run("r3")
    await world.finish("r3")
    with pytest.raises(RunEnded):
        await world.ask("r3")
    assert await world.stored() == {}


async def test_the_list_begins_with_what_is_due(world: World) -> None:
    for name, timeout_s in (("none", None), ("late", 60), ("soon", 5)):
        await world.ask(question_id=name, timeout_s=timeout_s)
    for name in ("first", "second"):
        await world.ask(question_id=name)
        world.clock.advance(1)
        await world.questions.answer(name, answer="yes", by="bob")
    assert [row["question_id"] for row in world.questions.list()] == ["soon", "late", "none", "second", "first"]
    assert [row["question_id"] for row in world.questions.list(status="answered")] == ["second", "first"]


async def test_the_list_can_be_narrowed(world: World) -> None:
    await world.run("r2", by="eve")
    await world.ask("r1", question_id="q1")
    await world.ask("r2", question_id="q2")
    await world.questions.answer("q2", answer="yes", by="bob")

    def listed(**wanted: Any) -> list[str]:
        return [row["question_id"] for row in world.questions.list(**wanted)]

    assert listed(run_id="r1") == ["q1"]
    assert listed(by="eve") == ["q2"]  # who started the run
    assert listed(by="bob") == ["q2"]  # who answered
    assert listed(by="ann", status="open") == ["q1"]
    with pytest.raises(NotFound):
        world.questions.get("q3")


async def test_ended_rows_are_kept_up_to_a_number(open_world: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "KEPT_ROWS", 3)
    async with open_world() as world:
        await world.run()
        for number in range(6):
            await world.ask(question_id=f"q{number}")
        await asyncio.gather(*(world.questions.answer(f"q{n}", answer="yes", by="bob") for n in range(4)))
        await world.questions.answer("q4", answer="yes", by="bob")
        assert set(world.questions.rows) == {"q2", "q3", "q4", "q5"}
        assert await world.stored() == dict(world.questions.rows)
        kept = dict(world.questions.rows)
    async with open_world() as world:
        assert dict(world.questions.rows) == kept
        await world.questions.answer("q5", answer="yes", by="bob")
        assert set(await world.stored()) == {"q3", "q4", "q5"}


async def test_ended_rows_are_kept_up_to_a_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "KEPT_BYTES", 3000)
    for number in range(4):
        await world.ask(question_id=f"q{number}", details="x" * 800)
        await world.questions.answer(f"q{number}", answer="yes", by="bob")
    assert set(world.questions.rows) == {"q2", "q3"}


async def test_not_more_questions_are_open_than_may_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_OPEN", 1)
    await world.ask()
    with pytest.raises(Busy):
        await world.ask()


async def test_withdrawing(world: World) -> None:
    question_id = await world.ask()
    with pytest.raises(LeaseLost):
        await world.questions.withdraw(question_id, by="ann", lease="another-lease-altogether")
    row = await world.questions.withdraw(question_id, by="ann", reason="not needed", lease=LEASE)
    assert (row["status"], row["reason"], row["by"]) == ("withdrawn", "not needed", "ann")
    assert await world.questions.withdraw(question_id, by="bob") == row
    assert (await world.said())[-1].data == {"question_id": question_id, "reason": "not needed"}
    with pytest.raises(AlreadyAnswered, match=r"withdrawn.*not needed"):
        await world.questions.answer(question_id, answer="yes", by="bob")


async def test_what_was_answered_cannot_be_withdrawn(world: World) -> None:
    question_id = await world.ask()
    await world.questions.answer(question_id, answer="yes", by="bob")
    with pytest.raises(AlreadyAnswered):
        await world.questions.withdraw(question_id, by="ann")


async def test_a_run_of_this_process_waits_for_its_answer(world: World) -> None:
    assert world.runs.ask is not None
    wanted = {"prompt": "Deploy?", "options": ["yes", "no"], "question_id": "q1"}
    asking = asyncio.create_task(world.runs.ask("r1", wanted))
    await world.hub.until_type("run:r1", "question.asked")
    await world.questions.answer("q1", answer="no", by="bob")
    assert await asking == world.questions.get("q1")


async def test_a_run_of_this_process_learns_that_nobody_will_answer(world: World) -> None:
    asking = asyncio.create_task(world.questions.ask_and_wait("r1", {"prompt": "Deploy?", "question_id": "q1"}))
    await world.hub.until_type("run:r1", "question.asked")
    await world.questions.withdraw("q1", by="bob", reason="never mind")
    assert (await asking)["reason"] == "never mind"
    with pytest.raises(InvalidParams):
        await world.questions.ask_and_wait("r1", {"prompt": 5})


async def test_after_its_end_the_service_takes_nothing(open_world: Open) -> None:
    async with open_world() as world:
        await world.run()
        question_id = await world.ask()
        waiting = asyncio.create_task(world.questions.wait(question_id))
        await asyncio.sleep(0)
    with pytest.raises(Busy):
        await waiting
    with pytest.raises(Busy):
        await world.questions.answer(question_id, answer="yes", by="bob")
