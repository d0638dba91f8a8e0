"""What settings exist: for suggestions, for `antiphon config` and for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from antiphon.server.settings.model import Settings
from antiphon.server.settings.origins import Key, dotted
from antiphon.server.settings.units import UNLIMITED, Unlimited

SCALAR_GROUPS = ("server", "limits", "storage", "runs", "forum", "dialect")
"""Tables with a fixed set of keys; these can be set by environment variables and flags too."""

_PLACEHOLDERS = {"retention": "PATTERN", "volatile": "PATTERN"}


class Entry(NamedTuple):
    """One setting; names that the user chooses are written NAME or PATTERN."""

    key: Key
    field: FieldInfo

    @property
    def default(self) -> str:
        """The default as TOML would write it; `required` where there is none."""
        field = self.field
        return "required" if field.is_required() else literal(field.get_default(call_default_factory=True), field)


def entries() -> Iterator[Entry]:
    """Every setting, in the order of the models."""
    for name, field in Settings.model_fields.items():
        model, is_table = _model_of(field.annotation)
        if model is None:
            raise TypeError(f"the setting {name} is no table")
        yield from _entries_of(model, (name, _PLACEHOLDERS.get(name, "NAME")) if is_table else (name,))


def _entries_of(model: type[BaseModel], above: Key) -> Iterator[Entry]:
    for name, field in model.model_fields.items():
        key = (*above, written(name, field))
        inner, is_table = _model_of(field.annotation)
        if inner is None or is_table:
            yield Entry(key, field)
        else:
            yield from _entries_of(inner, key)


def model_at(key: Key) -> type[BaseModel] | None:
    """The model of the table at `key`; None where `key` is no table with a fixed set of keys."""
    model: type[BaseModel] | None = Settings
    parts = list(key)
    while parts and model is not None:
        field = model.model_fields.get(parts.pop(0))
        model, is_table = _model_of(field.annotation) if field else (None, False)
        if is_table and parts:
            parts.pop(0)  # the name that the user chose
    return model


def suggest(key: Key) -> str | None:
    """The setting that was probably meant by an unknown key: a near name in its table, else the name elsewhere."""
    model = model_at(key[:-1])
    names = [written(name, field) for name, field in model.model_fields.items()] if model else []
    near = get_close_matches(key[-1], names, n=1) or [name for name in names if name.startswith(f"{key[-1]}_")]
    if near:
        return dotted((*key[:-1], near[0]))
    known: dict[str, Key] = {}
    for entry in entries():
        known.setdefault(entry.key[-1], entry.key)
    elsewhere = get_close_matches(key[-1], known, n=1, cutoff=0.8)
    return dotted(known[elsewhere[0]]) if elsewhere else None


def written(name: str, field: FieldInfo) -> str:
    """A setting's name as it stands in the file; in Python `import` cannot be one."""
    return field.alias or name


def literal(value: Any, field: FieldInfo | None = None) -> str:
    """A value as TOML would write it; None is `unlimited` or `not set`."""
    if value is None:
        return f'"{UNLIMITED}"' if field and Unlimited in field.metadata else "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) and value < 10**6 else str(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(literal(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {literal(item)}' for key, item in value.items())}}}"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _model_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model inside an annotation, and whether it is the value of a mapping."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _model_of(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return next((found for part in get_args(annotation) if (found := _model_of(part))[0]), (None, False))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _model_of(get_args(annotation)[1])[0], True
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return (annotation if is_model else None), False
