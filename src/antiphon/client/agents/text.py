"""An answer's text out of its run's events. Plain code."""

from __future__ import annotations

from antiphon.client.items import Event, Gap, Item, Message
from antiphon.client.run.rows import ENDED

PARAGRAPH = "\n\n"  # between two messages, as when a tool was called in between
_OUTCOMES = frozenset(f"run.{status}" for status in ENDED)


class AnswerText:
    """Takes a run's items in order; `has_ended` once its outcome came."""

    def __init__(self) -> None:
        self.has_ended = False
        self._shown: dict[str, int] = {}  # characters of the open messages of the assistant, by id
        self._separator = ""  # what comes before the next message's text

    def take(self, item: Item) -> str:
        """The text that an item adds, perhaps none."""
        if isinstance(item, Gap):
            return "".join(map(self._rest_of, item.messages))
        if not isinstance(item, Event) or not isinstance(item.data, dict):
            return ""
        data = item.data
        if item.type == "message.open" and data.get("role") == "assistant":
            self._shown[str(data.get("message_id"))] = 0
        elif item.type == "message.append":
            return self._grown(str(data.get("message_id")), str(data.get("delta", "")))
        elif item.type in _OUTCOMES:
            self.has_ended = True
        return ""

    def _grown(self, message_id: str, delta: str) -> str:
        if message_id not in self._shown or not delta:
            return ""
        text = delta if self._shown[message_id] else self._separator + delta
        self._shown[message_id] += len(delta)
        self._separator = PARAGRAPH
        return text

    def _rest_of(self, message: Message) -> str:
        """What of an open message was not shown, where the events that brought it are gone."""
        if message.role != "assistant":
            return ""
        shown = self._shown.setdefault(message.message_id, 0)
        return self._grown(message.message_id, message.text[shown:])
