"""The three places where settings are written: a file, the environment, flags. Later ones win."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin

from antiphon.errors import SettingsError
from antiphon.server.settings.catalogue import SCALAR_GROUPS, entries
from antiphon.server.settings.origins import Assignment, Key, Origin
from antiphon.server.settings.tomlfile import TomlFile, read_toml

FILE_NAME = "antiphon.toml"
PREFIX = "ANTIPHON_"
SHORT: dict[str, Key] = {key: ("server", key) for key in ("host", "port", "data")}
"""Settings with a variable and a flag of their own: `ANTIPHON_PORT`, `--port`."""

_OTHER_VARIABLES = ("ANTIPHON_CONFIG", "ANTIPHON_URL", "ANTIPHON_TOKEN", "ANTIPHON_RUN_ID")
_FORUM_FILE: Key = ("forum", "file")
_DIALECT_PATHS = ("pages", "report_cwd")
_PATHS = (
    ("process", "cwd"),
    ("log", "path"),
    ("mcp", "cwd"),
    ("tools", "folder"),
    *(("dialect", name) for name in _DIALECT_PATHS),
)


def find_file(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The file to read: the one asked for, else `antiphon.toml` in `cwd`, else None. Raises SettingsError."""
    named = config or (Path(environ["ANTIPHON_CONFIG"]) if environ.get("ANTIPHON_CONFIG") else None)
    if named is None:
        path = cwd / FILE_NAME
        return path if path.is_file() else None
    path = cwd / named.expanduser()
    if not path.is_file():
        asked = "--config" if config else "ANTIPHON_CONFIG"
        raise SettingsError(f"{path}: there is no such file ({asked})")
    return path


def from_file(path: Path) -> tuple[TomlFile, list[Assignment]]:
    """All values of a file; its relative paths count from its directory."""
    file = read_toml(path)
    _anchor(file.tables, path.parent)
    origins = {key: Origin("file", file=path, line=line) for key, line in file.lines.items()}
    return file, [Assignment(key, value, origins.get(key, Origin("file", file=path))) for key, value in _leaves(file)]


def from_environment(environ: Mapping[str, str], cwd: Path) -> list[Assignment]:
    """Values of `ANTIPHON_*` variables; empty ones count as not set. Raises SettingsError for misspelt ones."""
    known = _variables()
    assignments = []
    for name in (name for name in known if environ.get(name)):
        key, is_list = known[name]
        value: Any = [part.strip() for part in environ[name].split(",")] if is_list else environ[name]
        assignments.append(Assignment(key, _anchored(key, value, cwd), Origin("environment", name)))
    _refuse_misspelt(environ, known)
    return assignments


def from_flags(flags: Mapping[str, Any], cwd: Path) -> list[Assignment]:
    """Values of flags: `port` or `server.port`; None counts as not given."""
    keys = {name: SHORT.get(name, tuple(name.split("."))) for name, value in flags.items() if value is not None}
    return [
        Assignment(key, _anchored(key, flags[name], cwd), Origin("flag", f"--{name}")) for name, key in keys.items()
    ]


def _variables() -> dict[str, tuple[Key, bool]]:
    """Each variable's key, and whether it takes a list with commas; the short names last, so that they win."""
    known = {}
    for entry in entries():
        if entry.key[0] in SCALAR_GROUPS:
            known[PREFIX + "_".join(entry.key).upper()] = (entry.key, get_origin(entry.field.annotation) is tuple)
    return known | {PREFIX + name.upper(): (key, False) for name, key in SHORT.items()}


def _refuse_misspelt(environ: Mapping[str, str], known: Mapping[str, Any]) -> None:
    """Raise SettingsError for a variable that was meant for us; others of that prefix may belong to anybody."""
    groups = tuple(f"{PREFIX}{group.upper()}_" for group in SCALAR_GROUPS)
    for name in environ:
        if not name.startswith(PREFIX) or name in known or name in _OTHER_VARIABLES:
            continue
        near = get_close_matches(name, [*known, *_OTHER_VARIABLES], n=1, cutoff=0.85)
        if near or name.startswith(groups):
            raise SettingsError(f"{name}: there is no such setting" + (f"; did you mean {near[0]}?" if near else ""))


def _anchor(tables: dict[str, Any], base: Path) -> None:
    """Make the file's relative paths absolute, and give processes its directory to run in."""
    server = tables.get("server")
    if isinstance(server, dict) and "data" in server:
        server["data"] = _anchored(("server", "data"), server["data"], base)
    forum = tables.get("forum")
    if isinstance(forum, dict) and "file" in forum:
        forum["file"] = _anchored(_FORUM_FILE, forum["file"], base)
    for group, name in _PATHS:
        named = tables.get(group)
        for table in named.values() if isinstance(named, dict) else ():
            if isinstance(table, dict) and isinstance(table.get(name), str):
                table[name] = str(base / Path(table[name]).expanduser())


def _anchored(key: Key, value: Any, base: Path) -> Any:
    is_path = isinstance(value, str | Path) and (
        key in (SHORT["data"], _FORUM_FILE) or (key[0] == "dialect" and key[-1] in _DIALECT_PATHS)
    )
    return base / Path(value).expanduser() if is_path else value


def _leaves(file: TomlFile) -> Iterator[tuple[Key, Any]]:
    yield from _walk(file.tables, ())


def _walk(table: dict[str, Any], above: Key) -> Iterator[tuple[Key, Any]]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from _walk(value, (*above, name))
        else:
            yield (*above, name), value
