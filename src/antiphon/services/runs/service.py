"""The runs: everything that can be watched, cancelled, resumed and asked about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from antiphon.hub import Hub
from antiphon.hub.turn import Done
from antiphon.messages import Cursor, NewEvent
from antiphon.services.runs.clock import Clock, SystemClock
from antiphon.services.runs.config import RunsConfig
from antiphon.services.runs.values import (
    DEFAULT_LEASE_S,
    CancelReceipt,
    Details,
    Filter,
    Finished,
    NewRun,
    Opened,
    Owner,
    Renewed,
    RunResult,
    Said,
)
from antiphon.services.table import Row

Ending = Callable[[str], Sequence[NewEvent]]
"""Given the id of a run that is about to end: what must be stored together with its outcome."""
Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Given a run and what `question.ask` takes: asks, waits, and returns what the run's owner is given."""


class Runs:
    """Owns all runs while entered. Entering finds again what an earlier server knew.

    Args:
        hub: The channels `runs`, `run:...` and `thread:...` are claimed.
        config: Limits; None = the defaults.
        clock: None = the machine's.
    """

    rows: Mapping[str, Row]
    on_ending: list[Ending]
    ask: Ask | None  # set by the questions service; None = local runs cannot ask

    def __init__(self, hub: Hub, config: RunsConfig | None = None, *, clock: Clock | None = None) -> None:
        self._hub = hub
        self._config = config or RunsConfig()
        self.clock: Clock = clock or SystemClock()
        self.on_ending = []
        self.ask = None

    # Beginning

    def register(
        self, name: str, run: Callable[[Any], Awaitable[Any]], *, at_once: int | None = None
    ) -> None:
        """Make something startable: `run(port)` is called with a `LocalPort`, what it returns is the result.

        Args:
            at_once: How many of it may run at the same time; the others are `queued`. None = no limit of its own.
        Raises:
            ConflictError: The name is taken.
        """
        raise NotImplementedError

    @property
    def names(self) -> list[str]:
        """What can be started, sorted."""
        raise NotImplementedError

    async def open(
        self,
        wanted: NewRun,
        *,
        by: str | None,
        lease: str | None = None,
        lease_s: float = DEFAULT_LEASE_S,
        owner: Owner | None = None,
        connection: str | None = None,
    ) -> Opened:
        """Begin a run whose work the caller does.

        Args:
            lease: A secret of the caller, so that it can repeat this call; None = one is made.
            lease_s: The run is lost when its owner gives no sign for so many seconds.
            connection: Names the caller's connection, for `on_disconnect`.
        Raises:
            ConflictError: There is a run with this id and another lease or name.
            NotFound, RunCancelled, RunEnded: The parent does not exist, is being cancelled, or has ended.
            Busy: As many runs as may be are under way.
        """
        raise NotImplementedError

    async def start(self, wanted: NewRun, *, by: str | None, connection: str | None = None) -> Row:
        """Start something registered; raises as `open` does, NotFound names what can be started."""
        raise NotImplementedError

    # What owners say

    def emit(
        self, run_id: str, events: Sequence[Said], *, lease: str | None, by: str | None, done: Done
    ) -> None:
        """Say something, in the order of calls. Wait for `hub.room()` before.

        Args:
            lease: That of the owner; None = a participant, who may say the same and renews nothing.
            done: Told once, after the commit of all: a list with the cursor of the last, or the first error, whose
                pointer begins with `/params/events/N`.
        Raises:
            NotFound, LeaseLost, RunEnded, RunCancelled, InvalidParams: Nothing was said.
        """
        raise NotImplementedError

    async def say(self, run_id: str, events: Sequence[Said], *, lease: str | None, by: str | None) -> Cursor:
        """`emit`, and wait."""
        raise NotImplementedError

    def renew(self, run_id: str, lease: str, *, connection: str | None = None) -> Renewed:
        """A sign of life. Raises NotFound, LeaseLost, RunEnded, RunCancelled (it was cut off)."""
        raise NotImplementedError

    def check_lease(self, run_id: str, lease: str) -> None:
        """Raise NotFound, or LeaseLost unless this is the lease of a run that is under way."""
        raise NotImplementedError

    async def finish(
        self,
        run_id: str,
        status: Finished,
        *,
        lease: str,
        result: Any = None,
        error: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> Row:
        """Give the outcome; a run that is being cancelled becomes `cancelled` whatever is said here.

        Returns:
            The row as it ended; also for a repeated call.
        Raises:
            NotFound, LeaseLost, StorageError
        """
        raise NotImplementedError

    # What others ask

    async def cancel(self, run_id: str, *, reason: str | None = None, by: str | None = None) -> CancelReceipt:
        """Cancel a run and all below it. Raises NotFound, StorageError."""
        raise NotImplementedError

    async def result(self, run_id: str, *, timeout_s: float = 30.0) -> RunResult:
        """Wait for the outcome. Raises NotFound."""
        raise NotImplementedError

    async def get(self, run_id: str) -> Details:
        """All about one run. Raises NotFound."""
        raise NotImplementedError

    def find(self, wanted: Filter) -> list[Row]:
        """The rows that fit, newest first."""
        raise NotImplementedError

    def disconnected(self, connection: str) -> None:
        """A connection has ended."""
        raise NotImplementedError

    # As a file

    def export(self, run_id: str) -> AsyncIterator[bytes]:
        """A run as lines of JSON, each with its end: a head, then its events. Raises NotFound at the first step."""
        raise NotImplementedError

    async def import_(self, lines: Iterable[bytes], *, by: str | None) -> Row:
        """Take in what `export` gave as a new run. Raises InvalidParams, whose message names the line."""
        raise NotImplementedError

    # For other services

    async def transact(
        self, run_id: str, events: Sequence[NewEvent], *, tables: Sequence[NewEvent] = (), asked: int = 0
    ) -> list[Cursor]:
        """Store events of a run and changes of other tables together.

        They are submitted in the step in which this is awaited, without a wait before, so that what the caller has
        just looked at still holds. The outcome of the run waits for it.

        Args:
            events: In `run:ID`.
            tables: In other channels, usually `state.patch`.
            asked: How many questions are open more (1) or less (-1); keeps `questions` and `waiting` of the row.
        Raises:
            NotFound, RunEnded: Nothing can be said in it any more.
            RunCancelled: Something was to be asked.
            InvalidPatch, StorageError
        """
        raise NotImplementedError

    # Coming and going

    async def __aenter__(self) -> Self:
        """Find everything again. Raises StorageError."""
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the local runs, as lost, and let go of the others."""
        raise NotImplementedError
