"""On whose behalf a tool is called."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

Progress = Callable[[float | None, str | None], Awaitable[None]]
"""Given how much is done (0 to 1; None = not known) and a line about it."""

TOOL_NAME_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"  # what model providers take


async def _unheard(_done: float | None, _line: str | None) -> None:
    """Nobody wants to know."""


def _uncounted(_work: asyncio.Future[Any]) -> None:
    """Nobody keeps count."""


class ToolContext(NamedTuple):
    """On whose behalf a tool is called."""

    run_id: str | None = None  # None = outside of a run
    progress: Progress = _unheard
    draining: Callable[[asyncio.Future[Any]], None] = _uncounted  # told of work that goes on after its call has ended


ToolCall = Callable[[ToolContext, dict[str, Any]], Awaitable[Any]]
