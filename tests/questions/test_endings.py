"""Deadlines, and the ends of runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.questions.kit import LEASE, Open, World, outcomes

from antiphon.errors import AlreadyAnswered, RunCancelled, RunEnded, StorageFull


async def test_the_default_counts_when_the_time_is_up(world: World) -> None:
    question_id = await world.ask(options=["yes", "no"], timeout_s=60, default="no")
    world.clock.advance(59.999)
    assert world.questions.get(question_id)["status"] == "open"
    world.clock.advance(0.001)
    row = await world.questions.wait(question_id)
    assert (row["status"], row["answer"], row["action"], row["by"], row["is_default"]) == (
        "answered",
        "no",
        "answer",
        None,
        True,
    )
    event = (await world.said())[-1]
    assert (event.type, event.by) == ("question.answered", None)
    assert event.data["is_default"] is True
    assert world.runs.rows["r1"]["status"] == "running"
    with pytest.raises(AlreadyAnswered, match="default"):
        await world.questions.answer(question_id, answer="yes", by="bob")


async def test_without_a_default_it_is_withdrawn(world: World) -> None:
    question_id = await world.ask(timeout_s=60)
    world.clock.advance(60)
    row = await world.questions.wait(question_id)
    assert (row["status"], row["reason"], row["by"]) == ("withdrawn", "deadline passed", None)
    assert (await world.said())[-1].data == {"question_id": question_id, "reason": "deadline passed"}


async def test_an_answer_at_the_deadline_is_late(world: World) -> None:
    """Whatever runs first: the timer or the answer."""
    question_id = await world.ask(timeout_s=60, default="as it was")
    world.clock.advance(60)
    with pytest.raises(AlreadyAnswered, match="default"):
        await world.questions.answer(question_id, answer="late", by="bob")
    assert len(await world.said()) == 2


async def test_an_earlier_deadline_is_kept_first(world: World) -> None:
    late, soon = await world.ask(timeout_s=60), await world.ask(timeout_s=5)
    world.clock.advance(5)
    await world.questions.wait(soon)
    assert world.questions.get(late)["status"] == "open"
    world.clock.advance(55)
    await world.questions.wait(late)


async def test_a_deadline_is_kept_over_restarts(open_world: Open) -> None:
    async with open_world() as world:
        await world.run()
        kept = await world.ask(timeout_s=60, default="nothing")
        passed = await world.ask(timeout_s=20, default="nothing")
        withdrawn = await world.ask(timeout_s=20)
        deadline = world.questions.get(kept)["deadline"]
    world.clock.advance(30)
    async with open_world() as world:
        assert (await world.questions.wait(passed))["is_default"]
        assert (await world.questions.wait(withdrawn))["status"] == "withdrawn"
        assert world.questions.get(kept)["deadline"] == deadline
        world.clock.advance(29)
        assert world.questions.get(kept)["status"] == "open"
    async with open_world() as world:
        world.clock.advance(1)
        await world.questions.wait(kept)
    world.clock.advance(3600)
    async with open_world() as world:
        ends = [event.data["question_id"] for event in await world.said() if event.type != "question.asked"]
        assert sorted(ends) == sorted([kept, passed, withdrawn]), "each ends once"
        assert world.runs.rows["r1"]["questions"] == 0


async def test_a_thousand_defaults_are_due_at_once(open_world: Open) -> None:
    async with open_world() as world:
        await world.run()
        asked = await asyncio.gather(*(world.ask(timeout_s=60, default="nothing") for _ in range(1000)))
    world.clock.advance(60)
    async with open_world() as world:
        await asyncio.gather(*(world.questions.wait(name) for name in asked))
        assert all(row["is_default"] for row in world.questions.rows.values())
        assert len(await world.said(kind="question.answered")) == 1000


async def test_a_default_that_could_not_be_stored_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    question_id = await world.ask(timeout_s=60, default="nothing")
    append, refused = world.hub._broker.append, asyncio.Event()

    async def full(_: Any) -> None:
        refused.set()
        raise StorageFull("no space left")

    monkeypatch.setattr(world.hub._broker, "append", full)
    world.clock.advance(60)
    await refused.wait()
    monkeypatch.setattr(world.hub._broker, "append", append)
    ended = asyncio.create_task(world.questions.wait(question_id))
    while not ended.done():
        world.clock.advance(1)
        await asyncio.sleep(0)
    assert (await ended)["is_default"]


async def test_the_end_of_a_run_withdraws_its_questions(open_world: Open) -> None:
    async with open_world() as world:
        await world.run("r1")
        await world.run("r2")
        first, second = await world.ask("r1"), await world.ask("r1", timeout_s=60, default="nothing")
        other = await world.ask("r2")
        await world.finish("r1")
        events = await world.hub.events("run:r1")
        assert [event.type for event in events[-3:]] == ["question.withdrawn", "question.withdrawn", "run.succeeded"]
        for name in (first, second):
            row = world.questions.get(name)
            assert (row["status"], row["reason"]) == ("withdrawn", "the run has ended")
            assert (await world.stored())[name] == row
        assert world.questions.get(other)["status"] == "open"
        with pytest.raises(AlreadyAnswered, match="the run has ended"):
            await world.questions.answer(first, answer="yes", by="bob")
        world.clock.advance(3600)
    async with open_world() as world:
        assert len(await world.said("r1")) == 4, "nothing is said after the outcome"
        assert world.questions.get(other)["status"] == "open"


async def test_whoever_waits_learns_of_the_end_of_the_run(world: World) -> None:
    waiting = asyncio.create_task(world.questions.wait(await world.ask()))
    await asyncio.sleep(0)
    await world.finish()
    assert (await waiting)["status"] == "withdrawn"


async def test_a_lost_run_withdraws_its_questions(open_world: Open) -> None:
    async with open_world() as world:
        await world.run()
        question_id = await world.ask()
    async with open_world() as world:
        world.clock.advance(2e9)
        await world.hub.until_type("run:r1", "run.lost")
        await world.hub.state("questions")
        assert world.questions.get(question_id)["status"] == "withdrawn"


async def test_a_cancelled_run_keeps_its_questions_until_it_ends(world: World) -> None:
    question_id = await world.ask()
    await world.runs.cancel("r1")
    assert world.questions.get(question_id)["status"] == "open"
    await world.questions.answer(question_id, answer="yes", by="bob")
    assert world.runs.rows["r1"]["status"] == "cancelling"
    await world.runs.finish("r1", "cancelled", lease=LEASE)
    assert (await world.hub.events("run:r1"))[-1].type == "run.cancelled"


async def test_an_end_and_an_answer_at_once(open_world: Open) -> None:
    async with open_world() as world:
        for number in range(20):
            run_id = await world.run(f"r{number}")
            question_id = await world.ask(run_id)
            work = [world.questions.answer(question_id, answer="yes", by="bob"), world.finish(run_id)]
            work = work if number % 2 else work[::-1]
            found = [result for result in await outcomes(*work) if result is not None]
            events = [event.type for event in await world.said(run_id)]
            row = world.questions.get(question_id)
            assert row == (await world.stored())[question_id]
            if isinstance(found[0], dict):
                assert (row["status"], events[-1]) == ("answered", "question.answered")
            else:
                assert isinstance(found[0], AlreadyAnswered | RunEnded | RunCancelled)
                assert (row["status"], events[-1]) == ("withdrawn", "question.withdrawn")
            assert len(events) == 2
