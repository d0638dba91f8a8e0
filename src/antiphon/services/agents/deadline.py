"""How long an answer may take, not counting the time in which people are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from antiphon.services.agents.failures import LimitReached


class Deadline:
    """`async with Deadline(30):` raises LimitReached when what is inside takes longer, and cancels it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left = seconds
        self._asking = 0
        self._since = 0.0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The time stands still inside; may be entered several times at once."""
        if self._asking == 0:
            self._left -= self._now() - self._since
            self._limit.reschedule(None)
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
            if self._asking == 0 and not self._limit.expired():
                self._go_on()

    def _go_on(self) -> None:
        self._since = self._now()
        try:
            self._limit.reschedule(self._since + max(0.0, self._left))
        except RuntimeError:  # it was left meanwhile
            return

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def __aenter__(self) -> Self:
        self._limit = await asyncio.timeout(self._seconds).__aenter__()
        self._since = self._now()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            raise LimitReached(f"it took longer than {self._seconds:g} seconds (timeout_s)") from None
