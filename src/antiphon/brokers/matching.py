"""What it means for an event to contain a text: one of its string values does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from antiphon.messages import Event

LINE_SYNTAX = ("{", "text", ":", ",", "stream", "}")  # what the raw JSON of a log line says beside its values
ESCAPE_TAILS = b"bfnrtu0123456789abcdef"  # what follows the backslash of an escape


def encode_needle(text: str) -> bytes:
    """The text as it stands inside a JSON string, so that raw payloads can be searched."""
    return orjson.dumps(text)[1:-1]


def is_exact_for_lines(needle: bytes) -> bool:
    """Whether finding `needle` in the raw JSON of a log line without escapes proves a match, without decoding it."""
    word = needle.decode().lower()
    return "\\" not in word and not any(word in syntax for syntax in LINE_SYNTAX)


def may_begin_in_escape(needle: bytes) -> bool:
    """Whether `needle` may be found in raw JSON where half of an escape stands: `\\u001b[31m` has no "b[31m"."""
    return needle[:1].lower() in ESCAPE_TAILS


def contains(event: Event, text: str, *, ignore_case: bool) -> bool:
    """Whether a string value of the event's data contains the text (`ignore_case`: ASCII letters only)."""
    if not ignore_case:
        return any(text in value for value in _strings(event.data))
    wanted = _lower(text)
    return any(wanted in _lower(value) for value in _strings(event.data))


def _lower(text: str) -> str:
    return text.encode().lower().decode()  # bytes.lower() leaves all but ASCII alone


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
