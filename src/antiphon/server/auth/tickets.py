"""Tickets: for a browser page of another origin, which has no cookie here and cannot set headers on a socket."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from antiphon.errors import Busy
from antiphon.server.access import User

LIFETIME_S = 30.0
MAX_OPEN = 10_000


class Ticket(NamedTuple):
    """Lets its holder in once."""

    ticket: str
    expires_in_s: float


class _Open(NamedTuple):
    user: User
    ends_at: float


class Tickets:
    """The tickets that were handed out and not yet used; in memory only, a restart ends them.

    Args:
        clock: Seconds that only grow.
        max_open: Bound of unused tickets; beyond it none is issued.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, max_open: int = MAX_OPEN) -> None:
        self._clock = clock
        self._max_open = max_open
        self._open: dict[str, _Open] = {}  # in the order of their ends

    def issue(self, user: User) -> Ticket:
        """Make a ticket. Raises Busy where too many are open."""
        self._forget_ended()
        if len(self._open) >= self._max_open:
            raise Busy(f"{self._max_open} tickets are waiting to be used: try again in {LIFETIME_S:.0f} s")
        ticket = secrets.token_urlsafe(24)
        self._open[ticket] = _Open(user, self._clock() + LIFETIME_S)
        return Ticket(ticket, LIFETIME_S)

    def redeem(self, ticket: str) -> User | None:
        """Use up a ticket; None if it was never issued, is used or has ended."""
        entry = self._open.pop(ticket, None)  # 192 random bits: timing of a lookup reveals nothing useful
        return entry.user if entry and self._clock() < entry.ends_at else None

    def _forget_ended(self) -> None:
        now = self._clock()
        while self._open and (first := next(iter(self._open))) and self._open[first].ends_at <= now:
            del self._open[first]
