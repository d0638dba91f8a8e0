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
from antiphon.dialects.agui.input import INPUT, Message
from antiphon.dialects.agui.interrupts import interrupt_of
from antiphon.dialects.agui.parts import Parts, Said
from antiphon.dialects.parts import tool_of
from antiphon.hub import Summary
from antiphon.messages import Event

PROTOCOL = "1.0"
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
        self._row = row
        self._run_id = run_id
        self._thread_id = thread_id
        self._legacy = legacy
        self._parts = Parts(legacy=legacy)
        self._conversation = Conversation() if joins else None
        self._has_state = False
        self._questions: dict[str, Said] = {}  # open ones, as interrupts
        self._usage: dict[str, Any] = {}
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
            "run.started": self._started,
            "run.succeeded": self._succeeded,
            "run.failed": self._failed,
            "run.cancelled": self._cancelled,
            "run.lost": lambda data: self._error(data["reason"] or "the run was lost", "lost"),
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
        said = self._start()
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
        self._usage |= {name: value for name, value in data.items() if value is not None}
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
        self._thread_id = self._thread_id or thread_id
        self._run_id = self._run_id or run_id
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
        outcome = {"type": "interrupt", "interrupts": list(self._questions.values())}
        return self._finish({"outcome": outcome})

    # beginning and end

    @property
    def _ids(self) -> Said:
        run_id = self._run_id or self._row["run_id"]
        return {"threadId": self._thread_id or self._row["thread_id"] or run_id, "runId": run_id}

    def _started(self, _: Any) -> list[Said]:
        return [] if self._is_quiet else self._start()

    def _start(self) -> list[Said]:
        said: Said = {"type": "RUN_STARTED", **self._ids}
        if not self._legacy:
            said["protocolVersion"] = PROTOCOL
            said["metadata"] = {"antiphon": {"run_id": self._row["run_id"], "name": self._row["name"]}}
        if self._row["parent_run_id"] is not None:
            said["parentRunId"] = self._row["parent_run_id"]
        return [said]

    def _succeeded(self, data: Any) -> list[Said]:
        found: Said = {} if data["result"] is None else {"result": data["result"]}
        if self._parts.pending and not self._legacy:
            found["outcome"] = {"type": "success", "pendingToolCallIds": self._parts.pending}
        return self._finish(found)

    def _failed(self, data: Any) -> list[Said]:
        error = data["error"] or {}
        return self._error(error.get("message") or "the run failed", error.get("type") or "failed")

    def _cancelled(self, data: Any) -> list[Said]:
        if self._legacy:  # it would read the outcome as success
            return self._error(data["reason"] or "the run was cancelled", "cancelled")
        why = {name: data[name] for name in ("reason", "by") if data.get(name) is not None}
        return self._finish({"outcome": {"type": "cancelled"}, **({"metadata": {"antiphon": why}} if why else {})})

    def _finish(self, found: Said) -> list[Said]:
        return self._end({"type": "RUN_FINISHED", **self._ids, **found, **self._used()})

    def _error(self, message: str, code: str) -> list[Said]:
        return self._end({"type": "RUN_ERROR", "message": message, "code": code, **self._used()})

    def _end(self, last: Said) -> list[Said]:
        said = [*self._parts.close_all(), last]
        self._last = said
        self.ended = not self._is_quiet
        return said

    def _used(self) -> Said:
        names = {"input_tokens": "inputTokens", "output_tokens": "outputTokens", "total_tokens": "totalTokens"}
        used = {word: self._usage[name] for name, word in {**names, "model": "model"}.items() if name in self._usage}
        return {"usage": [used]} if used and not self._legacy else {}


def _encoded(said: list[Said]) -> list[bytes]:
    return [orjson.dumps(part) for part in said]
