"""What is open inside a run: messages that grow, tools that work. Plain code without I/O.

It follows what was stored, not what was asked for: a refused event opens nothing, and a retry that was stored before
carries an offset that was seen already.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from antiphon.messages import NewEvent

MAX_TOOLS: Final = 1000  # open at once

_MESSAGE_STATUS: Final = {"succeeded": "completed", "failed": "failed", "cancelled": "cancelled", "lost": "failed"}
_TOOL_STATUS: Final = {"succeeded": "cancelled", "failed": "failed", "cancelled": "cancelled", "lost": "failed"}


class Parts:
    """The open parts as of one offset."""

    __slots__ = ("_messages", "_offset", "_tools")

    def __init__(self) -> None:
        self._offset = 0
        self._messages: dict[str, None] = {}
        self._tools: dict[str, tuple[str, int]] = {}  # name, and since when: Unix milliseconds

    @property
    def has_room(self) -> bool:
        """Whether another tool may start."""
        return len(self._tools) < MAX_TOOLS

    @property
    def tool(self) -> str | None:
        """The name of the tool that was started last, of those at work."""
        return next(reversed(self._tools.values()))[0] if self._tools else None

    def take(self, kind: str, data: Any, offset: int, time_ms: int) -> None:
        """Take note of a stored event."""
        if offset <= self._offset:
            return
        self._offset = offset
        match kind:
            case "message.open":
                self._messages[data["message_id"]] = None
            case "message.close":
                self._messages.pop(data["message_id"], None)
            case "tool.start":
                self._tools.setdefault(data["tool_call_id"], (data["name"], time_ms))
            case "tool.end":
                self._tools.pop(data["tool_call_id"], None)

    def closing(self, channel: str, outcome: str, now_ms: int) -> list[NewEvent]:
        """The events that close what is open when the run ends so."""
        tools = [
            _event(
                channel, "tool.end",
                {"tool_call_id": name, "status": _TOOL_STATUS[outcome], "duration_ms": max(0, now_ms - since)},
            )
            for name, (_, since) in self._tools.items()
        ]  # fmt: skip
        messages = [
            _event(channel, "message.close", {"message_id": name, "status": _MESSAGE_STATUS[outcome]})
            for name in self._messages
        ]
        return tools + messages


def _event(channel: str, kind: str, data: dict[str, Any]) -> NewEvent:
    return NewEvent(channel, kind, orjson.dumps(data))
