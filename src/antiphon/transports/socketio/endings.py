"""Why sessions end: the WebSocket's close code, and what Socket.IO calls it when it tells applications."""

from __future__ import annotations

from typing import Final

from antiphon.transports.base import POLICY, STOPPING, STOPPING_REASON, TOO_BIG, TRY_LATER
from antiphon.transports.socketio.engine import BadPacket, TooLong

NORMAL: Final = 1000

CLOSED_BY_PEER: Final = "closed by the peer"
LOST: Final = "connection lost"
SILENT: Final = "ping timeout"
SLOW: Final = "slow_consumer"
TWO_REQUESTS: Final = "two requests at once"
NO_NAMESPACE: Final = "no namespace entered"
MISSED: Final = "missed events"
REPLACED: Final = "the client has come back"

CLIENT_LEFT: Final = "client namespace disconnect"
SENT_AWAY: Final = "server namespace disconnect"

_ENDINGS: Final = {
    CLOSED_BY_PEER: (NORMAL, "transport close"),
    LOST: (NORMAL, "transport close"),
    SILENT: (POLICY, "ping timeout"),
    SLOW: (POLICY, "transport error"),
    TWO_REQUESTS: (POLICY, "transport error"),
    BadPacket.reason: (POLICY, "parse error"),
    TooLong.reason: (TOO_BIG, "parse error"),
    NO_NAMESPACE: (POLICY, "forced server close"),
    MISSED: (TRY_LATER, "forced server close"),
    REPLACED: (NORMAL, "forced server close"),
    "token ended": (POLICY, "forced server close"),
    "stopping": (STOPPING, "server shutting down"),
    STOPPING_REASON: (STOPPING, "server shutting down"),
}


def close_code(reason: str) -> int:
    """Of the WebSocket that carries the session."""
    return _ENDINGS[reason][0] if reason in _ENDINGS else NORMAL


def spoken(reason: str) -> str:
    """The reason in Socket.IO's words; those of a transport are "transport close"."""
    if reason in (CLIENT_LEFT, SENT_AWAY):
        return reason
    return _ENDINGS[reason][1] if reason in _ENDINGS else "transport close"


def may_return(reason: str) -> bool:
    """Whether a client that went for this reason may go on where it was: neither side meant it."""
    return reason not in (CLIENT_LEFT, SENT_AWAY, "token ended")
