"""What `antiphon.toml` names in code of the user's: `[runnable.NAME] import = "module:function"` and the like."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from antiphon.errors import SettingsError
from antiphon.server.runnables import Runnable
from antiphon.server.settings import Loaded
from antiphon.server.settings.origins import DEFAULT, Key, dotted
from antiphon.transports.socketio.namespace import Namespace


def imported_runnables(loaded: Loaded) -> list[Runnable]:
    """Import what the settings name, looking first beside the file of the settings.

    Raises:
        SettingsError: Something cannot be imported, or cannot be run; each such key on a line of its own.
    """
    if loaded.settings.runnable:
        _look_in(loaded.file.parent if loaded.file else Path.cwd())
    found, problems = [], []
    for name, setting in loaded.settings.runnable.items():
        try:
            found.append(_runnable(name, setting.import_))
        except _Problem as problem:
            problems.append(_told(loaded, ("runnable", name, "import"), problem))
    if problems:
        raise SettingsError("\n".join(problems))
    return found


def imported_namespaces(loaded: Loaded) -> dict[str, Namespace]:
    """Import the Socket.IO namespaces that the settings name, as `imported_runnables` does; by name.

    Raises:
        SettingsError: As `imported_runnables`; also two with the same name.
    """
    if loaded.settings.socketio.import_:
        _look_in(loaded.file.parent if loaded.file else Path.cwd())
    found: dict[str, Namespace] = {}
    problems = []
    for place in loaded.settings.socketio.import_:
        try:
            namespace = _namespace(place, loaded.settings.dialect.namespaces, found)
            found[namespace.name] = namespace
        except _Problem as problem:
            problems.append(_told(loaded, ("socketio", "import"), problem))
    if problems:
        raise SettingsError("\n".join(problems))
    return found


def check_agents(loaded: Loaded) -> None:
    """Import the agents that the settings name, so that the service of agents finds them imported.

    Raises:
        SettingsError: As `imported_runnables`.
    """
    wanted = {name: agent for name, agent in loaded.settings.agent.items() if agent.import_ is not None}
    if not wanted:
        return
    from antiphon.services.agents.offers import from_settings  # it needs the extra

    _look_in(loaded.file.parent if loaded.file else Path.cwd())
    problems = []
    for name, agent in wanted.items():
        try:
            from_settings(name, agent)
        except SettingsError as error:
            origin = loaded.origin(("agent", name, "import"))
            problems.append(f"{'' if origin == DEFAULT else f'{origin}: '}{error.message}")
    if problems:
        raise SettingsError("\n".join(problems))


class _Problem(Exception):
    """Why a setting cannot be used, in words."""


def _told(loaded: Loaded, key: Key, problem: _Problem) -> str:
    origin = loaded.origin(key)
    return f"{'' if origin == DEFAULT else f'{origin}: '}{dotted(key)}: {problem}"


def _namespace(place: str, dialects: Container[str], others: Container[str]) -> Namespace:
    value = _imported(place)
    if not isinstance(value, Namespace):
        raise _Problem(f"{place} is no antiphon.Namespace but a {type(value).__name__}")
    if value.name in dialects:
        raise _Problem(
            f"{place}: the namespace {value.name!r} belongs to dialect.bettafish: turn it off, or use another"
        )
    if value.name in others:
        raise _Problem(f"{place}: there is a namespace {value.name!r} already")
    return value


def _runnable(name: str, place: str) -> Runnable:
    try:
        runnable = Runnable(name, _imported(place))
        runnable.check()
    except TypeError as exc:
        raise _Problem(str(exc)) from exc
    return runnable


def _imported(place: str) -> Any:
    module, _, path = place.partition(":")
    value: Any
    try:
        value = importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (module == exc.name or module.startswith(f"{exc.name}.")):
            raise _Problem(f"there is no module {exc.name!r} in {sys.path[0]} or on Python's path") from None
        raise _Problem(f"{module} cannot be imported: {exc}") from exc
    except Exception as exc:  # whatever a module of the user's does while it is imported
        raise _Problem(f"{module} cannot be imported: {type(exc).__name__}: {exc}") from exc
    for part in _parts(path):
        if not hasattr(value, part):
            raise _Problem(f"{module} has no {path!r}")
        value = getattr(value, part)
    return value


def _parts(path: str) -> Iterator[str]:
    yield from path.split(".")


def _look_in(directory: Path) -> None:
    text = str(directory.absolute())
    if text not in sys.path:
        sys.path.insert(0, text)
