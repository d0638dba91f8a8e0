"""Who is connected and how many messages were sent: `/ws/statistics`."""

from __future__ import annotations

import time
import uuid
from typing import Any

from antiphon.dialects.base import Line


class Counted:
    """One connection, as it is counted."""

    __slots__ = ("_line", "connected_at", "id")

    def __init__(self, line: Line) -> None:
        self.id = str(uuid.uuid4())
        self.connected_at = time.time()
        self._line = line

    @property
    def messages(self) -> int:
        """That were sent to it."""
        return self._line.sent

    def row(self, now: float) -> dict[str, Any]:
        return {
            "id": self.id,
            "connected_at": self.connected_at,
            "message_count": self.messages,
            "uptime": max(0.0, now - self.connected_at),
        }


class Statistics:
    """The connections of one server since it began."""

    def __init__(self) -> None:
        self._open: dict[str, Counted] = {}
        self._total_connections = 0
        self._gone_messages = 0  # of those that have left

    def enter(self, counted: Counted) -> None:
        self._open[counted.id] = counted
        self._total_connections += 1

    def leave(self, counted: Counted) -> None:
        if self._open.pop(counted.id, None) is not None:
            self._gone_messages += counted.messages

    def report(self) -> dict[str, Any]:
        """As the protocol shows it; times are Unix seconds."""
        now = time.time()
        return {
            "active_connections": len(self._open),
            "total_connections": self._total_connections,
            "total_messages": self._gone_messages + sum(counted.messages for counted in self._open.values()),
            "connections": [counted.row(now) for counted in self._open.values()],
        }
