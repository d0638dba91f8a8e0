"""Cancelling the task that entered a block from outside of it, and taking that back on leaving.

As `asyncio.timeout` does it: what a task was cancelled for by others is left as it is.
"""

from __future__ import annotations

import asyncio


class Interrupt:
    """Made by the task that enters; `send` cancels it once, as long as it has not left."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "a block is entered by a task"
        self._task = task
        self._before = task.cancelling()
        self._is_over = False
        self.is_sent = False

    def send(self, why: str) -> None:
        """Cancel the task: it sees a CancelledError at its next, or present, await."""
        if not self._is_over and not self.is_sent:
            self.is_sent = True
            self._task.cancel(why)

    async def leave(self, error: BaseException | None) -> bool:
        """Take it back. Returns whether the task is to be cancelled for another reason."""
        self._is_over = True
        if self.is_sent:
            self._task.uncancel()
            if not isinstance(error, asyncio.CancelledError):
                await self._absorb()
        return self._task.cancelling() > self._before

    async def _absorb(self) -> None:
        """A cancellation that came after the last await of the block is thrown at the next one: let that be this."""
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return
