"""JSON that people type."""

from __future__ import annotations

import sys
from typing import Any

import orjson

from antiphon.errors import InputError


def decode(text: str | bytes, where: str) -> Any:
    """The value that `text` is. Raises InputError, which names `where`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise InputError(f"{where} is not JSON ({exc}); a text is written as '\"text\"'") from exc


def given_or_read(text: str) -> str:
    """The text itself, or for `-` what standard input holds."""
    return sys.stdin.read() if text == "-" else text
