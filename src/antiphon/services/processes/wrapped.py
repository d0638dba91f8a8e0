"""A program that is a run: the ticket by which it is one, and what we need of whoever keeps the runs.

`antiphon run` leaves the ticket in the program's directory. Whoever takes in the program's lines says them in the run,
tells its outcome, and stops the program once the run is cancelled. As the ticket is on disk beside the lines, the next
server does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from antiphon.messages import NewEvent
from antiphon.services.processes.shimlink import ExitRecord
from antiphon.services.processes.spool import Line

CLIENT = "antiphon run"  # what the owner of such a run calls itself
LEASE_S = 60.0  # from the opening of the run until the server has found the program; then it is renewed
CANCEL_GRACE_S = 8.0  # before the runs lose patience with a cancelled one (`runs.cancel_grace_s`, 10 s)


class Ticket(BaseModel):
    """What makes a program a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str
    lease: str = Field(repr=False)  # the secret of the run's owner
    name: str
    title: str | None = None
    thread_id: str | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)


class Voice(Protocol):
    """The run of one program. Once it has ended nothing is said any more, and lines go on."""

    async def begin(self, pid: int | None) -> None:
        """Open the run, or find it again. Raises StorageError."""

    async def publish(
        self, lines: Sequence[Line], first: int, events: Sequence[NewEvent], checkpoint: tuple[str, str]
    ) -> None:
        """Say lines in the run, each once, and publish the events with their checkpoint.

        Args:
            lines: In order; maybe none.
            first: The number of the first among all lines of the program.
            events: What else is to be published; never without the lines being said.
        Raises:
            StorageError, Busy: Neither may have happened: to be repeated.
        """

    async def cancelled(self) -> None:
        """Wait until somebody has cancelled the run."""

    async def end(self, record: ExitRecord | None) -> None:
        """Tell the outcome; again does no harm. `record` None: nobody knows how it ended. Raises StorageError."""


class Voices(Protocol):
    """Whoever keeps the runs."""

    def voice(self, ticket: Ticket, key: str) -> Voice:
        """That of a program; `key` names its start among all."""
