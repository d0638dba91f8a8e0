"""Going on after a cut: what a client had, and what of it has arrived.

Where a namespace offers it, every event has one more argument, a text that says how far the client is in all its rooms
once it has this event. The stock client keeps the last one and gives it back when it connects again. Source: Socket.IO
documentation, "Connection state recovery".

The text is written when the event is handed to the carriage, not when it is encoded: only then is known what went
before it. It has the number of events said to this client alone, and for each room its number and offset:
`3,0:17,2:5`.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon.messages import Cursor
from antiphon.transports.socketio.engine import Piece
from antiphon.transports.socketio.packets import with_argument

if TYPE_CHECKING:  # the two know each other's shape
    from antiphon.transports.socketio.peer import Peer

MAX_RECOVERY_S = 600.0  # as long as rooms keep what was said
MAX_KEPT = 10_000  # clients that may come back to one namespace; beyond, the first to have gone cannot
MAX_OWN = 100  # events said to one client alone that are kept for it

_FORM = re.compile(r"\d{1,15}(?:,\d{1,15}:\d{1,15}){0,10000}", re.ASCII)


class Followed(NamedTuple):
    """A room as one client follows it."""

    number: int
    start: Cursor  # where it began


class Trail:
    """How far one client is, in one namespace."""

    __slots__ = ("_next", "_offsets", "_own", "_said", "pid", "rooms")

    def __init__(self, pid: str) -> None:
        self.pid = pid  # the client's word for it, and its secret
        self.rooms: dict[str, Followed] = {}  # by channel
        self._offsets: dict[int, int] = {}  # by the room's number
        self._own: deque[Sequence[Piece]] = deque(maxlen=MAX_OWN)  # said to it alone, the newest
        self._said = 0  # to it alone
        self._next = 0

    def begin(self, channel: str, start: Cursor) -> None:
        """A room is followed from here."""
        self.rooms[channel] = Followed(self._next, start)
        self._offsets[self._next] = start.offset
        self._next += 1

    def end(self, channel: str) -> None:
        if found := self.rooms.pop(channel, None):
            del self._offsets[found.number]

    def said(self, channel: str, offset: int, pieces: Sequence[Piece]) -> list[Piece]:
        """Packets of a room as this client gets them."""
        if found := self.rooms.get(channel):
            self._offsets[found.number] = offset
        return self._marked(pieces)

    def said_alone(self, pieces: Sequence[Piece]) -> list[Piece]:
        """A packet for this client alone; it is kept."""
        self._own.append(pieces)
        self._said += 1
        return self._marked(pieces)

    def _marked(self, pieces: Sequence[Piece]) -> list[Piece]:
        text = str(self._said) + "".join([f",{number}:{offset}" for number, offset in self._offsets.items()])
        return [with_argument(piece, f'"{text}"') if isinstance(piece, str) else piece for piece in pieces]

    # coming back

    def cursors(self, text: str | None) -> Mapping[str, Cursor] | None:
        """Where each room goes on for a client that has the event with this text; None = it was not ours.

        Args:
            text: None = no event has arrived.
        """
        offsets = _read(text)
        if offsets is None:
            return None
        found = {}
        for channel, room in self.rooms.items():
            offset = offsets.get(room.number, room.start.offset)
            if not room.start.offset <= offset <= self._offsets[room.number]:
                return None
            found[channel] = room.start._replace(offset=offset)
        return found

    def resume(self, text: str | None, cursors: Mapping[str, Cursor]) -> Sequence[Sequence[Piece]] | None:
        """The client is no further than this; returns what was said to it alone since, to be said to it again.

        None = some of that was not kept.
        """
        missed = self._said - (0 if text is None else int(text.partition(",")[0]))
        if not 0 <= missed <= len(self._own):
            return None
        self._said -= missed
        for channel, cursor in cursors.items():
            self._offsets[self.rooms[channel].number] = cursor.offset
        return [self._own.pop() for _ in range(missed)][::-1]


def _read(text: str | None) -> dict[int, int] | None:
    if text is None:
        return {}
    if not _FORM.fullmatch(text):
        return None
    pairs = (part.split(":") for part in text.split(",")[1:])
    return {int(number): int(offset) for number, offset in pairs}


@dataclass(frozen=True, slots=True)
class Left:
    """What a client that was cut off had."""

    sid: str
    user: Any
    data: dict[str, Any]
    trail: Trail


@dataclass(slots=True)
class Kept:
    """Clients of one namespace that may come back."""

    recovery_s: float
    _here: dict[str, Peer] = field(default_factory=dict)  # by pid; a cut may be noticed late
    _left: dict[str, tuple[Left, asyncio.TimerHandle]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._here) + len(self._left)

    def entered(self, peer: Peer, pid: str) -> None:
        self._here[pid] = peer

    def gone(self, pid: str, left: Left | None) -> None:
        """A client went; None = it does not come back."""
        self._here.pop(pid, None)
        if left is None:
            return
        if len(self._left) >= MAX_KEPT:
            self._forget(next(iter(self._left)))
        timer = asyncio.get_running_loop().call_later(self.recovery_s, self._left.pop, pid, None)
        self._left[pid] = left, timer

    def take(self, pid: str, user: Any, end: Callable[[Peer], None]) -> Left | None:
        """What this client had; `end` lets go of the connection that it had, where that is not known to be dead."""
        here = self._here.get(pid)
        if here is not None and here.user.name == user.name:
            end(here)
        found = self._left.get(pid)
        if found is None or found[0].user.name != user.name:
            return None
        self._forget(pid)
        return found[0]

    def _forget(self, pid: str) -> None:
        self._left.pop(pid)[1].cancel()

    def close(self) -> None:
        """Nobody comes back."""
        for pid in list(self._left):
            self._forget(pid)
