"""One timer for all deadlines."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from antiphon.services.backoff import Backoff
from antiphon.services.questions.port import Clock

AT_ONCE = 500  # names that are handed over together
_log = structlog.get_logger(__name__)


class Deadlines:
    """Calls when a moment has come.

    Args:
        reached: Told the names whose moment has come; gives those with which it could not be done, which are tried
            again after a while.
    """

    def __init__(self, clock: Clock, reached: Callable[[Sequence[str]], Awaitable[Sequence[str]]]) -> None:
        self._clock = clock
        self._reached = reached
        self._heap: list[tuple[float, str]] = []
        self._sooner = asyncio.Event()
        self._backoff = Backoff()

    def add(self, name: str, moment_s: float) -> None:
        """Call at this moment (Unix time), or now if it is over."""
        heapq.heappush(self._heap, (moment_s, name))
        if self._heap[0] == (moment_s, name):
            self._sooner.set()

    async def run(self) -> None:
        """Watch the clock until cancelled."""
        while True:
            self._sooner.clear()
            while due := self._due():
                await self._call(due)
            await self._pause()

    def _due(self) -> list[str]:
        names: list[str] = []
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now and len(names) < AT_ONCE:
            names.append(heapq.heappop(self._heap)[1])
        return names

    async def _call(self, names: Sequence[str]) -> None:
        failed = await self._reached(names)
        if not failed:
            self._backoff.reset()
            return
        again_s = self._clock.now() + self._backoff.next_s()
        _log.warning("deadlines could not be kept; tried again", questions=len(failed))
        for name in failed:
            self.add(name, again_s)

    async def _pause(self) -> None:
        """Sleep until the next deadline, or until there is an earlier one."""
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._sooner.wait())]
        if self._heap:
            waits.append(asyncio.create_task(self._sleep(self._heap[0][0])))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.wait(waits)

    async def _sleep(self, moment_s: float) -> None:
        await self._clock.sleep_until(moment_s)
