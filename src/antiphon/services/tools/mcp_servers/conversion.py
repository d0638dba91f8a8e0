"""MCP's tools and results as ours."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import mcp_types as types

from antiphon.errors import ToolError
from antiphon.services.tools.config import McpConfig
from antiphon.services.tools.tool import Tool
from antiphon.services.tools.values import ToolCall

MAX_NAME = 64  # what model providers take
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")


def tool_of(server: str, config: McpConfig, tool: types.Tool, call: ToolCall) -> Tool:
    """A server's tool under a name that says whose it is: `SERVER__TOOL`."""
    needed = config.needs_approval
    return Tool(
        name=tool_name(server, tool.name),
        description=tool.description or tool.title or "",
        parameters=tool.input_schema,
        call=call,
        needs_approval=needed if isinstance(needed, bool) else tool.name in needed,
        timeout_s=config.timeout_s,
        source=f"mcp:{server}",
    )


def tool_name(server: str, tool: str) -> str:
    """A name that model providers take; what had to be changed or cut is told apart by a digest."""
    wanted = f"{server}__{tool}"
    found = _UNFIT.sub("_", wanted)
    if len(found) <= MAX_NAME:
        return found
    return f"{found[: MAX_NAME - 9]}_{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"


def result_of(result: types.CallToolResult) -> Any:
    """What a tool returned: its structured content, else its text, else its parts.

    Raises:
        ToolError: It says that it failed.
    """
    if result.is_error:
        raise ToolError(_text(result) or "The tool failed and does not say why")
    if result.structured_content is not None:
        return result.structured_content
    if all(isinstance(part, types.TextContent) for part in result.content):
        return _text(result)
    return [_part(part) for part in result.content]


def _text(result: types.CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if isinstance(part, types.TextContent))


def _part(part: types.ContentBlock) -> dict[str, Any]:
    """Without images and sounds, which are said to be there: a run's log is no place for them."""
    if isinstance(part, types.ImageContent | types.AudioContent):
        return {"type": part.type, "mime_type": part.mime_type, "base64_characters": len(part.data)}
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)
