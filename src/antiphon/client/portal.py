"""An event loop in a thread of its own, and calls into it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from antiphon.errors import ClientClosed

T = TypeVar("T")


class Portal:
    """Runs coroutines for callers in other threads. The thread does not keep the interpreter from ending."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="antiphon client", daemon=True)
        self._closing = threading.Lock()
        self._started = threading.Event()
        self.is_open = True
        self._thread.start()
        self._started.wait()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        self._stop = asyncio.Event()
        self._started.set()
        await self._stop.wait()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it there and wait here. Whatever interrupts the waiting (Ctrl-C) cancels it.

        Raises:
            ClientClosed: The loop has been stopped.
        """
        if not self.is_open:
            coroutine.close()
            raise ClientClosed("this client has been closed")
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # closed by another thread a moment ago
            coroutine.close()
            raise ClientClosed("this client has been closed") from None
        try:
            return future.result()
        except CancelledError:
            raise ClientClosed("this client was closed meanwhile") from None
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the loop and wait for its thread; what still runs there is cancelled. May be called twice."""
        with self._closing:
            if self.is_open:
                self.is_open = False
                self._loop.call_soon_threadsafe(self._stop.set)
                self._thread.join()
