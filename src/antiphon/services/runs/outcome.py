"""How a run ends: the one event that is its last."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from antiphon.messages import NewEvent
from antiphon.services.runs.values import run_channel


class Outcome(NamedTuple):
    """One of four; which fields matter depends on the status."""

    status: str  # succeeded, failed, cancelled, lost
    result: Any = None  # of succeeded
    error: dict[str, Any] | None = None  # of failed: {message, type}
    reason: str | None = None  # of cancelled and lost
    by: str | None = None  # who cancelled it

    def data(self) -> dict[str, Any]:
        """The data of its event."""
        match self.status:
            case "succeeded":
                return {"result": self.result}
            case "failed":
                return {"error": self.error}
            case "cancelled":
                return {"reason": self.reason, "by": self.by}
            case _:
                return {"reason": self.reason}

    def event(self, run_id: str) -> NewEvent:
        return NewEvent(run_channel(run_id), f"run.{self.status}", orjson.dumps(self.data()), self.by)


def failed(message: str, kind: str | None = None) -> Outcome:
    """It failed, and this is why."""
    return Outcome("failed", error={"message": message, "type": kind})


def failed_by(error: BaseException) -> Outcome:
    """It failed by an exception."""
    return failed(str(error) or type(error).__name__, type(error).__name__)
