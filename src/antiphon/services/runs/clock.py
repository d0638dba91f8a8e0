"""The time that runs and questions live by; a test moves its own."""

from __future__ import annotations

import asyncio
import heapq
import time
from itertools import count
from typing import Protocol

_STEP_S = 30.0  # so often a long sleep looks whether somebody has set the machine's clock


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> float:
        """Unix time in seconds."""

    def monotonic(self) -> float:
        """Seconds since some moment; never set back. For terms, where `now` is for moments."""

    async def sleep(self, seconds: float) -> None:
        """Wait so long; not at all where it is zero or less."""

    async def sleep_until(self, moment: float) -> None:
        """Wait until `now` has reached the moment."""


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    async def sleep_until(self, moment: float) -> None:
        while (left := moment - time.time()) > 0:  # noqa: ASYNC110 - for time there is nothing else to wait for
            await asyncio.sleep(min(left, _STEP_S))


class ManualClock:
    """A clock that stands still until it is moved.

    Args:
        now: Unix time in seconds at which it starts.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on; whoever slept until then goes on in the next steps of the loop."""
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self._now + seconds)

    async def sleep_until(self, moment: float) -> None:
        while moment > self._now:
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, (moment, next(self._number), woken))
            await woken
