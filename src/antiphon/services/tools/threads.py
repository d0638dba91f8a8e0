"""Functions in threads of their own, which nothing can stop.

Not in the event loop's pool: a function that never returns would take a place in it for ever, and keep the server from
ending.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from antiphon.services.tools.values import ToolContext


async def run_in_thread(function: Callable[..., Any], arguments: dict[str, Any], context: ToolContext) -> Any:
    """Call it and wait. When this is cancelled, the context is told that the work is draining."""
    loop = asyncio.get_running_loop()
    work: asyncio.Future[Any] = loop.create_future()
    inherited = contextvars.copy_context()

    def tell(settle: Callable[[Any], None], value: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile: nobody is left to be told
            loop.call_soon_threadsafe(lambda: None if work.done() else settle(value))

    def run() -> None:
        try:
            value = inherited.run(function, **arguments)
        except BaseException as exc:  # whoever waits is told, whatever it was
            tell(work.set_exception, _raisable(exc))
        else:
            tell(work.set_result, value)

    threading.Thread(target=run, name=f"tool {getattr(function, '__name__', '')}", daemon=True).start()
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if not work.done():
            work.add_done_callback(_heard)
            context.draining(work)
        raise


def _raisable(error: BaseException) -> Exception:
    """As something that a future can carry and that ends the call, not the loop."""
    return error if isinstance(error, Exception) and not isinstance(error, StopIteration) else RuntimeError(repr(error))


def _heard(work: asyncio.Future[Any]) -> None:
    """Nobody waits any more: an error is not reported as never seen."""
    if not work.cancelled():
        work.exception()
