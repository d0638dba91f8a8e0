"""Answers, deadlines, ends of runs and restarts in any order: each question ends once, and all agree how."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.observed_hub import OpenHub, hub_opener
from tests.questions.kit import LEASE, Open, World, opener, outcomes

from antiphon.errors import AlreadyAnswered, AntiphonError
from antiphon.services.runs import ManualClock

QUESTIONS = ("q0", "q1", "q2")

answers = st.tuples(st.just("answer"), st.sampled_from(QUESTIONS), st.sampled_from(["bob", "eve"]))
steps = st.one_of(
    answers,
    answers,
    st.tuples(st.just("advance"), st.sampled_from([4.0, 10.0]), st.none()),
    st.tuples(st.just("turns"), st.integers(1, 12), st.none()),
    st.tuples(st.just("withdraw"), st.sampled_from(QUESTIONS), st.none()),
    st.tuples(st.just("finish"), st.none(), st.none()),
    st.tuples(st.just("restart"), st.none(), st.none()),
)


class Story:
    """What was tried, and what became of it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.tried: list[tuple[str, str, asyncio.Task[Any]]] = []
        self.others: list[asyncio.Task[Any]] = []

    async def tell(self, open_world: Open, told: list[Any]) -> None:
        for number, chapter in enumerate(chapters(told)):
            async with open_world() as world:
                if number == 0:
                    await self.begin(world)
                for step in chapter:
                    await self.do(world, *step)
            # what was under way when the server ended has its answer
        async with open_world() as world:
            await asyncio.wait_for(self.check(world), 60)

    async def begin(self, world: World) -> None:
        await world.run()
        await world.ask(question_id="q0", timeout_s=12, default="nothing")
        await world.ask(question_id="q1", timeout_s=12)
        await world.ask(question_id="q2")

    async def do(self, world: World, kind: str, what: Any, who: Any) -> None:
        match kind:
            case "answer":
                work = world.questions.answer(what, answer=f"{who} says", by=who)
                self.tried.append((what, who, asyncio.create_task(work)))
            case "withdraw":
                self.others.append(asyncio.create_task(world.questions.withdraw(what, by="ann")))
            case "finish":
                self.others.append(asyncio.create_task(world.runs.finish("r1", "succeeded", lease=LEASE)))
            case "advance":
                self.clock.advance(what)
            case "turns":
                for _ in range(what):
                    await asyncio.sleep(0)

    async def check(self, world: World) -> None:
        found = await outcomes(*(task for _, _, task in self.tried))
        assert all(isinstance(result, dict | AntiphonError) for result in found), found
        others = await outcomes(*self.others)
        assert all(isinstance(result, dict | AntiphonError) for result in others), others
        for name in QUESTIONS:
            row = world.questions.get(name)
            if row["status"] == "open" and name != "q2" and self.clock.now() >= 1_700_000_012:
                row = await world.questions.wait(name)
            winners = [
                who
                for (what, who, _), result in zip(self.tried, found, strict=True)
                if what == name and isinstance(result, dict)
            ]
            await self.agree(world, name, row, winners)
        events = [event.type for event in await world.hub.events("run:r1")]
        assert "run.succeeded" not in events[:-1], "nothing follows the outcome"

    async def agree(self, world: World, name: str, row: dict[str, Any], winners: list[str]) -> None:
        ends = [event for event in await world.said() if event.data["question_id"] == name][1:]
        assert (await world.stored())[name] == row
        assert len(ends) == (row["status"] != "open")
        if row["status"] == "answered":
            data = ends[0].data
            assert (data["answer"], data["by"], data["is_default"]) == (row["answer"], row["by"], row["is_default"])
            assert winners == ([] if row["is_default"] else [row["by"]])
        else:
            assert winners == []


def chapters(told: list[Any]) -> list[list[Any]]:
    """The steps between restarts."""
    found: list[list[Any]] = [[]]
    for step in told:
        if step[0] == "restart":
            found.append([])
        else:
            found[-1].append(step)
    return found


async def tell(open_hub: OpenHub, told: list[Any]) -> None:
    story = Story()
    await story.tell(opener(open_hub, story.clock), told)


@settings(max_examples=60)
@given(told=st.lists(steps, max_size=14))
def test_in_any_order_each_question_ends_once(told: list[Any]) -> None:
    asyncio.run(tell(hub_opener("memory", Path()), told))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(steps, min_size=4, max_size=14))
def test_and_on_disk(told: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    asyncio.run(tell(hub_opener("sqlite", tmp_path_factory.mktemp("data")), told))


@pytest.mark.timeout(90)
async def test_a_thousand_questions_answered_by_two_at_once_with_restarts(open_world: Open) -> None:
    names = [f"q{number}" for number in range(1000)]
    tried: dict[str, list[Any]] = {name: [] for name in names}
    async with open_world() as world:
        await world.run()
        await asyncio.gather(*(world.ask(question_id=name) for name in names))
    for first in range(0, 1000, 100):  # ten lives; each ends while its last answers are under way
        async with open_world() as world:
            for name in names[first : first + 100]:
                for who in ("bob", "eve"):
                    work = world.questions.answer(name, answer=who, by=who)
                    tried[name].append(asyncio.create_task(work))
                await asyncio.sleep(0)
    async with open_world() as world:
        stored = await world.stored()
        said = {event.data["question_id"]: event.data for event in await world.said(kind="question.answered")}
        assert len(await world.said(kind="question.answered")) == 1000
        for name in names:
            results = await outcomes(*tried[name])
            (winner,) = [result for result in results if isinstance(result, dict)]
            (loser,) = [result for result in results if isinstance(result, AlreadyAnswered)]
            assert winner["by"] in loser.message
            assert stored[name] == winner == world.questions.get(name)
            assert (said[name]["answer"], said[name]["by"]) == (winner["answer"], winner["by"])
