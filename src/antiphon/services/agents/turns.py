"""Who answers in a thread, and who waits behind: one answer after the other, in the order in which they were asked.

A place is taken in the step in which a run begins, so that two who ask at once are told apart by nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from antiphon.errors import ThreadBusy
from antiphon.services.agents.config import IfBusy

Displace = Callable[[Sequence[str], str], Awaitable[object]]
"""Cancel these runs, because of that one."""


class Turns:
    """The lines of all threads.

    Args:
        displace: Called when a run's turn is waited for that interrupts what is before it.
        changed: Told of a thread whose line has changed.
    """

    def __init__(self, displace: Displace, changed: Callable[[str], object]) -> None:
        self._displace = displace
        self._changed = changed
        self._lines: dict[str, list[Place]] = {}

    def line(self, thread_id: str) -> list[str]:
        """The runs of a thread that have no outcome: the first one answers, the others wait."""
        return [place.run_id for place in self._lines.get(thread_id, ())]

    def check(self, thread_id: str, if_busy: IfBusy) -> None:
        """Raise ThreadBusy where a run that wants this would be refused."""
        line = self.line(thread_id)
        if line and if_busy == "reject":
            raise ThreadBusy(
                f"thread {thread_id} is busy: run {line[0]} is under way in it", pointer="/params/thread_id"
            )

    def join(self, thread_id: str, run_id: str, agent: str, if_busy: IfBusy) -> Place:
        """Take the last place. Raises ThreadBusy."""
        self.check(thread_id, if_busy)
        line = self._lines.setdefault(thread_id, [])
        before = tuple(place.run_id for place in line if place.agent == agent) if if_busy == "interrupt" else ()
        place = Place(self, thread_id, run_id, agent, before)
        line.append(place)
        self._look(thread_id)
        return place

    async def displace(self, place: Place) -> None:
        """Cancel what is still before a place that interrupts."""
        line = self.line(place.thread_id)
        left = [run_id for run_id in place.before if run_id in line]
        if left:
            await self._displace(left, place.run_id)

    def leave(self, place: Place) -> None:
        """Give a place up; the next one is first now."""
        line = self._lines.get(place.thread_id, [])
        if place in line:
            line.remove(place)
            if not line:
                del self._lines[place.thread_id]
            self._look(place.thread_id)

    def _look(self, thread_id: str) -> None:
        line = self._lines.get(thread_id)
        if line:
            line[0].come()
        self._changed(thread_id)


class Place:
    """The place of one run, as the runs service knows it (`Turn`)."""

    def __init__(self, turns: Turns, thread_id: str, run_id: str, agent: str, before: tuple[str, ...]) -> None:
        self.thread_id = thread_id
        self.run_id = run_id
        self.agent = agent
        self.before = before  # whom it interrupts
        self._turns = turns
        self._is_first = asyncio.Event()

    @property
    def has_come(self) -> bool:
        """Whether it is this run's turn."""
        return self._is_first.is_set()

    def come(self) -> None:
        """It is first."""
        self._is_first.set()

    async def wait(self) -> None:
        """Until it is this run's turn. Cancelling is safe."""
        await self._turns.displace(self)
        await self._is_first.wait()

    def leave(self) -> None:
        """May be called twice."""
        self._turns.leave(self)


class Alone:
    """The place of a run without a thread: it waits for nobody."""

    async def wait(self) -> None:
        """It need not."""

    def leave(self) -> None:
        """There is no line."""
