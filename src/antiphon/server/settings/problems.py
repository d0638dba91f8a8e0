"""Say in words what is wrong with a setting, and where it was set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from antiphon.server.settings.catalogue import suggest
from antiphon.server.settings.origins import Key, Origin, dotted
from antiphon.server.settings.tomlfile import TomlFile

_MAX_SHOWN = 60
_KINDS = {
    "model_type": "a table",
    "dict_type": "a table",
    "mapping_type": "a table",
    "tuple_type": "a list",
    "string_type": "a text",
    "path_type": "a path",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
_SECRET = ("users", "env")  # tables whose values are not repeated in messages


def explain(error: ValidationError, origins: Mapping[Key, Origin], file: TomlFile | None) -> Iterator[str]:
    """One line per problem: `antiphon.toml:3: server.port: expected …, not …`."""
    for details in error.errors(include_url=False):
        key = tuple(str(part) for part in details["loc"] if part != "[key]")
        where = _where(key, origins, file)
        yield f"{where}: {_sentence(key, details)}" if where else _sentence(key, details)


def _where(key: Key, origins: Mapping[Key, Origin], file: TomlFile | None) -> str:
    for end in range(len(key), 0, -1):
        if key[:end] in origins:
            return str(origins[key[:end]])
    line = file.line_of(key) if file else None
    return "" if file is None or line is None else f"{file.path}:{line}"


def _sentence(key: Key, details: ErrorDetails) -> str:
    name = dotted(key)
    if details["type"] == "extra_forbidden":
        meant = suggest(key)
        return f"{name}: there is no such setting" + (f"; did you mean {meant}?" if meant else "")
    if details["type"] == "missing":
        return f"{name}: is required"
    if details["loc"][-1] == "[key]":
        return f"{name}: this name cannot be used: {_expected(details)}"
    return f"{name}: {_expected(details)}{_but(key, details['input'])}"


def _expected(details: ErrorDetails) -> str:
    if details["type"] in _KINDS:
        return f"expected {_KINDS[details['type']]}"
    message = details["msg"].removeprefix("Value error, ").split(", unable to", 1)[0]
    return message.replace("Input should be", "expected").replace("String should", "expected to")


def _but(key: Key, value: Any) -> str:
    if any(part in _SECRET for part in key[:-1]):
        return ""
    shown = repr(value)
    return f", not {shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + '…'}"
