"""What is needed of the tools service. Needs no extra."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from antiphon.services.tools import Tool, ToolContext


class Registry(Protocol):
    """What is needed of the tools service."""

    def select(self, patterns: Sequence[str]) -> list[Tool]: ...

    async def prepare(self, patterns: Sequence[str]) -> list[Tool]: ...

    async def call(self, name: str, arguments: Mapping[str, Any], context: ToolContext | None = None) -> Any: ...


def approval(patterns: Sequence[str]) -> Callable[[Tool], bool]:
    """Whether a tool is marked as needing approval, or named by an agent as such."""

    def needed(tool: Tool) -> bool:
        return tool.needs_approval or any(pattern in ("*", tool.name, tool.source) for pattern in patterns)

    return needed
