"""Antiphon: the real-time backbone and control room for AI agent systems."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.client import AsyncLive, CaughtUp, Event, Gap, Item, Live, Subscription, connect
    from antiphon.errors import AntiphonError
    from antiphon.messages import Cursor
    from antiphon.server.embed import Antiphon

__version__ = "0.1.0"

# Loaded at first use, so that `import antiphon` costs nothing and a client never loads the server.
_homes = {
    "Antiphon": "antiphon.server.embed",
    "AntiphonError": "antiphon.errors",
    "AsyncLive": "antiphon.client",
    "CaughtUp": "antiphon.client",
    "Cursor": "antiphon.messages",
    "Event": "antiphon.client",
    "Gap": "antiphon.client",
    "Item": "antiphon.client",
    "Live": "antiphon.client",
    "Subscription": "antiphon.client",
    "connect": "antiphon.client",
}

__all__ = [
    "Antiphon",
    "AntiphonError",
    "AsyncLive",
    "CaughtUp",
    "Cursor",
    "Event",
    "Gap",
    "Item",
    "Live",
    "Subscription",
    "connect",
]


def __getattr__(name: str) -> Any:
    home = _homes.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
