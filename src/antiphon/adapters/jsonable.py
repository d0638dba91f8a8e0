"""Anything that a library hands out, as JSON: what has no form in JSON is said in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from pydantic import BaseModel

_OPTIONS = orjson.OPT_NON_STR_KEYS


def jsonable(value: Any) -> Any:
    """A copy made of dicts, lists, texts, numbers, booleans and None only; never raises."""
    try:
        return orjson.loads(orjson.dumps(value, default=_default, option=_OPTIONS))
    except Exception:  # lone surrogates, numbers beyond 64 bits, cycles, models that refuse to be dumped
        return str(value).encode("utf-8", "replace").decode()


def from_text(text: str) -> Any:
    """What a text says: its value where it is a JSON object or array, otherwise the text itself."""
    if text[:1] not in ("{", "["):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def to_text(value: Any) -> str:
    """For people to read: a text as it is, anything else as JSON with indents."""
    return value if isinstance(value, str) else orjson.dumps(jsonable(value), option=orjson.OPT_INDENT_2).decode()


def _default(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", warnings=False)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    return str(value)
