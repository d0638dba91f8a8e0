"""The events of one run as a UI message stream: one message of the assistant.

A stream begins with the run, also for a page that was reloaded: it builds the message anew. A question ends the
stream, and the page's answer goes on in the same message, behind the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from antiphon.dialects.vercel.input import INPUT
from antiphon.dialects.vercel.parts import Chunk, Parts
from antiphon.dialects.vercel.replay import replayed
from antiphon.hub import Summary
from antiphon.messages import Event

DONE = b"[DONE]"
CLIENT_TOOL = "x.client_tool"
UNSAID = ("run.started", INPUT)


class VercelTranslator:
    """One stream of one run.

    Args:
        row: The run's.
        message: Id of the message that the page has, and that this goes on with; None = a new one, or the one that the
            run's starter had, with its parts.
        after: Id of the question behind which the page wants to go on; None = from the beginning.
        settled: Ids of questions that need no answer any more: the stream goes on behind them.
    """

    def __init__(
        self,
        row: Mapping[str, Any],
        *,
        message: str | None = None,
        after: str | None = None,
        settled: Iterable[str] = (),
    ) -> None:
        self.ended = False
        self.is_over = False
        self._row = row
        self._message = message
        self._before: list[Any] = []  # parts that the message had when the run began
        self._after = after
        self._settled = frozenset(settled)
        self._parts = Parts()
        self._has_begun = False
        self._texts: dict[str, str] = {}  # of messages that had begun before what is left of the run
        self._words: dict[str, Callable[[Any], list[Chunk]]] = {
            "message.open": lambda data: self._parts.open(data["message_id"], data["role"]),
            "message.append": lambda data: self._parts.append(data["message_id"], data["delta"]),
            "message.close": lambda data: self._parts.close(data["message_id"]),
            "tool.start": self._parts.start,
            "tool.args": lambda data: self._parts.args(data["tool_call_id"], data["delta"]),
            "tool.progress": lambda data: self._parts.works(data["tool_call_id"]) + _data("tool-progress", data),
            "tool.end": self._parts.finish,
            CLIENT_TOOL: self._client_tool,
            "question.asked": self._asked,
            "question.answered": self._parts.answered,
            "question.withdrawn": self._parts.withdrawn,
            "run.succeeded": self._succeeded,
            "run.failed": lambda data: self._failed((data["error"] or {}).get("message") or "the run failed"),
            "run.lost": lambda data: self._failed(data["reason"] or "the run was lost"),
            "run.cancelled": lambda data: self._end({"type": "abort", "reason": data["reason"] or "cancelled"}),
            INPUT: self._input,
        }

    # what the stream asks

    def begin(self, summary: Summary | None) -> None:
        """What was before the first event that is left of the run."""
        if summary is not None:
            self._parts.reset()
            self._texts = {message.message_id: message.text for message in summary.messages}
            for message in summary.messages:
                self._parts.open(message.message_id, message.role)

    def follow(self, event: Event) -> None:
        """Take in what cannot be told: it happened before what is left of the run."""
        self._said(event)
        self.ended, self.is_over = False, event.type in ("run.succeeded", "run.failed", "run.cancelled", "run.lost")

    def join(self) -> list[bytes]:
        """The beginning of the run is not kept: what is open, and what comes."""
        said = self._begin() + self._parts.reopen()
        for message_id, text in self._texts.items():
            said += self._parts.append(message_id, text)
        return _encoded(said)

    def event(self, event: Event) -> list[bytes]:
        """What one event is said as."""
        said = self._said(event)
        if self._after is not None:
            return _encoded(self._go_on()) if self._is_where_we_were(event) else []
        if event.type not in UNSAID and not self._has_begun:
            said = self._begin() + said
        return _encoded(said) + ([DONE] if self.ended else [])

    def goodbye(self, reason: str) -> list[bytes]:
        """The stream ends, the run goes on."""
        return _encoded([{"type": "error", "errorText": f"{reason}: resume the stream"}])

    def gap(self) -> list[bytes]:
        """Retention took what was to come next."""
        self.ended = True
        return [*_encoded([{"type": "error", "errorText": "what the run said meanwhile was not kept"}]), DONE]

    # one event

    def _said(self, event: Event) -> list[Chunk]:
        data, say = event.data, self._words.get(event.type)
        if say is None:
            return [] if event.type in UNSAID else _data(_name(event.type), data)
        try:
            return say(data)
        except (KeyError, TypeError, AttributeError):  # of an imported run, or somebody's own
            return _data(_name(event.type), data)

    def _client_tool(self, data: Any) -> list[Chunk]:
        return self._parts.hand_over(str(data["tool_call_id"]), str(data["name"]), str(data["arguments"]))

    def _input(self, data: Any) -> list[Chunk]:
        """Which message the run's starter went on with; whoever is sent the beginning has it or builds it anew."""
        if self._message is None:
            self._message, self._before = str(data["message_id"]), list(data["parts"])
        return []

    # going on behind a question

    def _is_where_we_were(self, event: Event) -> bool:
        self.ended = False
        return event.type == "question.asked" and event.data["question_id"] == self._after

    def _go_on(self) -> list[Chunk]:
        self._after = None
        self._before = []
        return self._begin(steps=False) + self._parts.reopen()

    # beginning and end

    def _begin(self, *, steps: bool = True) -> list[Chunk]:
        self._has_begun = True
        run = {name: self._row[name] for name in ("run_id", "name", "thread_id")}
        said = [{"type": "start", "messageId": self._message or self._row["run_id"]}, *_data("run", run)]
        return said + replayed(self._before) + ([{"type": "start-step"}] if steps else [])

    def _asked(self, data: Any) -> list[Chunk]:
        said = self._parts.ask(data)
        if data["question_id"] in self._settled:
            return said
        return said + self._finish("tool-calls")

    def _succeeded(self, _: Any) -> list[Chunk]:
        return self._finish("tool-calls" if self._parts.has_pending else "stop")

    def _failed(self, words: str) -> list[Chunk]:
        return self._end({"type": "error", "errorText": words})

    def _finish(self, reason: str) -> list[Chunk]:
        closed = self._parts.close_all()
        return [*closed, {"type": "finish-step"}, *self._end({"type": "finish", "finishReason": reason})]

    def _end(self, last: Chunk) -> list[Chunk]:
        self.ended = True
        return [last]


def _data(name: str, data: Any) -> list[Chunk]:
    """Something that the page can read as it comes, and that is no part of the message."""
    return [{"type": f"data-{name}", "data": data, "transient": True}]


def _name(kind: str) -> str:
    return kind.removeprefix("run.").removeprefix("x.").replace(".", "-").replace(":", "-")


def _encoded(said: list[Chunk]) -> list[bytes]:
    return [orjson.dumps(part) for part in said]
