"""Settings that need a package which a plain install does not bring."""

from __future__ import annotations

from importlib.util import find_spec

from antiphon.errors import SettingsError
from antiphon.server.settings.loaded import Loaded
from antiphon.server.settings.origins import Key, dotted

AGENTS, MCP = "agents", "mcp"
_PACKAGES = {AGENTS: "pydantic_ai", MCP: "mcp"}
_TABLES = {"agent": AGENTS, "model": AGENTS, "mcp": MCP}


def is_installed(extra: str) -> bool:
    """Whether `antiphon[EXTRA]` was installed."""
    return find_spec(_PACKAGES[extra]) is not None


def check_extras(loaded: Loaded) -> None:
    """Raise SettingsError, a line for each table that needs an extra which is missing."""
    problems = [
        f"{_where(loaded, (table, name))}{dotted((table, name))}: needs an extra: pip install 'antiphon[{extra}]'"
        for table, extra in _TABLES.items()
        if not is_installed(extra)
        for name in getattr(loaded.settings, table)
    ]
    if problems:
        raise SettingsError("\n".join(problems))


def _where(loaded: Loaded, table: Key) -> str:
    """The first place in which something of the table was set."""
    origin = next((origin for key, origin in loaded.origins.items() if key[: len(table)] == table), None)
    return "" if origin is None else f"{origin}: "
