"""Whether this server is ready: a real event, published and received over a real socket of our own."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable

import websockets

from antiphon.errors import AntiphonError, NotReady
from antiphon.hub import Hub
from antiphon.messages import NewEvent
from antiphon.server.canary import CHANNEL, Canary

DEADLINE_S = 3.0
FRESH_S = 1.0  # a check this young is the answer to the next one too: asking costs a socket and a commit


class Readiness:
    """Answers `/readyz`.

    Args:
        address: The URL of our own `/live`, with a ticket where one is needed; None = not known (inside another app),
            where the canary's word must do.
    """

    def __init__(self, hub: Hub, canary: Canary, address: Callable[[], str] | None) -> None:
        self._hub = hub
        self._canary = canary
        self._address = address
        self._lock = asyncio.Lock()
        self._checked_at = float("-inf")
        self._outcome: float | NotReady = 0.0

    async def check(self) -> float:
        """Seconds of the round trip. Raises NotReady, naming what is stuck."""
        async with self._lock:
            if time.monotonic() - self._checked_at > FRESH_S:
                self._outcome = await self._measure()
                self._checked_at = time.monotonic()
        if isinstance(self._outcome, NotReady):
            raise self._outcome
        return self._outcome

    async def _measure(self) -> float | NotReady:
        if self._canary.problem is not None:
            return NotReady(f"events do not arrive: the {self._canary.problem.value} is stuck")
        if self._address is None:
            return self._canary.round_trip_s
        started = time.monotonic()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._round_trip(self._address())
        except (TimeoutError, OSError, websockets.WebSocketException, AntiphonError) as exc:
            return NotReady(f"an event did not arrive at a socket of our own: {exc or type(exc).__name__}")
        return time.monotonic() - started

    async def _round_trip(self, url: str) -> None:
        async with websockets.connect(url, proxy=None, compression=None) as socket:
            params = {"channel": CHANNEL}
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": 0, "method": "subscribe", "params": params}))
            await _until(socket, lambda message: message.get("id") == 0)
            cursor = await self._hub.publish(NewEvent(CHANNEL, "ready", b"null"))
            await _until(socket, lambda message: _offset(message) == cursor.offset)


async def _until(socket: websockets.ClientConnection, holds: Callable[[dict[str, object]], bool]) -> None:
    for _ in itertools.count():
        if holds(json.loads(await socket.recv())):
            return


def _offset(message: dict[str, object]) -> object:
    params = message.get("params")
    return params.get("offset") if isinstance(params, dict) and message.get("method") == "event" else None
