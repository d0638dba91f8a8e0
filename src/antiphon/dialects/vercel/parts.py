"""The parts of one message of a UI message stream: texts, reasoning, calls of tools, questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.dialects.parts import OpenTool, WireIds, content_of, tool_of
from antiphon.dialects.vercel.input import QUESTION

Chunk = dict[str, Any]
SERVERS: Chunk = {"providerExecuted": True}  # the page is not to call it, nor to send its result back


class Parts:
    """From parts of a run to chunks; what does not follow from what was said before says nothing."""

    def __init__(self) -> None:
        self.has_pending = False  # whether the page is to call a tool
        self._ids = WireIds()
        self._messages: dict[str, tuple[str, str]] = {}  # open ones: id on the wire, kind
        self._tools: dict[str, OpenTool] = {}
        self._asked: dict[str, tuple[str, bool]] = {}  # by question: the call on the wire, and whether it is one
        self._denied: set[str] = set()
        self._has_returned = False  # whether a tool has, in this step

    def reset(self) -> None:
        """Nothing is open."""
        self._messages.clear()
        self._tools.clear()

    # steps

    def _step(self) -> list[Chunk]:
        """A new one, where the model has been told what tools returned."""
        if not self._has_returned or self._messages or self._tools:
            return []
        self._has_returned = False
        return [{"type": "finish-step"}, {"type": "start-step"}]

    # messages

    def open(self, message_id: str, role: str) -> list[Chunk]:
        if role not in ("assistant", "reasoning"):
            return []  # the page has said it, or must not see it
        said = self._step()
        kind = "reasoning" if role == "reasoning" else "text"
        wire = self._ids.new(message_id)
        self._messages[message_id] = (wire, kind)
        return [*said, {"type": f"{kind}-start", "id": wire}]

    def append(self, message_id: str, delta: str) -> list[Chunk]:
        wire, kind = self._messages.get(message_id, ("", ""))
        return [{"type": f"{kind}-delta", "id": wire, "delta": delta}] if wire else []

    def close(self, message_id: str) -> list[Chunk]:
        wire, kind = self._messages.pop(message_id, ("", ""))
        return [{"type": f"{kind}-end", "id": wire}] if wire else []

    # tool calls

    def start(self, data: Mapping[str, Any]) -> list[Chunk]:
        if data["tool_call_id"] in self._tools:
            return []
        said = self._step()
        tool = OpenTool(self._ids.new(data["tool_call_id"]), data["name"])
        self._tools[data["tool_call_id"]] = tool
        return said + _begin(tool)

    def args(self, tool_call_id: str, delta: str) -> list[Chunk]:
        tool = self._tools.get(tool_call_id)
        if tool is None or not delta:
            return []
        tool.pieces.append(delta)
        if tool.is_complete:  # it was not: from its beginning, as the page may have come since
            tool.is_complete = False
            said = _begin(tool)
        else:
            said = [{"type": "tool-input-delta", "toolCallId": tool.wire, "inputTextDelta": delta}]
        return said + _complete(tool, SERVERS) if tool.growing.feed(delta) else said

    def works(self, tool_call_id: str) -> list[Chunk]:
        """It makes progress, so its input is complete."""
        tool = self._tools.get(tool_call_id)
        return [] if tool is None else _complete(tool, SERVERS)

    def finish(self, data: Mapping[str, Any]) -> list[Chunk]:
        tool = self._tools.pop(data["tool_call_id"], None)
        if tool is None:
            return []
        self._has_returned = True
        said = _complete(tool, SERVERS)
        if tool.wire in self._denied:
            return said
        if data["status"] == "succeeded":
            output = {"type": "tool-output-available", "toolCallId": tool.wire, "output": data.get("result")}
            return [*said, {**output, **SERVERS}]
        words = content_of(data)
        return [*said, {"type": "tool-output-error", "toolCallId": tool.wire, "errorText": words, **SERVERS}]

    def hand_over(self, tool_call_id: str, name: str, arguments: str) -> list[Chunk]:
        """A call that the page is to make."""
        said = self._step()
        self.has_pending = True
        tool = OpenTool(self._ids.new(tool_call_id), name, [arguments] if arguments else [])
        return [*said, {"type": "tool-input-start", "toolCallId": tool.wire, "toolName": name}, *_complete(tool, {})]

    # questions

    def ask(self, data: Mapping[str, Any]) -> list[Chunk]:
        """An approval of a call where there is one; other questions look like a tool that the page is to call."""
        name, tool = data["question_id"], tool_of(data, self._tools.values())
        said = [] if tool is None else _complete(tool, SERVERS)
        self._asked[name] = (tool.wire if tool is not None else name, tool is not None)
        if tool is None:
            said.append(_question(data))
        if data["kind"] == "approval":
            said.append({"type": "tool-approval-request", "approvalId": name, "toolCallId": self._asked[name][0]})
        return said

    def answered(self, data: Mapping[str, Any]) -> list[Chunk]:
        wire, is_call = self._asked.get(data["question_id"], ("", False))
        if wire and data["action"] == "reject":
            self._denied.add(wire)
            return [{"type": "tool-output-denied", "toolCallId": wire}]
        if not wire or is_call:
            return []  # the tool's own output follows
        output = data["answer"] if data["action"] == "answer" else {"action": data["action"], "answer": data["answer"]}
        return [{"type": "tool-output-available", "toolCallId": wire, "output": output}]

    def withdrawn(self, data: Mapping[str, Any]) -> list[Chunk]:
        wire, is_call = self._asked.get(data["question_id"], ("", False))
        words = f"the question was withdrawn: {data['reason']}"
        return [{"type": "tool-output-error", "toolCallId": wire, "errorText": words}] if wire and not is_call else []

    # all at once

    def close_all(self) -> list[Chunk]:
        """What must be closed before the stream ends; the run itself goes on where it does."""
        return [{"type": f"{kind}-end", "id": wire} for wire, kind in self._messages.values()]

    def reopen(self) -> list[Chunk]:
        """What is open, for one who goes on in the same message."""
        said: list[Chunk] = [{"type": f"{kind}-start", "id": wire} for wire, kind in self._messages.values()]
        growing = [tool for tool in self._tools.values() if not tool.is_complete]
        return said + [chunk for tool in growing for chunk in _begin(tool)]


def _begin(tool: OpenTool) -> list[Chunk]:
    """A call with what is known of its input."""
    said: list[Chunk] = [{"type": "tool-input-start", "toolCallId": tool.wire, "toolName": tool.name, **SERVERS}]
    if tool.pieces:
        said.append({"type": "tool-input-delta", "toolCallId": tool.wire, "inputTextDelta": tool.text})
    return said


def _complete(tool: OpenTool, whose: Chunk) -> list[Chunk]:
    if tool.is_complete:
        return []
    tool.is_complete = True
    found = {"type": "tool-input-available", "toolCallId": tool.wire, "toolName": tool.name}
    return [{**found, "input": tool.arguments(), **whose}]


def _question(data: Mapping[str, Any]) -> Chunk:
    shown = ("kind", "prompt", "details", "options", "schema", "value", "deadline", "default")
    return {
        "type": "tool-input-available",
        "toolCallId": data["question_id"],
        "toolName": "approval" if data["kind"] == "approval" else "question",
        "input": {name: data[name] for name in shown if data.get(name) is not None},
        "toolMetadata": QUESTION,
    }
