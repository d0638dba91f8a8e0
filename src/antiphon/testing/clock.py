"""The time of a test's server."""

from __future__ import annotations

import asyncio
import time

from antiphon.services.runs import ManualClock


class MovedClock(ManualClock):
    """Moments stand still until the test moves them; terms run as always.

    A deadline is a moment: nobody wants to wait for it. A lease is a term in which a program has to give signs of life.
    It gives them in real time, so a jump would only make every run in the test lost.
    """

    def __init__(self) -> None:
        super().__init__(float(int(time.time())))  # whole seconds add up exactly

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
