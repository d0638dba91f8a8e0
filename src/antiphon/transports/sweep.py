"""One timer for all sockets: pings, unanswered pings, sockets that take nothing, closings without an end.

Time is counted in ticks, so that a process that stood still does not blame its peers for it. The sockets are spread at
random over as many places as there are ticks between two pings; at each tick one place is pinged, and another, pinged
some ticks ago, is asked whether it has answered. So there is neither a timer nor a date per socket, and the first ping
of each comes at a random moment. Only sockets with something to watch are looked at more often.
"""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Beat:
    """When peers are asked for a sign of life."""

    tick_s: float = 0.25  # what passes between two ticks
    ping_ticks: int = 100  # 25 s between two pings
    answer_ticks: int = 80  # 20 s of silence after one; fewer than `ping_ticks`

    def ticks(self, seconds: float) -> int:
        """At least that long."""
        return math.ceil(seconds / self.tick_s) + 1


class Swept(Protocol):
    """A socket as the sweep sees it."""

    @property
    def queued_bytes(self) -> int: ...

    @property
    def sent_bytes(self) -> int: ...

    @property
    def is_silent(self) -> bool:
        """Whether nothing was heard since the last ping, though the peer could be heard."""

    def ping(self) -> None: ...

    def silent(self) -> None:
        """The peer did not answer."""

    def stalled(self) -> None:
        """The peer took nothing of what is queued for too long."""

    def overdue(self) -> None:
        """The closing takes too long."""


class Sweep:
    """The sockets of one process."""

    def __init__(self, beat: Beat, *, stalled_s: float) -> None:
        self._beat = beat
        self._stalled = beat.ticks(stalled_s)
        self._ticks = 0
        self._places: list[set[Swept]] = [set() for _ in range(beat.ping_ticks)]
        self._watched: dict[Swept, tuple[int, int]] = {}  # how much it had taken, and since when no more
        self._closing: dict[Swept, int] = {}  # when it is overdue
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def add(self, socket: Swept) -> int:
        """Ping the socket from now on; returns its place, for `remove`."""
        place = random.randrange(len(self._places))  # noqa: S311 - spreads load, keeps no secret
        self._places[place].add(socket)
        self._count += 1
        if self._timer is None:
            self._schedule()
        return place

    def remove(self, socket: Swept, place: int) -> None:
        """Forget the socket."""
        self._places[place].discard(socket)
        self._watched.pop(socket, None)
        self._closing.pop(socket, None)
        self._count -= 1

    def watch(self, socket: Swept) -> None:
        """Something is queued: it must not stay so without progress."""
        self._watched.setdefault(socket, (socket.sent_bytes, self._ticks))

    def close_within(self, socket: Swept, after_s: float) -> None:
        """A closing has begun; the sooner of two deadlines holds."""
        deadline = self._ticks + self._beat.ticks(after_s)
        self._closing[socket] = min(self._closing.get(socket, deadline), deadline)

    def tick(self) -> None:
        """Do what is due."""
        self._ticks += 1
        for socket in self._due(self._beat.answer_ticks):
            if socket.is_silent:
                socket.silent()
        for socket in self._due(0):
            if socket.queued_bytes:
                self.watch(socket)  # a ping would wait behind it
            else:
                socket.ping()
        for socket in list(self._watched):
            self._check_progress(socket)
        for socket in [socket for socket, deadline in self._closing.items() if deadline <= self._ticks]:
            del self._closing[socket]
            socket.overdue()

    def _due(self, ticks_ago: int) -> list[Swept]:
        return list(self._places[(self._ticks - ticks_ago) % len(self._places)])

    def _check_progress(self, socket: Swept) -> None:
        if not socket.queued_bytes:
            del self._watched[socket]
            return
        taken, since = self._watched[socket]
        if socket.sent_bytes > taken:
            self._watched[socket] = (socket.sent_bytes, self._ticks)
        elif self._ticks - since >= self._stalled:
            del self._watched[socket]
            socket.stalled()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._beat.tick_s, self._run)

    def _run(self) -> None:
        self._timer = None
        try:
            self.tick()
        finally:
            if self._count:
                self._schedule()

    def stop(self) -> None:
        """Stop the timer; sockets that are left get no more pings."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
