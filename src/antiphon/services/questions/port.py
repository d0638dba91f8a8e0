"""What the questions need of others: the runs that ask them, and the time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from antiphon.messages import Cursor, NewEvent
from antiphon.services.table import Row

ENDED = frozenset(("succeeded", "failed", "cancelled", "lost"))
"""Statuses of runs in which nothing can be said any more."""


class Clock(Protocol):
    """What tells the time; tests move their own."""

    def now(self) -> float:
        """Unix time in seconds."""

    async def sleep_until(self, moment: float) -> None:
        """Wait until `now` has reached the moment."""


class AskingRuns(Protocol):
    """The runs service, as far as questions see it."""

    on_ending: list[Callable[[str], Sequence[NewEvent]]]
    ask: Callable[[str, Mapping[str, Any]], Awaitable[Any]] | None

    @property
    def rows(self) -> Mapping[str, Row]:
        """All runs that are known."""

    @property
    def clock(self) -> Clock:
        """The time that runs live by."""

    def check_lease(self, run_id: str, lease: str) -> object:
        """Raise NotFound, or LeaseLost unless this is the lease of a run that is under way."""

    async def transact(
        self, run_id: str, events: Sequence[NewEvent], *, tables: Sequence[NewEvent] = (), asked: int = 0
    ) -> list[Cursor]:
        """Store events of a run and changes of tables together, submitted in the step in which this is awaited."""
