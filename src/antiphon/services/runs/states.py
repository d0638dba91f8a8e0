"""The phases of a run and what moves it from one to the next. Plain code without I/O.

queued  --begin-->  running  --cancel-->  cancelling
any of them  --end-->  ending (the outcome is decided and being stored)  --stored-->  ended

A phase is what was decided, at once; the status in the row is what was stored. `waiting` is no phase: it is how
`running` reads in the row while a question is open. Nothing leads back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    QUEUED = "queued"  # a local run that waits for its turn
    RUNNING = "running"
    CANCELLING = "cancelling"  # its owner has been told and may close what is open
    ENDING = "ending"  # nothing more is taken
    ENDED = "ended"


class Step(StrEnum):
    BEGIN = "begin"
    CANCEL = "cancel"
    END = "end"
    STORED = "stored"


NEXT: Final = {
    (Phase.QUEUED, Step.BEGIN): Phase.RUNNING,
    (Phase.QUEUED, Step.END): Phase.ENDING,
    (Phase.RUNNING, Step.CANCEL): Phase.CANCELLING,
    (Phase.RUNNING, Step.END): Phase.ENDING,
    (Phase.CANCELLING, Step.END): Phase.ENDING,
    (Phase.ENDING, Step.STORED): Phase.ENDED,
}

SPEAKING: Final = frozenset({Phase.QUEUED, Phase.RUNNING, Phase.CANCELLING})
"""There is no outcome yet, and something can be said."""

ENDED: Final = frozenset({"succeeded", "failed", "cancelled", "lost"})
"""Statuses that are outcomes."""


class OutOfOrder(ValueError):
    """This step is impossible in this phase; nothing has changed."""


def advance(phase: Phase, step: Step) -> Phase:
    """The phase after `step`. Raises OutOfOrder."""
    try:
        return NEXT[phase, step]
    except KeyError:
        raise OutOfOrder(f"{step} is impossible while {phase}") from None
