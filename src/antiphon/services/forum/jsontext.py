"""JSON as language models write it: parsed, with one attempt at repair. Plain code."""

from __future__ import annotations

import json
from typing import Any

_ENDS_STRING = frozenset(":,}]")


def parse_output(text: str) -> dict[str, Any] | None:
    """The object that a text is, perhaps after stray quotes were escaped; None where it is none."""
    for attempt in (text, escape_stray_quotes(text)):
        try:
            found = json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def escape_stray_quotes(text: str) -> str:
    """A quote inside a string that is not followed by `:`, `,`, `}` or `]` cannot end it: it is escaped."""
    pieces: list[str] = []
    is_inside = is_escaped = False
    for index, character in enumerate(text):
        if is_escaped or character == "\\":
            is_escaped = not is_escaped
        elif character == '"':
            if is_inside and not _may_end(text, index + 1):
                pieces.append("\\")
            else:
                is_inside = not is_inside
        pieces.append(character)
    return "".join(pieces)


def _may_end(text: str, start: int) -> bool:
    while start < len(text) and text[start].isspace():
        start += 1
    return start == len(text) or text[start] in _ENDS_STRING
