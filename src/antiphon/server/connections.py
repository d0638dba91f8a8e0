"""Who is connected over what, and why the last ones left."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from antiphon.errors import TooManyConnections
from antiphon.hub import Outlet, Phase
from antiphon.messages import encode_time, now_ms
from antiphon.server.access import User
from antiphon.transports.base import Ending

REMEMBERED = 100
MAX_REASONS = 30  # some are words of the peer's own
MAX_USER_AGENT = 200


@dataclass(frozen=True, slots=True)
class Peer:
    """What is known of a client when it connects."""

    user: User
    transport: str  # websocket, sse
    path: str
    address: str | None
    user_agent: str | None


class Carried(Protocol):
    """What is counted of a connection."""

    @property
    def queued_bytes(self) -> int: ...

    @property
    def sent_bytes(self) -> int: ...

    @property
    def received_bytes(self) -> int: ...


class Connection:
    """One open connection."""

    __slots__ = ("connected_ms", "goodbye", "id", "outlet", "peer", "socket")

    def __init__(self, peer: Peer, outlet: Outlet, socket: Carried, goodbye: Callable[[str, float], None]) -> None:
        self.id = f"c-{secrets.token_hex(6)}"
        self.peer = peer
        self.outlet = outlet
        self.socket = socket
        self.goodbye = goodbye
        self.connected_ms = now_ms()

    def row(self) -> dict[str, Any]:
        """As in docs/protocol.md, "Connections"."""
        return {
            **self._facts(),
            "subscriptions": [
                {
                    "channel": subscription.channel.name,
                    "phase": "live" if subscription.phase is Phase.LIVE else "pulling",
                    "lag": subscription.channel.head - subscription.cursor,
                }
                for subscription in self.outlet.subscriptions.values()
            ],
            "queued_bytes": self.socket.queued_bytes,
        }

    def last_row(self, ending: Ending) -> dict[str, Any]:
        return {
            **self._facts(),
            "disconnected_at": encode_time(now_ms()),
            "reason": ending.reason,
            "code": ending.code,
        }

    def _facts(self) -> dict[str, Any]:
        return {
            "connection_id": self.id,
            "user": self.peer.user.name,
            "transport": self.peer.transport,
            "path": self.peer.path,
            "address": self.peer.address,
            "connected_at": encode_time(self.connected_ms),
            "sent_bytes": self.socket.sent_bytes,
            "received_bytes": self.socket.received_bytes,
            "user_agent": self.peer.user_agent,
        }


class Connections:
    """The table of connections. Raises TooManyConnections beyond its limit.

    Args:
        limit: How many at a time.
        gone: Told the id of each that has ended.
    """

    def __init__(self, limit: int, gone: Callable[[str], object] = lambda _: None) -> None:
        self._limit = limit
        self._gone = gone
        self._expiries: dict[str, asyncio.TimerHandle] = {}  # of those whose credentials end
        self._open: dict[str, Connection] = {}
        self._recent: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._empty = asyncio.Event()
        self.total = 0
        self.sent_bytes = 0  # of those that have ended
        self.received_bytes = 0
        self.endings: dict[str, int] = {}  # by reason

    def __len__(self) -> int:
        return len(self._open)

    def check_room(self) -> None:
        if len(self._open) >= self._limit:
            raise TooManyConnections(f"this server serves {self._limit} connections at a time: try again later")

    def add(self, connection: Connection) -> None:
        self.total += 1
        self._open[connection.id] = connection
        expires_at = connection.peer.user.expires_at
        if expires_at is not None:
            left_s = max(0.0, expires_at - time.time())
            loop = asyncio.get_running_loop()
            self._expiries[connection.id] = loop.call_later(left_s, connection.goodbye, "token ended", 0.0)

    def remove(self, connection: Connection, ending: Ending) -> None:
        self._open.pop(connection.id, None)
        if timer := self._expiries.pop(connection.id, None):
            timer.cancel()
        if not self._open:
            self._empty.set()
        connection.outlet.close()
        self.sent_bytes += connection.socket.sent_bytes
        self.received_bytes += connection.socket.received_bytes
        self._count(ending.reason)
        self._recent.appendleft(connection.last_row(ending))
        self._gone(connection.id)

    def _count(self, reason: str) -> None:
        if reason not in self.endings and len(self.endings) >= MAX_REASONS:
            reason = "other"
        self.endings[reason] = self.endings.get(reason, 0) + 1

    def open_ones(self) -> list[Connection]:
        return list(self._open.values())

    def rows(self) -> dict[str, Any]:
        return {"connections": [connection.row() for connection in self._open.values()], "recent": list(self._recent)}

    def goodbye(self, reason: str) -> None:
        """Ask all to leave and to come back, not all at once: some thousand a second."""
        spread_ms = max(1800, len(self._open))
        for connection in list(self._open.values()):
            connection.goodbye(reason, round(0.2 + secrets.randbelow(spread_ms) / 1000, 2))

    async def leave(self, reason: str, *, within_s: float) -> None:
        """Say goodbye and wait until all have gone, at most `within_s` seconds."""
        self.goodbye(reason)
        self._empty.set() if not self._open else self._empty.clear()
        try:
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        except TimeoutError:
            pass  # the slow ones are cut
