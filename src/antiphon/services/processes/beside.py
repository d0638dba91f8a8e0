"""What runs beside an owner: at most one task of each kind, and none of them ends another when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

_log = structlog.get_logger(__name__)


class Beside:
    """Tasks by kind.

    Args:
        name: Of the process.
        group: Owns the tasks.
        failed: Told in words when one failed by a fault of ours.
    """

    def __init__(self, name: str, group: asyncio.TaskGroup, failed: Callable[[str], None]) -> None:
        self._name = name
        self._group = group
        self._failed = failed
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, kind: str) -> bool:
        """Whether one of this kind was begun and neither cancelled nor taken."""
        return kind in self._tasks

    def begin(self, kind: str, work: Callable[[], Awaitable[None]]) -> None:
        """Call `work` in a task of its own, instead of the one before."""
        self.cancel(kind)
        self._tasks[kind] = self._group.create_task(self._guard(kind, work), name=f"{kind} {self._name}")

    def cancel(self, kind: str) -> None:
        """End the one of this kind, if any."""
        task = self._tasks.pop(kind, None)
        if task is not None:
            task.cancel()

    def take(self, kind: str, task: object) -> bool:
        """Take note of what `task` reports; false if it was cancelled or replaced in the meantime."""
        if self._tasks.get(kind) is not task:
            return False
        del self._tasks[kind]
        return True

    async def _guard(self, kind: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # one process must not end the others
            _log.exception("watching a process failed", process=self._name, part=kind)
            self._failed(f"{kind} cannot be watched: {type(error).__name__}")
