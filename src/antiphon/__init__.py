"""Antiphon: the real-time backbone and control room for AI agent systems."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.client import (
        Approval,
        AsyncLive,
        BlockingRun,
        CaughtUp,
        Event,
        Gap,
        Item,
        Live,
        Run,
        RunHandler,
        Subscription,
        connect,
        current_run,
    )
    from antiphon.errors import AntiphonError, QuestionWithdrawn, RunCancelled, RunLost
    from antiphon.messages import Cursor
    from antiphon.server.embed import Antiphon
    from antiphon.transports.socketio.namespace import ConnectRefused, Namespace

__version__ = "0.1.0"

# Loaded at first use, so that `import antiphon` costs nothing and a client never loads the server.
_homes = {
    "Antiphon": "antiphon.server.embed",
    "AntiphonError": "antiphon.errors",
    "Approval": "antiphon.client",
    "AsyncLive": "antiphon.client",
    "BlockingRun": "antiphon.client",
    "CaughtUp": "antiphon.client",
    "ConnectRefused": "antiphon.transports.socketio.namespace",
    "Cursor": "antiphon.messages",
    "Event": "antiphon.client",
    "Gap": "antiphon.client",
    "Item": "antiphon.client",
    "Live": "antiphon.client",
    "Namespace": "antiphon.transports.socketio.namespace",
    "QuestionWithdrawn": "antiphon.errors",
    "Run": "antiphon.client",
    "RunCancelled": "antiphon.errors",
    "RunHandler": "antiphon.client",
    "RunLost": "antiphon.errors",
    "Subscription": "antiphon.client",
    "connect": "antiphon.client",
    "current_run": "antiphon.client",
}

__all__ = [
    "Antiphon",
    "AntiphonError",
    "Approval",
    "AsyncLive",
    "BlockingRun",
    "CaughtUp",
    "ConnectRefused",
    "Cursor",
    "Event",
    "Gap",
    "Item",
    "Live",
    "Namespace",
    "QuestionWithdrawn",
    "Run",
    "RunCancelled",
    "RunHandler",
    "RunLost",
    "Subscription",
    "connect",
    "current_run",
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
