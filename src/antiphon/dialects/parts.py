"""What dialects need to know of a run's tool calls, and names for its parts that are used only once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from antiphon.dialects.json_text import GrowingJson
from antiphon.hub.patch import equal


class WireIds:
    """Gives each part a name of its own: runs may use one again, protocols that add to what has a name may not."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def take(self, names: Iterable[str]) -> None:
        """These are in use elsewhere in the conversation."""
        self._used.update(names)

    def new(self, name: str) -> str:
        """The name itself, or with a number where it is in use."""
        found, count = name, 1
        while found in self._used:
            count += 1
            found = f"{name}~{count}"
        self._used.add(found)
        return found


@dataclass(slots=True)
class OpenTool:
    """A tool call that has not returned."""

    wire: str
    name: str
    pieces: list[str] = field(default_factory=list)
    growing: GrowingJson = field(default_factory=GrowingJson)
    is_complete: bool = False  # whether its arguments were said to be complete

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def arguments(self) -> Any:
        """The arguments as a value: `{}` for none, the text where it is no JSON."""
        text = self.text
        if not text:
            return {}
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text


def tool_of(question: Mapping[str, Any], tools: Iterable[OpenTool]) -> OpenTool | None:
    """The newest call whose arguments are what is to be approved; None = the question is about none."""
    if question.get("kind") != "approval" or question.get("value") is None:
        return None
    for tool in reversed(list(tools)):
        if equal(tool.arguments(), question["value"]):
            return tool
    return None


def content_of(data: Mapping[str, Any]) -> str:
    """What a tool has returned as a text: a text as it is, other values as JSON, a failure in its words."""
    if data.get("status") == "failed" and data.get("error") is not None:
        error = data["error"]
        return str(error["message"]) if isinstance(error, dict) and "message" in error else as_text(error)
    if data.get("status") == "cancelled" and data.get("result") is None:
        return "cancelled"
    return as_text(data.get("result"))


def as_text(value: Any) -> str:
    """A text as it is, any other value as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
