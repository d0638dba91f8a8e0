"""Answering: the first one counts, the others learn who was first."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.hub.kit import Held
from tests.questions.kit import SCHEMA, Open, World, outcomes

from antiphon.errors import AlreadyAnswered, InvalidParams, NotFound, StorageFull


async def test_an_answer_is_an_event_of_the_run_and_the_end_of_the_row(world: World) -> None:
    question_id = await world.ask(schema=SCHEMA)
    world.clock.advance(5)
    row = await world.questions.answer(question_id, answer={"name": "ab"}, by="bob")
    event = (await world.said())[-1]
    assert (event.type, event.by) == ("question.answered", "bob")
    assert event.data == {
        "question_id": question_id,
        "answer": {"name": "ab"},
        "action": "answer",
        "by": "bob",
        "is_default": False,
    }
    assert row["ended_at"] == "2023-11-14T22:13:25.000Z"
    assert (row["status"], row["answer"], row["by"]) == ("answered", {"name": "ab"}, "bob")
    assert world.questions.get(question_id) == row
    assert await world.stored() == {question_id: row}


async def test_an_edited_value_is_the_answer(world: World) -> None:
    question_id = await world.ask(value={"name": "abc"}, schema=SCHEMA)
    row = await world.questions.answer(question_id, action="edit", answer={"name": "xyz"}, by="bob")
    assert (row["action"], row["answer"], row["value"]) == ("edit", {"name": "xyz"}, {"name": "abc"})


async def test_a_wrong_answer_leaves_the_question_open(world: World) -> None:
    question_id = await world.ask(schema=SCHEMA)
    with pytest.raises(InvalidParams) as refused:
        await world.questions.answer(question_id, answer={"name": "ab", "count": "3"}, by="bob")
    assert refused.value.pointer == "/params/answer/count"
    assert world.questions.get(question_id)["status"] == "open"
    await world.questions.answer(question_id, answer={"name": "ab", "count": 3}, by="bob")
    with pytest.raises(NotFound):
        await world.questions.answer("q9", answer=1, by="bob")


async def test_of_two_answers_at_once_one_counts(open_world: Open) -> None:
    async with open_world() as world:
        await world.run()
        question_id = await world.ask()
        first, second = await outcomes(
            world.questions.answer(question_id, answer="yes", by="bob"),
            world.questions.answer(question_id, answer="no", by="eve"),
        )
        assert (first["by"], first["answer"]) == ("bob", "yes")
        assert isinstance(second, AlreadyAnswered)
        assert "bob" in second.message
        assert second.facts() == {"code": "already_answered", "retryable": False, "question": first}
        assert [event.type for event in await world.said()] == ["question.asked", "question.answered"]
    async with open_world() as world:
        with pytest.raises(AlreadyAnswered, match="bob"):
            await world.questions.answer(question_id, answer="no", by="eve")


async def test_an_answer_that_could_not_be_stored_does_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    question_id = await world.ask()
    append = world.hub._broker.append

    async def full(_: Any) -> None:
        monkeypatch.setattr(world.hub._broker, "append", append)
        raise StorageFull("no space left")

    monkeypatch.setattr(world.hub._broker, "append", full)
    first, second = await outcomes(
        world.questions.answer(question_id, answer="yes", by="bob"),
        world.questions.answer(question_id, answer="no", by="eve"),
    )
    assert isinstance(first, StorageFull)
    assert second["by"] == "eve"
    assert world.runs.rows["r1"]["questions"] == 0


async def test_an_answer_counts_although_whoever_gave_it_has_gone(world: World) -> None:
    question_id = await world.ask()
    held = Held(world.hub)
    answering = asyncio.create_task(world.questions.answer(question_id, answer="yes", by="bob"))
    await held.until_entered()
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    late = asyncio.create_task(world.questions.answer(question_id, answer="no", by="eve"))
    held.let_go.set()
    with pytest.raises(AlreadyAnswered, match="bob"):
        await late
    assert world.questions.get(question_id)["answer"] == "yes"


async def test_an_answer_that_comes_while_the_run_ends_is_stored_before_the_outcome(open_world: Open) -> None:
    async with open_world() as world:
        await world.run()
        question_id = await world.ask()
        held = Held(world.hub)
        answering = asyncio.create_task(world.questions.answer(question_id, answer="yes", by="bob"))
        await held.until_entered()
        finishing = asyncio.create_task(world.finish())
        held.let_go.set()
        assert (await answering)["by"] == "bob"
        await finishing
        said = [event.type for event in await world.hub.events("run:r1")]
        assert said == [
            "run.started",
            "question.asked",
            "run.status",
            "question.answered",
            "run.status",
            "run.succeeded",
        ]
        assert (await world.stored())[question_id]["status"] == "answered"
        assert world.questions.get(question_id)["status"] == "answered"


async def test_a_question_that_is_asked_while_the_run_ends_is_withdrawn_with_it(open_world: Open) -> None:
    async with open_world() as world:
        await world.run()
        held = Held(world.hub)
        asking = asyncio.create_task(world.ask(question_id="q1"))
        await held.until_entered()
        finishing = asyncio.create_task(world.finish())
        held.let_go.set()
        await asking
        await finishing
        assert [event.type for event in await world.said()] == ["question.asked", "question.withdrawn"]
        assert world.questions.get("q1")["status"] == "withdrawn"
        assert (await world.stored())["q1"] == world.questions.get("q1")
