"""A canary: every few seconds one event takes the whole way through writer, store and flush clock.

A server can look alive and yet be deaf: its loop answers HTTP while nothing that is published arrives. The canary
notices, and says where its event stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from enum import Enum
from typing import Any

import structlog

from antiphon.errors import AntiphonError
from antiphon.hub import Encoded, Gap, Hub, Outlet
from antiphon.messages import Cursor, Event, NewEvent

CHANNEL = "antiphon:canary"
KEPT_EVENTS = 100
INTERVAL_S = 2.0
PATIENCE_S = 2.5  # together with the interval: noticed within 5 s

log = structlog.get_logger(__name__)


class Stage(Enum):
    """Where an event can stop."""

    WRITER = "writer"  # it was not taken from the queue
    STORE = "store"  # its commit does not end, or is refused
    FLUSH = "flush clock"  # it is stored, but sent to nobody


class Canary:
    """Publishes and listens. Use `run` as a task.

    Args:
        interval_s: Between two events.
        patience_s: After which an event that has not arrived is a problem.
    """

    def __init__(self, hub: Hub, *, interval_s: float = INTERVAL_S, patience_s: float = PATIENCE_S) -> None:
        self.problem: Stage | None = None
        self.changed = asyncio.Event()  # set whenever `problem` changes
        self.round_trip_s = 0.0  # of the last event that arrived
        self._hub = hub
        self._interval_s = interval_s
        self._patience_s = patience_s
        self._arrived = asyncio.Event()
        self._heard = 0

    async def run(self) -> None:
        """Sing until cancelled."""
        self._hub.claim("antiphon:")
        outlet = Outlet(_Ear(), self)
        try:
            subscription, _ = await self._hub.subscribe(outlet, CHANNEL)
            self._hub.begin(subscription)
            while True:
                self._tell(await self._sing())
                await asyncio.sleep(self._interval_s)
        finally:
            outlet.close()

    async def _sing(self) -> Stage | None:
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        deadline = loop.time() + self._patience_s
        answer = self._hub.submit(NewEvent(CHANNEL, "beat", b"null"))
        try:
            async with asyncio.timeout_at(deadline):
                cursor = (await asyncio.shield(answer))[0]
        except TimeoutError:
            return Stage.STORE if self._hub.is_storing else Stage.WRITER
        except AntiphonError:
            return Stage.STORE
        try:
            async with asyncio.timeout_at(deadline):
                await self._hears(cursor)
        except TimeoutError:
            return Stage.FLUSH
        self.round_trip_s = time.monotonic() - started
        return None

    async def _hears(self, cursor: Cursor) -> None:
        while self._heard < cursor.offset:
            self._arrived.clear()
            await self._arrived.wait()

    def _tell(self, problem: Stage | None) -> None:
        if problem is self.problem:
            return
        self.problem = problem
        self.changed.set()
        if problem is None:
            log.info("events arrive again")
        else:
            log.error("events do not arrive", stuck=problem.value, waited_s=self._patience_s)

    # its ear: the sink of its subscription

    @property
    def queued_bytes(self) -> int:
        return 0

    def send(self, parts: Sequence[Any]) -> None:
        self._heard = max([self._heard, *parts])
        self._arrived.set()


class _Ear:
    """A codec whose bytes are offsets."""

    is_shared = False

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002
        return Encoded((events[-1].offset,), 0)

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002
        return Encoded((offset,), 0)

    def gap(self, gap: Gap) -> Encoded:
        return Encoded((gap.last,), 0)
