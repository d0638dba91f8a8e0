"""The events of one run as the events of AG-UI 1.0.

Plain code: what it says depends on nothing but the run's events in their order, so that a stream can be continued at
any byte by taking in quietly what was sent before. A run is one AG-UI run until it asks something: that ends the AG-UI
run with the outcome `interrupt`, and whoever answers joins the same run of ours under a new id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from antiphon.dialects.agui.conversation import Conversation
from antiphon.dialects.agui.frame import Frame
from antiphon.dialects.agui.input import INPUT, Message
from antiphon.dialects.agui.interrupts import interrupt_of
from antiphon.dialects.agui.parts import Parts, Said
from antiphon.dialects.parts import tool_of
from antiphon.hub import Summary
from antiphon.messages import Event

CLIENT_TOOL = "x.client_tool"
IN_OUR_WORDS = ("tool.progress", "run.usage", "question.answered", "question.withdrawn")  # AG-UI says less than we know


class AguiTranslator:
    """One stream of one run.

    Args:
        row: The run's.
        run_id: What the client calls the run; None = as whoever started it over AG-UI did, or else its own id.
        thread_id: The same for the thread.
        sent: What `input_said` makes of the client's request; None = the run knows it, or somebody else started it.
        legacy: The client is from before 1.0, which had no outcome `cancelled`, no subagents and no metadata.
        joins: `join` will be called: messages and state are kept until then.
    """

    def __init__(
        self,
        row: Mapping[str, Any],
        *,
        run_id: str | None = None,
        thread_id: str | None = None,
        sent: Mapping[str, Any] | None = None,
        legacy: bool = False,
        joins: bool = False,
    ) -> None:
        self.ended = False
        self._frame = frame = Frame(row, run_id, thread_id, legacy=legacy)
        self._parts = Parts(legacy=legacy)
        self._conversation = Conversation() if joins else None
        self._has_state = False
        self._questions: dict[str, Said] = {}  # open ones, as interrupts
        self._last: list[Said] = []  # what ended the run
        self._is_quiet = False
        self._has_input = False
        self._words: dict[str, Callable[[Any], list[Said]]] = {
            "message.open": lambda data: self._parts.open(data["message_id"], data["role"]),
            "message.append": lambda data: self._parts.append(data["message_id"], data["delta"]),
            "message.close": lambda data: self._parts.close(data["message_id"]),
            "tool.start": self._parts.start,
            "tool.args": lambda data: self._parts.args(data["tool_call_id"], data["delta"]),
            "tool.progress": self._progress,
            "tool.end": self._parts.finish,
            CLIENT_TOOL: self._client_tool,
            "state.patch": self._patch,
            "run.child": lambda data: self._parts.child(data["run_id"], data["name"], data["status"]),
            "run.usage": self._count,
            "run.started": lambda _: [] if self._is_quiet else [frame.started()],
            "run.succeeded": lambda data: self._end(frame.succeeded(data, self._parts.pending)),
            "run.failed": lambda data: self._end(frame.failed(data)),
            "run.cancelled": lambda data: self._end(frame.cancelled(data)),
            "run.lost": lambda data: self._end(frame.lost(data)),
            "question.asked": self._asked,
            "question.answered": self._settled,
            "question.withdrawn": self._settled,
            INPUT: self._input,
        }
        if sent is not None:
            self._input(sent)

    # what the stream asks

    def begin(self, summary: Summary | None) -> None:
        """What was before the first event that is left of the run."""
        if summary is None:
            return
        self._parts.reset()
        for message in summary.messages:
            said = self._parts.open(message.message_id, message.role)
            self._keep(said + self._parts.append(message.message_id, message.text))
        if summary.state.version > 0:
            self._has_state = True
            if self._conversation is not None:
                self._conversation.restore(summary.state.value)

    @property
    def is_over(self) -> bool:
        """Whether the AG-UI run has ended with what was taken in last."""
        return bool(self._last or self._questions)

    def follow(self, event: Event) -> None:
        """Take in what the client has, or will be given by `join`."""
        self._is_quiet = True
        self._keep(self._said(event))

    def join(self) -> list[bytes]:
        """For a client that has nothing, or does not know how much: where the run is now, as events."""
        self._is_quiet = False
        conversation, self._conversation = self._conversation, None
        said = [self._frame.started()]
        if conversation is not None:
            messages = conversation.messages()
            said += [{"type": "MESSAGES_SNAPSHOT", "messages": messages}] if messages else []
            if conversation.has_state:
                said.append({"type": "STATE_SNAPSHOT", "snapshot": conversation.state})
        if self._last:
            self.ended = True
            return _encoded([*said, self._last[-1]])
        if self._questions:
            return _encoded([*said, self._interrupted()[-1]])
        return _encoded(said + self._parts.reopen())

    def event(self, event: Event) -> list[bytes]:
        """What one event is said as."""
        self._is_quiet = False
        said = self._said(event)
        for part in said:
            part["timestamp"] = event.time_ms
        return _encoded(said)

    def goodbye(self, reason: str) -> list[bytes]:
        """The stream ends, the run goes on: a client that cannot attach must not take that for success."""
        return _encoded([{"type": "RUN_ERROR", "code": "antiphon.goodbye", "message": f"{reason}: attach again"}])

    def gap(self) -> list[bytes]:
        """Retention took what was to come next."""
        self.ended = True
        words = "what the run said meanwhile was not kept: attach again"
        return _encoded([{"type": "RUN_ERROR", "code": "antiphon.gap", "message": words}])

    # one event

    def _said(self, event: Event) -> list[Said]:
        data, say = event.data, self._words.get(event.type)
        try:
            said = [] if say is None else say(data)
        except (KeyError, TypeError, AttributeError):  # of an imported run, or somebody's own
            return [{"type": "CUSTOM", "name": event.type, "value": data}]
        if say is None or event.type in IN_OUR_WORDS:
            said.append({"type": "CUSTOM", "name": event.type, "value": data})
        return said

    def _keep(self, said: list[Said]) -> None:
        if self._conversation is not None:
            for part in said:
                self._conversation.apply(part)

    def _progress(self, data: Any) -> list[Said]:
        return self._parts.works(data["tool_call_id"])

    def _client_tool(self, data: Any) -> list[Said]:
        return self._parts.hand_over(str(data["tool_call_id"]), str(data["name"]), str(data["arguments"]))

    def _patch(self, data: Any) -> list[Said]:
        ops = data["ops"]
        first = [] if self._has_state else [{"type": "STATE_SNAPSHOT", "snapshot": {}}]
        self._has_state = True
        return [*first, {"type": "STATE_DELTA", "delta": ops}]

    def _count(self, data: Any) -> list[Said]:
        self._frame.count(data)
        return []

    def _input(self, data: Any) -> list[Said]:
        """What the client sent: its ids are taken, and its last message is not said to it again."""
        if self._has_input:
            return []
        try:
            messages = [Message.model_validate(message) for message in data["messages"]]
            thread_id, run_id = str(data["thread_id"]), str(data["run_id"])
        except (KeyError, TypeError, ValidationError):
            return []
        self._has_input = True
        self._frame.name(run_id, thread_id)
        self._parts.ids.take(message.id for message in messages)
        self._parts.ids.take(call.id for message in messages for call in message.toolCalls)
        self._parts.hides_user = bool(messages) and messages[-1].role == "user"
        if self._conversation is not None:
            self._conversation.seed(data["messages"])
        return []

    # questions

    def _asked(self, data: Any) -> list[Said]:
        tool = tool_of(data, self._parts.tools.values())
        self._questions[data["question_id"]] = interrupt_of(data, None if tool is None else tool.wire)
        return [] if self._is_quiet else self._interrupted()

    def _settled(self, data: Any) -> list[Said]:
        self._questions.pop(data["question_id"], None)
        return []

    def _interrupted(self) -> list[Said]:
        return self._end(self._frame.interrupted(list(self._questions.values())))

    def _end(self, last: Said) -> list[Said]:
        said = [*self._parts.close_all(), last]
        self._last = said
        self.ended = not self._is_quiet
        return said


def _encoded(said: list[Said]) -> list[bytes]:
    return [orjson.dumps(part) for part in said]
