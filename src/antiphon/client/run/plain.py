"""Values as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel


def encode(value: Any) -> bytes:
    """As JSON; models of pydantic, dataclasses, dates and enumerations in their usual form.

    Raises:
        TypeError: It holds what JSON cannot.
    """
    return orjson.dumps(value, default=_default)


def plain(value: Any) -> Any:
    """A copy made of dicts, lists, texts, numbers, booleans and None only. Raises TypeError."""
    return orjson.loads(encode(value))


def _default(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
