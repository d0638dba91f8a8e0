"""A second question during an answer: it waits, interrupts or is refused; in any order of events one at a time."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agents.kit import Life, script
from tests.agents.model_server import ModelServer
from tests.runs.kit import until

from antiphon.errors import ThreadBusy
from antiphon.services.agents.turns import Place, Turns
from antiphon.services.runs import NewRun


def held(gate: str) -> str:
    return script([{"text": f"before {gate}"}, {"wait": gate}, {"text": " and after"}])


def status(life: Life, run_id: str) -> str:
    return str(life.runs.rows[run_id]["status"])


async def test_questions_wait_for_one_another(life: Life, models: ModelServer) -> None:
    await life.ask("r1", held("a"))
    await models.until(1)
    await life.ask("r2", "Second")
    await life.ask("r3", "Third")
    assert [status(life, run_id) for run_id in ("r2", "r3")] == ["queued", "queued"]
    row = (await life.table())["t"]
    assert (row["running"], row["queued"], row["runs"]) == ("r1", ["r2", "r3"], 3)
    models.open("a")
    await life.ended("r3")
    assert [message["content"] for message in models.requests[2].messages if message["role"] == "user"][1:] == [
        "Second",
        "Third",
    ]
    assert (await life.table())["t"]["running"] is None


async def test_one_that_waits_can_be_cancelled_and_the_others_go_on(life: Life, models: ModelServer) -> None:
    await life.ask("r1", held("a"))
    await models.until(1)
    for run_id in ("r2", "r3", "r4"):
        await life.ask(run_id, f"I am {run_id}")
    await life.cancel("r3")
    assert (await life.ended("r3"))["status"] == "cancelled"
    assert (await life.table())["t"]["queued"] == ["r2", "r4"]
    assert await life.data("r3", "message.open") == []
    await life.cancel("r1")
    await life.ended("r4")
    texts = [message["content"] for message in models.requests[2].messages]
    assert "I am r3" not in texts
    assert texts[-3:] == ["I am r2", "You said: I am r2", "I am r4"]


async def test_an_interruption_cancels_what_was_before_it(life: Life, models: ModelServer) -> None:
    await life.ask("r1", held("a"))
    await models.until(1, chunks=2)
    await life.ask("r2", "Never mind")
    await life.ask("r3", "Now!", if_busy="interrupt")
    assert (await life.ended("r3"))["status"] == "succeeded"
    assert [status(life, run_id) for run_id in ("r1", "r2")] == ["cancelled", "cancelled"]
    assert life.runs.rows["r1"]["reason"] == "interrupted by run r3"
    assert models.requests[0].closed_by == "client"
    roles = [message["role"] for message in models.requests[1].messages]
    assert roles == ["user", "assistant", "user"]  # with the part of the answer that was given


async def test_a_refusal_leaves_nothing_behind(life: Life, models: ModelServer) -> None:
    await life.ask("r1", held("a"))
    await models.until(1)
    wanted = NewRun(name="chat", run_id="r2", thread_id="t", input={"prompt": "Me too", "if_busy": "reject"})
    with pytest.raises(ThreadBusy):
        life.agents.check_start("chat", wanted.input, "t")
    with pytest.raises(ThreadBusy):
        await life.runs.start(wanted, by="ann")
    assert "r2" not in life.runs.rows
    assert (await life.table())["t"]["runs"] == 1
    models.open("a")
    await life.ended("r1")
    await life.runs.start(wanted, by="ann")
    assert (await life.ended("r2"))["status"] == "succeeded"


async def test_of_two_at_once_one_is_refused(life: Life) -> None:
    async def ask(run_id: str) -> bool:
        try:
            await life.ask(run_id, "Hello", if_busy="reject")
        except ThreadBusy:
            return False
        return True

    begun = await asyncio.gather(*(ask(f"r{number}") for number in range(10)))
    assert begun.count(True) == 1
    await life.ended(f"r{begun.index(True)}")


async def test_asking_again_with_the_same_id_takes_no_second_place(life: Life, models: ModelServer) -> None:
    await life.ask("r1", held("a"))
    await models.until(1)
    await life.ask("r2", "Second")
    await life.ask("r2", "Second")
    assert (await life.table())["t"]["queued"] == ["r2"]
    models.open("a")
    await life.ended("r2")
    assert len(models.requests) == 2


async def test_threads_do_not_wait_for_one_another(life: Life, models: ModelServer) -> None:
    await life.ask("r1", held("a"))
    await models.until(1)
    await life.asked("r2", "Hello", "other")
    await life.asked("r3", "Hello", None)
    assert status(life, "r1") == "running"
    models.open("a")
    await life.ended("r1")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["queue", "interrupt", "reject", "end", "cancel"]), st.integers(0, 2), st.integers(0, 30)
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_in_any_order_one_at_a_time_and_nobody_is_forgotten(steps: list[tuple[str, int, int]]) -> None:
    asyncio.run(play(steps))


async def play(steps: list[tuple[str, int, int]]) -> None:
    """Against the simplest model: a list for each thread."""
    displaced: list[str] = []

    async def displace(run_ids: object, _: str) -> None:
        displaced.extend(run_ids)  # type: ignore[call-overload]

    turns, model, places = Turns(displace, lambda _: None), [[], [], []], {}
    lines: list[list[str]] = model  # type: ignore[assignment]
    for number, (what, thread, pick) in enumerate(steps):
        line, run_id = lines[thread], f"r{number}"
        if what in ("end", "cancel"):
            if line:
                gone = line.pop(0 if what == "end" else pick % len(line))
                places.pop(gone).leave()
            continue
        try:
            place: Place = turns.join(f"t{thread}", run_id, "chat", what)  # type: ignore[arg-type]
        except ThreadBusy:
            assert what == "reject"
            assert line
            continue
        assert place.before == (tuple(line) if what == "interrupt" else ())
        line.append(run_id)
        places[run_id] = place
        for other, expected in enumerate(lines):
            assert turns.line(f"t{other}") == expected
            assert [name for name in expected if places[name].has_come] == expected[:1]


async def test_a_place_is_left_once_and_the_next_one_comes() -> None:
    turns = Turns(lambda *_: asyncio.sleep(0), lambda _: None)
    first, second = (turns.join("t", run_id, "chat", "queue") for run_id in ("a", "b"))
    waiting = asyncio.create_task(second.wait())
    await until(lambda: first.has_come)
    assert not waiting.done()
    first.leave()
    first.leave()
    await waiting
    assert turns.line("t") == ["b"]
