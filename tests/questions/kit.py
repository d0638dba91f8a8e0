"""A hub, the runs and the questions on one store, opened again and again; and time that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.observed_hub import ObservedHub, OpenHub

from antiphon.messages import Event
from antiphon.services.questions import NewQuestion, Questions
from antiphon.services.runs import ManualClock, NewRun, Runs

LEASE = "a-lease-that-nobody-guesses"
LONG_S = 1e9  # no lease ends in these tests by itself
DEADLINE_S = 60  # of waiting for what must happen; never a measurement

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 2}, "count": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}


@dataclass
class World:
    """One life of a server, as far as questions see it."""

    hub: ObservedHub
    runs: Runs
    questions: Questions
    clock: ManualClock

    async def run(self, run_id: str = "r1", name: str = "deploy", by: str | None = "ann") -> str:
        """A run that is under way."""
        wanted = NewRun(name=name, run_id=run_id)
        return (await self.runs.open(wanted, by=by, lease=LEASE, lease_s=LONG_S)).run_id

    async def ask(self, run_id: str = "r1", **wanted: Any) -> str:
        return (await self.questions.ask(run_id, new(**wanted), by="ann")).question_id

    async def finish(self, run_id: str = "r1") -> None:
        await self.runs.finish(run_id, "succeeded", lease=LEASE)

    async def said(self, run_id: str = "r1", kind: str = "question.") -> list[Event]:
        """What the run has said of its questions."""
        return [event for event in await self.hub.events(f"run:{run_id}") if event.type.startswith(kind)]

    async def stored(self) -> dict[str, Any]:
        """The table as it is published."""
        return dict((await self.hub.state("questions")).value)


Open = Callable[[], Any]


def new(prompt: str = "Deploy?", **wanted: Any) -> NewQuestion:
    return NewQuestion.model_validate({"prompt": prompt, **wanted})


def opener(open_hub: OpenHub, clock: ManualClock) -> Open:
    @asynccontextmanager
    async def opened() -> AsyncIterator[World]:
        async with open_hub() as hub:
            runs = Runs(hub, clock=clock)
            questions = Questions(hub, runs)
            async with runs, questions:
                runs.resume()
                yield World(hub, runs, questions, clock)

    return opened


async def outcomes(*work: Awaitable[Any]) -> list[Any]:
    """All at once: what each gave or raised."""
    async with asyncio.timeout(DEADLINE_S):
        return await asyncio.gather(*work, return_exceptions=True)
