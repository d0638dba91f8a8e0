"""Plain sockets of a dialect: a seat, a session, and what is spoken over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from antiphon.dialects.base import Caller, Dialect, Line, OpenTalk, Talk
from antiphon.server.core import Core
from antiphon.server.dialects.session import DialectSession
from antiphon.server.door import Scope
from antiphon.server.live.codec import LiveCodec
from antiphon.server.sockets import peer_of
from antiphon.transports.base import TRY_LATER, Socket


@dataclass(slots=True)
class Seats:
    """The connections of one dialect, which nobody else's count against."""

    limit: int
    taken: int = 0

    def take(self) -> bool:
        """Take one, if there is one."""
        if self.taken >= self.limit:
            return False
        self.taken += 1
        return True

    def leave(self) -> None:
        self.taken -= 1


class TalkOpener:
    """Opens the sockets of a dialect on one path."""

    def __init__(self, core: Core, dialect: Dialect, seats: Seats, talk: OpenTalk) -> None:
        self._core = core
        self._full = dialect.full
        self._seats = seats
        self._talk = talk

    def __call__(self, scope: Scope, socket: Socket, framing: LiveCodec) -> DialectSession:
        """A session for a socket that the door has admitted. Raises TooManyConnections: of the whole server."""
        self._core.connections.check_room()
        has_seat = self._seats.take()
        begin = partial(self._begin, scope.get("path_params", {})) if has_seat else self._refuse
        gone = self._seats.leave if has_seat else _nobody
        return DialectSession(self._core, peer_of(scope), socket, framing, begin, gone)

    def _begin(self, path: Mapping[str, str], line: Line, caller: Caller) -> Talk:
        return self._talk(line, caller, path)

    def _refuse(self, line: Line, _: Caller) -> Talk:
        return _Full(line, self._full(self._seats.limit))


class _Full:
    """What a socket too many hears."""

    def __init__(self, line: Line, message: bytes) -> None:
        self._line = line
        self._message = message

    def opened(self) -> None:
        self._line.say(self._message)
        self._line.close(TRY_LATER, "too many connections")

    def received(self, message: str | bytes) -> None:
        """It is about to go."""

    def ended(self) -> None:
        """It was told."""


def _nobody() -> None:
    """It had no seat."""
