"""Read `antiphon.toml` and remember on which line each key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from antiphon.errors import SettingsError
from antiphon.server.settings.origins import Key

_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class TomlFile(NamedTuple):
    """A parsed file: its tables, and the line of each key and table."""

    path: Path
    tables: dict[str, Any]
    lines: dict[Key, int]

    def line_of(self, key: Key) -> int | None:
        """The line of the key, or of the nearest table that holds it."""
        return next((self.lines[key[:end]] for end in range(len(key), 0, -1) if key[:end] in self.lines), None)


def read_toml(path: Path) -> TomlFile:
    """Read a file. Raises SettingsError that names file and line."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 (byte {error.start})") from error
    text = text.replace("\r\n", "\n")
    try:
        return TomlFile(path, tomllib.loads(text), dict(_lines(text)))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_explain(path, text, str(error))) from error


def _explain(path: Path, text: str, message: str) -> str:
    match = _POSITION.search(message)
    line = (match and match[1]) or text.rstrip("\n").count("\n") + 1
    return f"{path}:{line}: {_POSITION.sub('', message)}"


def _lines(text: str) -> Iterator[tuple[Key, int]]:
    """Each key with its line; an inline key again as part of its table only where nothing stood before.

    A statement is the fewest lines that are valid TOML by themselves, so that no second grammar is needed here.
    """
    table: Key = ()
    seen: set[Key] = set()
    for number, statement in _statements(text):
        is_header = statement.lstrip().startswith("[")
        keys = list(_keys(tomllib.loads(statement)))
        table = max(keys, key=len) if is_header else table
        for key in keys if is_header else [table + key for key in keys]:
            if key not in seen:
                seen.add(key)
                yield key, number


def _statements(text: str) -> Iterator[tuple[int, str]]:
    start, waiting = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        waiting = f"{waiting}\n{line}" if waiting else line
        try:
            tomllib.loads(waiting)
        except tomllib.TOMLDecodeError:
            continue  # goes on in the next line: the whole text is known to be valid
        yield start, waiting
        start, waiting = number + 1, ""


def _keys(tables: dict[str, Any], above: Key = ()) -> Iterator[Key]:
    for name, value in tables.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from _keys(value, (*above, name))
