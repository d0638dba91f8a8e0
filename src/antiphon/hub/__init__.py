"""Channels, cursors, state and the flush clock: plain code that knows no sockets."""

from antiphon.hub.hub import History, Hub, Start, Subscribed
from antiphon.hub.outlet import Codec, Encoded, Gap, Outlet, Phase, Sink, Subscription
from antiphon.hub.retention import Keep
from antiphon.hub.state import State

__all__ = [
    "Codec",
    "Encoded",
    "Gap",
    "History",
    "Hub",
    "Keep",
    "Outlet",
    "Phase",
    "Sink",
    "Start",
    "State",
    "Subscribed",
    "Subscription",
]
