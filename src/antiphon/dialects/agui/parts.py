"""What is open on the wire of one AG-UI stream: messages, calls whose arguments grow, subagents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.dialects.parts import OpenTool, WireIds, content_of

Said = dict[str, Any]
ROLES = ("user", "assistant", "system")
OUTCOMES = ("succeeded", "failed", "cancelled", "lost")


class Parts:
    """From parts of a run to AG-UI events; what does not follow from what was said before says nothing."""

    def __init__(self, *, legacy: bool) -> None:
        self.ids = WireIds()
        self.tools: dict[str, OpenTool] = {}  # by the run's id of the call
        self.pending: list[str] = []  # calls that the client is to make
        self.hides_user = False  # whether the next message of a user is one that the client has
        self._legacy = legacy
        self._messages: dict[str, tuple[str, str]] = {}  # open ones: id on the wire, role; id "" = hidden
        self._assistants: dict[str, str] = {}  # by the run's id: the id on the wire
        self._subagents: dict[str, str] = {}  # at work: their names

    def reset(self) -> None:
        """Nothing is open."""
        for parts in (self.tools, self._messages, self._subagents):
            parts.clear()

    # messages

    def open(self, message_id: str, role: str) -> list[Said]:
        hidden = role == "user" and self.hides_user
        self.hides_user = False
        if hidden:
            self._messages[message_id] = ("", role)
            return []
        wire = self.ids.new(message_id)
        self._messages[message_id] = (wire, role)
        if role == "assistant":
            self._assistants[message_id] = wire
        return _start(wire, role)

    def append(self, message_id: str, delta: str) -> list[Said]:
        wire, role = self._messages.get(message_id, ("", ""))
        if not wire:
            return []
        kind = "REASONING_MESSAGE_CONTENT" if role == "reasoning" else "TEXT_MESSAGE_CONTENT"
        return [{"type": kind, "messageId": wire, "delta": delta}]

    def close(self, message_id: str) -> list[Said]:
        wire, role = self._messages.pop(message_id, ("", ""))
        return _end(wire, role) if wire else []

    # tool calls

    def start(self, data: Mapping[str, Any]) -> list[Said]:
        if data["tool_call_id"] in self.tools:
            return []
        tool = OpenTool(self.ids.new(data["tool_call_id"]), data["name"])
        self.tools[data["tool_call_id"]] = tool
        return [_tool_start(tool, self._assistants.get(data.get("parent_message_id") or ""))]

    def args(self, tool_call_id: str, delta: str) -> list[Said]:
        tool = self.tools.get(tool_call_id)
        if tool is None or not delta:
            return []
        said = [_tool_start(tool, None)] if tool.is_complete else []
        tool.is_complete = False
        tool.pieces.append(delta)
        said.append({"type": "TOOL_CALL_ARGS", "toolCallId": tool.wire, "delta": delta})
        return said + self._complete(tool) if tool.growing.feed(delta) else said

    def _complete(self, tool: OpenTool) -> list[Said]:
        if tool.is_complete:
            return []
        tool.is_complete = True
        return [{"type": "TOOL_CALL_END", "toolCallId": tool.wire}]

    def works(self, tool_call_id: str) -> list[Said]:
        """It makes progress, so its arguments are complete."""
        tool = self.tools.get(tool_call_id)
        return [] if tool is None else self._complete(tool)

    def finish(self, data: Mapping[str, Any]) -> list[Said]:
        tool = self.tools.pop(data["tool_call_id"], None)
        if tool is None:
            return []
        result: Said = {
            "type": "TOOL_CALL_RESULT",
            "messageId": self.ids.new(f"{tool.wire}-result"),
            "toolCallId": tool.wire,
            "content": content_of(data),
            "role": "tool",
        }
        if data["status"] != "succeeded" and not self._legacy:
            result["metadata"] = {"antiphon": {"status": data["status"]}}
        return [*self._complete(tool), result]

    def hand_over(self, tool_call_id: str, name: str, arguments: str) -> list[Said]:
        """A call that the client is to make: whole at once, without a result."""
        tool = OpenTool(self.ids.new(tool_call_id), name)
        self.pending.append(tool.wire)
        args = [{"type": "TOOL_CALL_ARGS", "toolCallId": tool.wire, "delta": arguments}] if arguments else []
        return [_tool_start(tool, None), *args, *self._complete(tool)]

    # subagents

    def child(self, run_id: str, name: str, status: str) -> list[Said]:
        if self._legacy:
            return []
        if status not in OUTCOMES:
            if run_id in self._subagents:
                return []
            self._subagents[run_id] = name
            return [{"type": "SUBAGENT_STARTED", "subagentRunId": run_id, "name": name}]
        if self._subagents.pop(run_id, None) is None:
            return []
        if status == "succeeded":
            return [{"type": "SUBAGENT_FINISHED", "subagentRunId": run_id, "outcome": {"type": "success"}}]
        return [{"type": "SUBAGENT_ERROR", "subagentRunId": run_id, "message": f"{name}: {status}", "code": status}]

    # all at once

    def close_all(self) -> list[Said]:
        """What an AG-UI run must have closed before it may end; the run itself goes on where it does."""
        said = [part for wire, role in self._messages.values() if wire for part in _end(wire, role)]
        said += [
            {"type": "TOOL_CALL_END", "toolCallId": tool.wire} for tool in self.tools.values() if not tool.is_complete
        ]
        suspended = {"type": "suspended"}
        said += [{"type": "SUBAGENT_FINISHED", "subagentRunId": name, "outcome": suspended} for name in self._subagents]
        return said

    def reopen(self) -> list[Said]:
        """For one who joins: what is open, under the ids that the snapshot has."""
        said = [part for wire, role in self._messages.values() if wire for part in _start(wire, role)]
        said += [_tool_start(tool, None) for tool in self.tools.values() if not tool.is_complete]
        for run_id, name in self._subagents.items():
            said.append({"type": "SUBAGENT_STARTED", "subagentRunId": run_id, "name": name})
        return said


def _start(wire: str, role: str) -> list[Said]:
    if role != "reasoning":
        return [{"type": "TEXT_MESSAGE_START", "messageId": wire, "role": role if role in ROLES else "assistant"}]
    opened = {"type": "REASONING_START", "messageId": wire}
    return [opened, {"type": "REASONING_MESSAGE_START", "messageId": wire, "role": "reasoning"}]


def _end(wire: str, role: str) -> list[Said]:
    if role != "reasoning":
        return [{"type": "TEXT_MESSAGE_END", "messageId": wire}]
    return [{"type": "REASONING_MESSAGE_END", "messageId": wire}, {"type": "REASONING_END", "messageId": wire}]


def _tool_start(tool: OpenTool, parent: str | None) -> Said:
    inside = {} if parent is None else {"parentMessageId": parent}
    return {"type": "TOOL_CALL_START", "toolCallId": tool.wire, "toolCallName": tool.name, **inside}
