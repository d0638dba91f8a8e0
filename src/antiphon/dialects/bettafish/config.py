"""The values of the configuration dialog: which there are, which are secret, and the file that keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_MODELS = ("INSIGHT_ENGINE", "MEDIA_ENGINE", "QUERY_ENGINE", "REPORT_ENGINE", "FORUM_HOST", "KEYWORD_OPTIMIZER")

KEYS: Final = (
    *("HOST", "PORT"),
    *("DB_DIALECT", "DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME", "DB_CHARSET"),
    *(f"{name}_{what}" for name in _MODELS for what in ("API_KEY", "BASE_URL", "MODEL_NAME")),
    *("TAVILY_API_KEY", "BOCHA_WEB_SEARCH_API_KEY", "BOCHA_BASE_URL"),
)
MASK: Final = "********"
"""Stands for a secret that is set. Sent back it changes nothing."""

MAX_VALUE: Final = 4096  # characters
_LINE = re.compile(r'([A-Z][A-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_SPECIAL = re.compile(r'([\\"$`])')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
HEADER: Final = "# Kept by the configuration dialog; Antiphon reads and writes this file, and never executes it.\n"


class WrongValue(ValueError):
    """A value cannot be kept; the text says which and why."""


def is_secret(key: str) -> bool:
    return key.endswith(("_API_KEY", "_PASSWORD"))


def shown(kept: Mapping[str, str]) -> dict[str, str]:
    """What the dialog is told: every key, secrets masked."""
    return {key: _shown(key, kept.get(key, "")) for key in KEYS}


def _shown(key: str, value: str) -> str:
    return MASK if value and is_secret(key) else value


def merged(kept: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """The values after the dialog was sent; keys that it does not know are left out. Raises WrongValue."""
    changed = {
        key: _text(key, value) for key, value in given.items() if key in KEYS and not (is_secret(key) and value == MASK)
    }
    return {key: value for key, value in {**kept, **changed}.items() if value}


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongValue(f"{key}: expected text or a number")
    text = str(value).strip()
    if len(text) > MAX_VALUE or _CONTROL.search(text):
        raise WrongValue(f"{key}: expected one line of at most {MAX_VALUE} characters")
    return text


def write(values: Mapping[str, str]) -> str:
    """The file's text; a shell that reads it finds nothing to expand."""
    escaped = {key: _SPECIAL.sub(r"\\\1", value) for key, value in values.items() if value}
    return HEADER + "".join(f'{key}="{escaped[key]}"\n' for key in KEYS if key in escaped)


def read(text: str) -> dict[str, str]:
    """What `write` has written; lines of another kind are passed over."""
    lines = (match for line in text.splitlines() if (match := _LINE.fullmatch(line.strip())))
    return {match[1]: _ESCAPED.sub(r"\1", match[2]) for match in lines if match[1] in KEYS}
