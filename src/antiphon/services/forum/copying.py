"""What a run's events add to the host's growing message, and how it ended. Plain code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from antiphon.messages import Event
from antiphon.services.runs import ENDED

PARAGRAPH: Final = "\n\n"  # between two messages, as when a tool was called in between
_OUTCOMES = {f"run.{status}": status for status in ENDED}


class Ended(NamedTuple):
    """How the run ended, in the words of a message."""

    status: Literal["completed", "cancelled", "failed"]
    text: str
    reason: str | None


class Copying:
    """Takes a run's events in order; `outcome` is set with its last one."""

    def __init__(self, speech_id: str) -> None:
        self.speech_id = speech_id
        self.outcome: Ended | None = None
        self._text = ""
        self._open: set[str] = set()  # messages of the assistant
        self._has_new = False

    def take(self, event: Event) -> str:
        """The text that an event adds, perhaps none."""
        if event.type == "message.open" and (data := event.data).get("role") == "assistant":
            self._open.add(data["message_id"])
            self._has_new = bool(self._text)
        elif event.type == "message.append" and (data := event.data)["message_id"] in self._open:
            return self._grow(data["delta"])
        elif event.type in _OUTCOMES:
            return self._end(_OUTCOMES[event.type], event.data)
        return ""

    def _grow(self, delta: str) -> str:
        if delta and self._has_new:
            delta, self._has_new = PARAGRAPH + delta, False
        self._text += delta
        return delta

    def _end(self, status: str, data: Mapping[str, Any]) -> str:
        """An answer that was not seen to grow comes at its end."""
        ended = outcome_of(status, data.get("result"), data.get("error"))
        late = ended.text if ended.status == "completed" and not self._text else ""
        self.outcome = ended._replace(text=self._text or ended.text)
        return late


def outcome_of(status: str, result: Any, error: Mapping[str, Any] | None) -> Ended:
    """The outcome of a run as the end of a message."""
    if status == "succeeded":
        return Ended("completed", result if isinstance(result, str) else "", None)
    if status == "cancelled":
        return Ended("cancelled", "", None)
    return Ended("failed", "", str((error or {}).get("message") or status))
