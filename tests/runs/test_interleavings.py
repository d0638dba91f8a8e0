"""Whatever happens in whatever order: one outcome, it is the last, and a cancel never reads as success."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runs.kit import LEASE, OUTCOMES, Scene, begin, close, grow, note, settle, tool, tool_end

from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.errors import AntiphonError
from antiphon.hub import Hub, rollup
from antiphon.messages import NewEvent
from antiphon.services.runs import ManualClock, Runs, RunsConfig

WORDS = [begin, close, tool, tool_end, note]
STEPS = st.sampled_from(
    [
        "say",
        "grow",
        "grow",
        "grow",
        "finish",
        "fail",
        "cancel",
        "expire",
        "wait",
        "ask",
        "answer",
        "child",
        "store",
        "flush",
    ]
)


async def _step() -> None:
    await asyncio.sleep(0)


async def _flush() -> None:
    await asyncio.sleep(rollup.WINDOW_S)


class Play:
    """One run, to which things happen without waiting for one another."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.chance = random.Random(seed)
        self.tasks: list[asyncio.Task[Any]] = []
        self.cancelled_first = False
        self.acknowledged: list[str] = []
        self.number = 0

    async def do(self, step: str) -> None:
        self.number += 1
        scene, later = self.scene, self.later()
        if step in later:
            self.tasks.append(asyncio.ensure_future(self._quietly(later[step]())))
        elif step == "expire":
            scene.clock.advance(self.chance.choice([1, 6, 20]))
        await {"wait": settle, "store": self._store, "flush": _flush}.get(step, _step)()

    def later(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        """What goes on while other things happen."""
        scene, word, number = self.scene, self.chance.choice(WORDS), self.number
        return {
            "say": lambda: self._say(word()),
            "grow": lambda: self._say(grow(f"{number};")),
            "finish": lambda: scene.finish(result=1),
            "fail": lambda: scene.finish("failed", error={"message": "x"}),
            "cancel": self._cancel,
            "ask": lambda: self._ask(1),
            "answer": lambda: self._ask(-1),
            "child": lambda: scene.open(f"c{number}", parent_run_id="r"),
        }

    async def _store(self) -> None:
        await self.scene.hub.publish(NewEvent("marker", "x", b"0"))

    async def _quietly(self, work: Awaitable[Any]) -> None:
        with contextlib.suppress(AntiphonError):
            await work

    async def _say(self, event: Any) -> None:
        await self.scene.say(event)
        if event.type == "message.append":
            self.acknowledged.append(event.data["delta"])

    async def _cancel(self) -> None:
        record = self.scene.runs._ledger.records["r"]
        self.cancelled_first = self.cancelled_first or record.is_speaking
        await self.scene.cancel()

    async def _ask(self, asked: int) -> None:
        row = self.scene.runs.rows["r"]
        if asked < 0 and row["questions"] == 0:
            return
        kind = "question.asked" if asked > 0 else "question.answered"
        await self.scene.runs.transact("r", [NewEvent("run:r", kind, b"{}")], asked=asked)

    async def end(self) -> None:
        """Make sure that there is an outcome."""
        await settle()
        self.scene.clock.advance(60)
        await self.scene.runs.result("r")
        await asyncio.gather(*self.tasks)

    async def check(self) -> None:
        events = await self.scene.events()
        kinds = [event.type for event in events]
        assert kinds[0] == "run.started"
        assert [kind for kind in kinds if kind in OUTCOMES] == kinds[-1:]
        row = await self.scene.row()
        assert row == self.scene.runs.rows["r"]
        assert kinds[-1] == f"run.{row['status']}"
        assert row["questions"] == 0
        if self.cancelled_first:
            assert row["status"] == "cancelled"
        self._check_told(kinds, events)
        text = "".join(event.data["delta"] for event in events if event.type == "message.append")
        assert sorted(text.split(";")[:-1]) == sorted(part[:-1] for part in self.acknowledged)
        for opened, closed, name in (
            ("message.open", "message.close", "message_id"),
            ("tool.start", "tool.end", "tool_call_id"),
        ):
            left: set[str] = set()  # open; a call of a tool that is begun again is one call
            for event in events:
                if event.type == opened:
                    left.add(event.data[name])
                elif event.type == closed:
                    left.discard(event.data[name])
            assert not left

    def _check_told(self, kinds: list[str], events: list[Any]) -> None:
        """Nothing grows once the channel says that the run is being cancelled."""
        told = [event.type == "run.status" and event.data["status"] == "cancelling" for event in events]
        assert sum(told) <= 1
        if any(told):
            after = kinds[told.index(True) :]
            assert not {"message.open", "message.append", "tool.start", "tool.args"} & set(after)


async def play(hub: Hub, steps: list[str], seed: int) -> None:
    clock = ManualClock()
    async with hub, Runs(hub, RunsConfig(cancel_grace_s=5), clock=clock) as runs:
        runs.resume()
        game = Play(Scene(hub, runs, clock), seed)
        await game.scene.open(lease=LEASE)
        await game.scene.say(begin())
        for step in steps:
            await game.do(step)
        await game.end()
        await game.check()


@given(steps=st.lists(STEPS, max_size=30), seed=st.integers(0, 99))
@settings(max_examples=150)
async def test_one_outcome_and_nothing_after_it(steps: list[str], seed: int) -> None:
    await play(Hub(MemoryBroker()), steps, seed)


@given(steps=st.lists(STEPS, max_size=20), seed=st.integers(0, 99))
@settings(max_examples=25)
async def test_one_outcome_and_nothing_after_it_on_disk(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int
) -> None:
    broker = SqliteBroker(tmp_path_factory.mktemp("store"))
    broker.open()
    await play(Hub(broker), steps, seed)
