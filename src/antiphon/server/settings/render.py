"""The effective settings as rows, for `antiphon config`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from antiphon.server.settings.catalogue import literal, written
from antiphon.server.settings.loaded import Loaded
from antiphon.server.settings.origins import Key, Origin, dotted

_SECRET_NAME = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL|DSN", re.IGNORECASE)


class Row(NamedTuple):
    """One setting: its key and value as TOML would write them, secrets shortened, and its origin."""

    key: str
    value: str
    origin: Origin


def rows(loaded: Loaded) -> list[Row]:
    """Every effective setting, in the order of the documentation."""
    return [
        Row(dotted(key), _shown(key, value, field, loaded), loaded.origin(key))
        for key, value, field in _walk(loaded.settings, (), None)
    ]


def _walk(value: Any, key: Key, field: FieldInfo | None) -> Iterator[tuple[Key, Any, FieldInfo | None]]:
    if isinstance(value, BaseModel):
        for name, inner in type(value).model_fields.items():
            yield from _walk(getattr(value, name), (*key, written(name, inner)), inner)
    elif isinstance(value, Mapping):
        for name, inner_value in value.items():
            yield from _walk(inner_value, (*key, name), None)
    else:
        yield key, value, field


def _shown(key: Key, value: Any, field: FieldInfo | None, loaded: Loaded) -> str:
    if key[-1] == "token_sha256":
        return f'"{value[:8]}…"'
    if len(key) > 1 and key[-2] == "env" and _SECRET_NAME.search(key[-1]):
        return '"…"'
    if key == ("server", "auth") and value is None:
        return f"not set ({'on' if loaded.settings.auth else 'off'})"
    return literal(value, field)
