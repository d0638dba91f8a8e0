"""Put the settings together: flags over environment over file over other systems' variables over defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from antiphon.dialects import FACTS
from antiphon.errors import SettingsError
from antiphon.server.settings.checks import check_together
from antiphon.server.settings.foreign import HOST, from_foreign, is_beyond_reach, without_host
from antiphon.server.settings.loaded import Loaded
from antiphon.server.settings.model import Settings
from antiphon.server.settings.origins import DEFAULT, Assignment, Key, Origin, dotted
from antiphon.server.settings.problems import explain
from antiphon.server.settings.sources import find_file, from_environment, from_file, from_flags
from antiphon.server.settings.tomlfile import TomlFile


def load(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    cwd: Path | None = None,
) -> Loaded:
    """Read the settings.

    Args:
        config: The file; None = what `ANTIPHON_CONFIG` names, else `antiphon.toml` in `cwd` if there is one.
        flags: By name (`port`) or key (`server.port`); None as a value = not given.
        environ: Variables; None = none at all (pass `os.environ`).
        cwd: Directory from which relative paths of flags and variables count; None = the current one.
    Raises:
        SettingsError: Each problem on a line of its own, with file and line, variable or flag.
    """
    here = (cwd or Path.cwd()).absolute()
    variables = environ or {}
    path = find_file(config, variables, here)
    file, written = from_file(path) if path else (None, [])
    base = path.parent if path else here
    defaults = [Assignment(("server", "data"), base / "data", DEFAULT), *_directories(file, base), *_whole_lines(file)]
    foreign, warnings = from_foreign(variables)
    given = [*foreign, *written, *from_environment(variables, here), *from_flags(flags or {}, here)]
    loaded = _loaded(defaults, given, file, warnings)
    if is_beyond_reach(loaded.settings, loaded.origin(HOST)):
        given, warning = without_host(given)
        loaded = _loaded(defaults, given, file, [*warnings, warning])
    check_together(loaded)
    return loaded


def _loaded(
    defaults: Iterable[Assignment], given: Iterable[Assignment], file: TomlFile | None, warnings: Iterable[str]
) -> Loaded:
    origins = {key: origin for key, _, origin in given}
    settings = _validate([*defaults, *given], origins, file)
    return Loaded(settings, origins, file.path if file else None, tuple(warnings))


def _directories(file: TomlFile | None, base: Path) -> list[Assignment]:
    """Programs run where the file is, unless it says otherwise: not where somebody happened to start the server."""
    found = []
    for group in ("process", "mcp"):
        named = file.tables.get(group) if file else None
        for name, table in named.items() if isinstance(named, dict) else ():
            if isinstance(table, dict) and (group == "process" or "command" in table):
                found.append(Assignment((group, name, "cwd"), base, DEFAULT))
    return found


def _whole_lines(file: TomlFile | None) -> list[Assignment]:
    """Where a protocol counts the lines of a process, they are not cut either."""
    processes = _table(file.tables if file else {}, "process")
    dialects = _table(file.tables if file else {}, "dialect")
    return [
        Assignment(("process", name, "line_limit_bytes"), 0, DEFAULT)
        for facts in FACTS
        if _table(dialects, facts.name).get("enabled") is not False
        for name in [channel.removeprefix("log:") for channel in facts.numbered]
        if isinstance(processes.get(name), dict)
    ]


def _table(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = tables.get(name)
    return found if isinstance(found, dict) else {}


def _validate(assignments: Iterable[Assignment], origins: Mapping[Key, Origin], file: TomlFile | None) -> Settings:
    tree: dict[str, Any] = {}
    for key, value, _ in assignments:
        _put(tree, key, value)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise SettingsError("\n".join(explain(error, origins, file))) from None


def _put(tree: dict[str, Any], key: Key, value: Any) -> None:
    for depth, name in enumerate(key[:-1], 1):
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            raise SettingsError(f"{dotted(key[:depth])} is a table of settings, not a value")
    if value == {}:
        tree.setdefault(key[-1], value)  # an empty table takes nothing back
    else:
        tree[key[-1]] = value
