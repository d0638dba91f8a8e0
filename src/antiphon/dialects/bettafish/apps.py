"""The four apps of the protocol, and how each is doing in its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from antiphon.dialects.base import Row
from antiphon.messages import Event

ENGINES: Final = ("insight", "media", "query")
FORUM: Final = "forum"
APPS: Final = (*ENGINES, FORUM)
PORTS: Final[Mapping[str, int]] = {"insight": 8501, "media": 8502, "query": 8503}
"""Where the pages look for an app that is running."""

RUNNING, STARTING, STOPPED = "running", "starting", "stopped"
_WORDS = {"running": RUNNING, "starting": STARTING, "unhealthy": STARTING}  # alive, but it does not answer
_SHOWN = ("", "/status", "/port")  # parts of a row that the protocol tells of


def channel_of(app: str) -> str:
    """Where an app's console lines are."""
    return f"log:{app}"


def status_of(row: Row | None) -> str:
    """One of the protocol's three words."""
    return STOPPED if row is None else _WORDS.get(row["status"], STOPPED)


def statuses(rows: Mapping[str, Row], *, has_forum: bool) -> dict[str, dict[str, Any]]:
    """What `status_update` says.

    Args:
        rows: Of the process table; an app that is not there is stopped.
        has_forum: Whether somebody listens to what the engines say.
    """
    found: dict[str, dict[str, Any]] = {}
    for app in ENGINES:
        row = rows.get(app)
        port = row["port"] if row is not None and row["port"] is not None else PORTS[app]
        found[app] = {"status": status_of(row), "port": port}
    found[FORUM] = {"status": RUNNING if has_forum else STOPPED, "port": None}
    return found


def changes_status(event: Event) -> bool:
    """Whether an event of the process table changes what `status_update` says; CPU and memory do not."""
    if event.type != "state.patch":
        return False
    return any(_is_shown(op["path"].split("/")) for op in event.data["ops"])


def _is_shown(path: Sequence[str]) -> bool:
    if len(path) < 2:
        return True  # the whole table
    return path[1] in APPS and "".join(f"/{part}" for part in path[2:]) in _SHOWN
