"""What `useChat` with its default transport sends."""

from __future__ import annotations

import itertools
from typing import Any

_numbers = itertools.count(1)


def user(text: str) -> dict[str, Any]:
    return {"id": f"u{next(_numbers)}", "role": "user", "parts": [{"type": "text", "text": text}]}


def chat(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A body; a message alone is a new chat."""
    return {"id": f"chat-{next(_numbers)}", "messages": list(messages), "trigger": "submit-message", **fields}
