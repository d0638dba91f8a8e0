"""Channels, cursors, state and the flush clock: plain code that knows no sockets."""

from antiphon.hub.fold import Message, State, Summary
from antiphon.hub.hub import History, Hub, Start, Subscribed
from antiphon.hub.outlet import Codec, Encoded, Gap, Outlet, Phase, Sink, Subscription
from antiphon.hub.retention import Keep
from antiphon.hub.turn import Answer

__all__ = [
    "Answer",
    "Codec",
    "Encoded",
    "Gap",
    "History",
    "Hub",
    "Keep",
    "Message",
    "Outlet",
    "Phase",
    "Sink",
    "Start",
    "State",
    "Subscribed",
    "Subscription",
    "Summary",
]
