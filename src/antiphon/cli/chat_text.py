"""What a conversation looks like: in a terminal, as the answer alone, and as lines of JSON."""

from __future__ import annotations

import sys
from typing import Any, Protocol

import orjson

from antiphon import Event
from antiphon.cli.ending import say
from antiphon.cli.output import safe
from antiphon.cli.run_text import BOLD, RunText
from antiphon.client.agents.text import AnswerText


class Shown(Protocol):
    """Where an answer goes."""

    asks: bool  # whether it shows a question so that it can be answered right here

    def show(self, event: Event) -> None:
        """Take the next event of the answer's run."""

    def flush(self) -> None:
        """Write what has been taken."""

    def end(self, outcome: dict[str, Any]) -> None:
        """It has ended: `{run_id, thread_id, status, result, error}`."""


class ChatText(RunText):
    """Text as it grows, tools and questions as lines; of the outcome only what is no success."""

    asks = True

    def __init__(self) -> None:
        super().__init__()
        self._unspoken: set[str] = set()  # the person's own messages

    def end(self, outcome: dict[str, Any]) -> None:  # noqa: ARG002  # it was among the events
        """End the line that is being written."""
        self.close()

    def _run_started(self, data: dict[str, Any]) -> None:
        """Whoever asked knows."""

    def _message_open(self, data: dict[str, Any]) -> None:
        if data["role"] == "user":
            self._unspoken.add(data["message_id"])
        else:
            super()._message_open(data)

    def _message_append(self, data: dict[str, Any]) -> None:
        if data["message_id"] not in self._unspoken:
            super()._message_append(data)

    def _message_close(self, data: dict[str, Any]) -> None:
        if data["message_id"] not in self._unspoken:
            super()._message_close(data)

    def _question_asked(self, data: dict[str, Any]) -> None:
        details = data.get("details")
        self._line(f"? {data['prompt']}{f'  {details}' if details else ''}", BOLD)

    def _outcome(self, word: str, colour: str, data: dict[str, Any]) -> None:
        if word != "succeeded":
            super()._outcome(word, colour, data)


class AnswerAlone:
    """Nothing but the answer's text on standard output, as it grows; a result that is no text as JSON."""

    asks = False

    def __init__(self) -> None:
        self._text = AnswerText()
        self._parts: list[str] = []
        self._has_text = False
        self._is_terminal = sys.stdout.isatty()

    def show(self, event: Event) -> None:
        self._parts.append(self._text.take(event))
        if event.type == "question.asked":
            say_question(event.data)

    def flush(self) -> None:
        text = "".join(self._parts)
        self._parts.clear()
        if text:
            self._has_text = True
            self._write(text)

    def end(self, outcome: dict[str, Any]) -> None:
        self.flush()
        if self._has_text:
            self._write("\n")
        if outcome["status"] != "succeeded":
            error = outcome["error"] or {}
            say(f"{outcome['run_id']} {outcome['status']}{f': {why}' if (why := error.get('message')) else ''}")
        elif not self._has_text or not isinstance(outcome["result"], str):
            self._write(orjson.dumps(outcome["result"]).decode() + "\n")

    def _write(self, text: str) -> None:
        shown = safe(text) if self._is_terminal else text
        sys.stdout.buffer.write(shown.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()


class JsonLine:
    """One line of JSON for an answer: what `end` is given, and its text."""

    asks = False

    def __init__(self) -> None:
        self._text = AnswerText()
        self._parts: list[str] = []

    def show(self, event: Event) -> None:
        self._parts.append(self._text.take(event))
        if event.type == "question.asked":
            say_question(event.data)

    def flush(self) -> None:
        """There is nothing to write before the end."""

    def end(self, outcome: dict[str, Any]) -> None:
        row = {**outcome, "text": "".join(self._parts)}
        sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()


def say_question(question: dict[str, Any]) -> None:
    """That somebody has to answer, and how."""
    way = "--approve" if question["kind"] == "approval" else "VALUE"
    say(f"{question['prompt']}  (antiphon questions answer {question['question_id']} {way})")
