"""What no single setting can know: whether they fit together."""

from __future__ import annotations

from antiphon.errors import SettingsError
from antiphon.server.settings.dialects import DialectSettings
from antiphon.server.settings.extras import check_extras
from antiphon.server.settings.loaded import Loaded
from antiphon.server.settings.origins import DEFAULT
from antiphon.services.agents.config import check_models
from antiphon.services.forum.config import check_forum
from antiphon.services.logs.config import check_names
from antiphon.services.processes.config import check_dependencies

_BEYOND = (
    "can be reached from other machines, but nobody would have to log in: "
    "add a user ('antiphon token NAME' prints the lines for antiphon.toml), "
    "or set server.auth = true to let in only the operator's token"
)


def check_together(loaded: Loaded) -> None:
    """Raise SettingsError where settings contradict each other, naming them and the file."""
    _check_reachable(loaded)
    _check_dialects(loaded)
    check_extras(loaded)
    _check_names(loaded)
    try:
        check_dependencies(loaded.settings.process)
        check_names(loaded.settings.log, loaded.settings.process)
        check_forum(loaded.settings.forum, loaded.settings.log, loaded.settings.process)
        check_models(loaded.settings.agent, loaded.settings.model)
    except SettingsError as error:
        lines = (f"{loaded.file}: {line}" for line in str(error).splitlines())
        raise SettingsError("\n".join(lines)) from None


def _check_names(loaded: Loaded) -> None:
    """Agents and runnables are started by the same word."""
    for name in loaded.settings.agent.keys() & loaded.settings.runnable.keys():
        raise SettingsError(
            f"{loaded.origin(('runnable', name, 'import'))}: runnable.{name}: there is an [agent.{name}]"
        )


def _check_reachable(loaded: Loaded) -> None:
    server = loaded.settings.server
    if server.is_loopback or loaded.settings.auth:
        return
    origin = loaded.origin(("server", "host"))
    where = "" if origin == DEFAULT else f"{origin}: "
    raise SettingsError(f"{where}server.host: {server.host!r} {_BEYOND}")


def _check_dialects(loaded: Loaded) -> None:
    """A port of a dialect's own is as reachable as the main one."""
    for name in type(loaded.settings.dialect).model_fields:
        found: DialectSettings = getattr(loaded.settings.dialect, name)
        if not found.is_loopback and not loaded.settings.auth:
            raise _problem(loaded, name, "listen", f"{found.listen!r} {_BEYOND}")
        if found.pages is not None and found.listen is None:
            raise _problem(loaded, name, "pages", f"needs dialect.{name}.listen: the main port has pages of its own")
        if found.pages is not None and not found.pages.is_dir():
            raise _problem(loaded, name, "pages", f"{str(found.pages)!r} is no directory")


def _problem(loaded: Loaded, dialect: str, key: str, why: str) -> SettingsError:
    origin = loaded.origin(("dialect", dialect, key))
    return SettingsError(f"{'' if origin == DEFAULT else f'{origin}: '}dialect.{dialect}.{key}: {why}")
