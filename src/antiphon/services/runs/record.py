"""A run in memory: what was decided about it, beside the row that says what was stored."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from antiphon.errors import AntiphonError, LeaseLost, RunCancelled, RunEnded
from antiphon.services.runs.outcome import Outcome
from antiphon.services.runs.parts import Parts
from antiphon.services.runs.states import SPEAKING, Phase
from antiphon.services.runs.values import NewRun, OnDisconnect, Owner, run_channel
from antiphon.services.table import Row

OnCancel = Callable[[str | None], None]
OnLost = Callable[[AntiphonError], None]


class Cancelled(NamedTuple):
    """Why, and by whom."""

    reason: str | None
    by: str | None


@dataclass(slots=True, eq=False)
class Record:
    """Moments are seconds of the clock's `monotonic`; None = it will not come."""

    run_id: str
    name: str
    kind: str  # of its owner: remote, local, imported
    parent_run_id: str | None
    phase: Phase
    lease_sha256: str | None = None  # None = nobody can own it
    lease_s: float = 0.0
    on_disconnect: OnDisconnect = "continue"
    connection: str | None = None  # of whoever began it, or renewed it last
    expires_at: float | None = None  # its owner is lost
    cut_off_at: float | None = None  # a cancelled one has had its time
    leaves_at: float | None = None  # its connection has not come back
    retry_at: float | None = None  # the store refused something that must be stored
    opening: asyncio.Future[Row] | None = None  # None = found again
    is_stored: bool = False
    in_flight: int = 0  # events that are being stored; the outcome waits for them
    open_questions: int = 0
    parts: Parts = field(default_factory=Parts)
    cancelled: Cancelled | None = None
    is_told: bool = False  # that it is being cancelled, in its channel, stored or on its way
    telling: asyncio.Future[None] | None = None  # done when that is stored; None = by an earlier server
    outcome: Outcome | None = None  # decided; None too for one that was found ended
    ended_at: str = ""  # when it ended here, or came here: the oldest are forgotten first
    is_storing: bool = False  # the outcome is on its way
    waiting: list[asyncio.Future[Row]] = field(default_factory=list)  # for the next attempt to store the outcome
    over: asyncio.Event = field(default_factory=asyncio.Event)  # the outcome is stored
    is_finished: bool = False  # its owner has given the outcome
    on_cancel: OnCancel | None = None  # of a local run
    on_lost: OnLost | None = None

    @property
    def channel(self) -> str:
        return run_channel(self.run_id)

    @property
    def is_speaking(self) -> bool:
        return self.phase in SPEAKING

    @property
    def status(self) -> str:
        """The word for the row while there is no outcome."""
        return "waiting" if self.phase is Phase.RUNNING and self.open_questions > 0 else str(self.phase)

    def owns(self, lease: str) -> bool:
        """Whether this is the lease it was opened with."""
        return self.lease_sha256 is not None and hmac.compare_digest(self.lease_sha256, digest(lease))

    def secret(self) -> dict[str, Any]:
        """What the next server has to know and nobody else needs."""
        return {"lease_sha256": self.lease_sha256, "lease_s": self.lease_s, "on_disconnect": self.on_disconnect}

    def due(self) -> float | None:
        """The first moment at which something is to be done about it."""
        moments = [at for at in (self.expires_at, self.cut_off_at, self.leaves_at, self.retry_at) if at is not None]
        return min(moments, default=None)


def digest(lease: str) -> str:
    """What is kept of a lease."""
    return hashlib.sha256(lease.encode()).hexdigest()


def refusal(run_id: str, status: str) -> AntiphonError:
    """Why nothing more can be said in a run that ended so."""
    match status:
        case "cancelled":
            return RunCancelled(f"run {run_id} was cancelled")
        case "lost":
            return LeaseLost(f"run {run_id} was declared lost: its owner gave no sign in time")
        case _:
            return RunEnded(f"run {run_id} has ended: {status}")


def new_row(run_id: str, wanted: NewRun, *, owner: Owner, by: str | None, status: str, now: str) -> Row:
    """The row of a run that begins."""
    return {
        "run_id": run_id,
        "name": wanted.name,
        "title": wanted.title,
        "status": status,
        "reason": None,
        "thread_id": wanted.thread_id,
        "parent_run_id": wanted.parent_run_id,
        "by": by,
        "labels": dict(wanted.labels),
        "created_at": now,
        "started_at": None if status == "queued" else now,
        "ended_at": None,
        "progress": None,
        "progress_message": None,
        "usage": {},
        "questions": 0,
        "error": None,
        "owner": owner.encode(),
        "on_disconnect": wanted.on_disconnect,
        "tool": None,
    }
