"""The events of one client that are being answered: some at a time, the rest wait in order.

What waits for an acknowledgement does not keep the client from being read, because the acknowledgement must be read;
only when much waits is nothing more taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from antiphon.transports.crew import Crew

MAX_RUNNING = 64
MAX_WAITING = 1000


class Work(NamedTuple):
    """An event to be answered."""

    begin: Callable[[], Coroutine[Any, Any, None]]
    name: str
    size: int  # of its packet
    after: asyncio.Future[None] | None = None  # what must have been done before


class Handling:
    """Begins handlers in the order in which their events came. They run to their end, also when the client has gone.

    Args:
        most_bytes: Of events that wait.
    """

    __slots__ = ("_crew", "_most_bytes", "_room", "_running", "_waiting", "_waiting_bytes")

    def __init__(self, crew: Crew, most_bytes: int) -> None:
        self._crew = crew
        self._most_bytes = most_bytes
        self._running = 0
        self._waiting: deque[Work] | None = None  # most clients hardly ever have any
        self._waiting_bytes = 0
        self._room: asyncio.Future[None] | None = None  # somebody waits for room

    def __len__(self) -> int:
        return self._running + len(self._waiting or ())

    def take(self, work: Work) -> asyncio.Future[None] | None:
        """Begin, or let it wait; a future asks to bring no more before it is done."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(work)
        self._waiting_bytes += work.size
        if work.after is not None and not work.after.done():
            work.after.add_done_callback(self._begin_some)
        self._begin_some()
        if self._has_room:
            return None
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()
        return self._room

    @property
    def _has_room(self) -> bool:
        return len(self._waiting or ()) <= MAX_WAITING and self._waiting_bytes <= self._most_bytes

    def _begin_some(self, _: object = None) -> None:
        """Begin what may be begun: never a later event before an earlier one that waits for the same thing."""
        waiting = self._waiting or deque()
        blocked: list[Work] = []
        while waiting and self._running < MAX_RUNNING:
            work = waiting.popleft()
            if work.after is not None and not work.after.done():
                blocked.append(work)
            else:
                self._begin(work)
        waiting.extendleft(reversed(blocked))
        self._waiting = waiting or None
        if self._room is not None and self._has_room:
            room, self._room = self._room, None
            if not room.done():
                room.set_result(None)

    def _begin(self, work: Work) -> None:
        self._running += 1
        self._waiting_bytes -= work.size
        self._crew.start(work.begin(), name=f"socket.io {work.name[:80]}").add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running -= 1
        if self._waiting and task.cancelled():  # the server stops
            self._waiting.clear()
        self._begin_some()
