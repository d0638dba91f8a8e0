"""What the model server is told to say, in pieces as the protocol has them. Plain code."""

from __future__ import annotations

import json
from typing import Any

CHUNK = 8  # characters


def steps_for(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the last user message tells us to say in this round."""
    last = max((index for index, message in enumerate(messages) if message["role"] == "user"), default=0)
    rounds = sum(1 for message in messages[last:] if message["role"] == "assistant")
    text = text_of(messages[last])
    if not text.startswith("{"):
        return [{"text": f"You said: {text}"}]
    script = json.loads(text)["rounds"]
    return list(script[rounds]) if rounds < len(script) else [{"text": "That is all."}]


def text_of(message: dict[str, Any]) -> str:
    """Texts come as they are, or in parts."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def deltas_of(step: dict[str, Any], call_id: str, index: int) -> list[dict[str, Any]]:
    """The pieces in which a step is streamed."""
    size = step.get("size", CHUNK)
    if "text" in step:
        return [{"content": piece} for piece in cut(step["text"], size)]
    if "think" in step:
        return [{"reasoning_content": piece} for piece in cut(step["think"], size)]
    if "call" not in step:
        return []
    function = {"name": step["call"], "arguments": ""}
    first = {"index": index, "id": call_id, "type": "function", "function": function}
    arguments = step.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    rest = [{"index": index, "function": {"arguments": piece}} for piece in cut(text, size)]
    return [{"tool_calls": [delta]} for delta in (first, *rest)]


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def whole(number: int, model: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """An answer that is not streamed."""
    calls = [
        {"id": f"call_{number}_{index}", "type": "function",
         "function": {"name": step["call"], "arguments": json.dumps(step.get("arguments", {}))}}
        for index, step in enumerate(step for step in steps if "call" in step)
    ]  # fmt: skip
    text = "".join(step.get("text", step.get("repeat", "") * step.get("times", 0)) for step in steps)
    message = {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    return {**frame(number, model, choices=[choice], usage=usage_of(steps)), "object": "chat.completion"}


def usage_of(steps: list[dict[str, Any]]) -> dict[str, int]:
    given, taken = next((step["usage"] for step in steps if "usage" in step), (11, 7))
    return {"prompt_tokens": given, "completion_tokens": taken, "total_tokens": given + taken}


def frame(number: int, model: str, **rest: Any) -> dict[str, Any]:
    head = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1_700_000_000}
    return {**head, "model": model, **rest}
