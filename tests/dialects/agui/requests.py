"""What a stock AG-UI client sends."""

from __future__ import annotations

import itertools
from typing import Any

_numbers = itertools.count(1)


def run_input(prompt: str | None = "tea", **fields: Any) -> dict[str, Any]:
    number = next(_numbers)
    messages = [] if prompt is None else [{"id": f"user-{number}", "role": "user", "content": prompt}]
    return {
        "threadId": f"thread-{number}",
        "runId": f"run-{number}",
        "protocolVersion": "1.0",
        "messages": messages,
        "tools": [],
        "context": [],
        "forwardedProps": {},
        "state": {},
        **fields,
    }


def with_input(value: Any, **fields: Any) -> dict[str, Any]:
    """For runs that are no agent's: their input as it is."""
    return run_input(forwardedProps={"input": value}, **fields)
