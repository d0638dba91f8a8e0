"""The sending half of a transport that must wait for its socket: a counted queue and one writer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from antiphon.transports.base import STOPPING, STOPPING_REASON, Ending


class Stalled(Exception):
    """The peer accepted nothing for too long."""


class QueueSink:
    """Accepts pieces without waiting; `drain` hands them to the socket one by one.

    The bound is the hub's: it offers nothing beyond it, and `room` lets the reading half wait. `drained` is called each
    time that the socket took a piece.
    """

    def __init__(self, *, bound_bytes: int) -> None:
        self.queued_bytes = 0
        self.sent_bytes = 0
        self.received_bytes = 0  # counted by who reads
        self.ending = Ending(STOPPING, STOPPING_REASON)  # why it ended, once it has
        self.drained: Callable[[], None] = _nobody
        self._bound_bytes = bound_bytes
        self._pieces: deque[Any] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False
        self._closed = False

    def send(self, parts: Sequence[Any]) -> None:
        if self._closed or self._ended:
            return
        self._pieces.extend(parts)
        self.queued_bytes += sum(map(len, parts))
        if self.queued_bytes > self._bound_bytes:
            self._room.clear()
        self._filled.set()

    def send_soon(self, parts: Sequence[Any]) -> None:
        self.send(parts)

    async def room(self) -> None:
        """Wait until less than the bound is queued, so that a peer that only asks cannot fill the memory."""
        await self._room.wait()

    def end(self, code: int = STOPPING, reason: str = STOPPING_REASON) -> None:
        """Take nothing more; `drain` returns once what is queued was sent."""
        if not self._ended:
            self.ending = Ending(code, reason)
        self._ended = True
        self._filled.set()

    def close(self) -> None:
        """Take nothing more and forget what is queued."""
        self._closed = True
        self._pieces.clear()
        self.queued_bytes = 0
        self._room.set()
        self._filled.set()

    async def drain(
        self, write: Callable[[Any], Awaitable[None]], *, stalled_s: float, idle: Idle | None = None
    ) -> None:
        """Write pieces in order until `end` or `close`.

        Raises:
            Stalled: The socket did not take a piece within `stalled_s` seconds.
        """
        while not self._closed:
            if not self._pieces:
                if self._ended:
                    return
                await self._wait(write, idle)
                continue
            piece = self._pieces.popleft()
            try:
                async with asyncio.timeout(stalled_s):
                    await write(piece)
            except TimeoutError:
                raise Stalled from None
            self._sent(len(piece))

    async def _wait(self, write: Callable[[Any], Awaitable[None]], idle: Idle | None) -> None:
        self._filled.clear()
        try:
            async with asyncio.timeout(idle.after_s if idle else None):
                await self._filled.wait()
        except TimeoutError:
            if idle is not None:
                await write(idle.piece())

    def _sent(self, count: int) -> None:
        if self._closed:
            return
        self.queued_bytes -= count
        self.sent_bytes += count
        if self.queued_bytes <= self._bound_bytes:
            self._room.set()
        self.drained()


class Idle:
    """What to write after a silence."""

    def __init__(self, after_s: float, piece: Callable[[], Any]) -> None:
        self.after_s = after_s
        self.piece = piece


def _nobody() -> None:
    """Nobody waits yet."""
