"""The parts of a message as the chunks that make them: for a page that builds the message anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from antiphon.dialects.vercel.input import tool_name

Chunk = dict[str, Any]


def replayed(parts: Iterable[Any]) -> list[Chunk]:
    """Parts as the page has sent them; what is no part is left out."""
    return [
        chunk for place, part in enumerate(parts) if isinstance(part, dict) for chunk in _part(part, f"before-{place}")
    ]


def _part(part: dict[str, Any], name: str) -> list[Chunk]:
    kind = part.get("type")
    if kind == "step-start":
        return [{"type": "start-step"}]
    if kind in ("text", "reasoning"):
        text = str(part.get("text", ""))
        return [
            {"type": f"{kind}-start", "id": name},
            {"type": f"{kind}-delta", "id": name, "delta": text},
            {"type": f"{kind}-end", "id": name},
        ]
    if tool_name(part) is not None:
        return _call(part)
    return [part] if isinstance(kind, str) and (kind.startswith("data-") or kind == "file") else []


def _call(part: dict[str, Any]) -> list[Chunk]:
    call_id = str(part.get("toolCallId"))
    kept: Chunk = {name: part[name] for name in ("providerExecuted", "title", "toolMetadata") if name in part}
    if part.get("type") == "dynamic-tool":
        kept["dynamic"] = True
    made = {"type": "tool-input-available", "toolCallId": call_id, "toolName": tool_name(part)}
    said = [{**made, "input": part.get("input"), **kept}]
    match part.get("state"):
        case "output-available":
            said.append({"type": "tool-output-available", "toolCallId": call_id, "output": part.get("output")})
        case "output-error":
            said.append({"type": "tool-output-error", "toolCallId": call_id, "errorText": str(part.get("errorText"))})
        case "output-denied":
            said.append({"type": "tool-output-denied", "toolCallId": call_id})
        case _:
            pass
    return said
