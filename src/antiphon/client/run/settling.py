"""Doing the last thing although one is being cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from antiphon.errors import ConnectionLost

T = TypeVar("T")

CANCELLED_S = 5.0  # so long the last thing may still take once one is cancelled


async def settle(last: Coroutine[Any, Any, T], *, within_s: float, cancelled_within_s: float = CANCELLED_S) -> T:
    """Wait for it, though a cancellation comes meanwhile: then only a little longer, and the cancellation goes on.

    Raises:
        ConnectionLost: It took too long.
    """
    now = asyncio.get_running_loop().time
    task = asyncio.create_task(last, name="antiphon run: last words")
    deadline = now() + within_s
    cancelled: asyncio.CancelledError | None = None
    while not task.done() and now() < deadline:
        try:
            await asyncio.wait([task], timeout=deadline - now())
        except asyncio.CancelledError as exc:
            cancelled = exc
            deadline = min(deadline, now() + cancelled_within_s)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # has been looked at
        raise cancelled
    if task.cancelled():
        raise ConnectionLost(f"the outcome of the run could not be stored within {within_s:g} s")
    return task.result()
