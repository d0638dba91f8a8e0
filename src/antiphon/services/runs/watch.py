"""Moments that come by themselves: a lease expires, a cancelled run takes too long, a connection stays away."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Final

import structlog

from antiphon.services.runs.cancelling import Cancels
from antiphon.services.runs.clock import Clock
from antiphon.services.runs.ending import Endings
from antiphon.services.runs.ledger import Ledger
from antiphon.services.runs.outcome import Outcome
from antiphon.services.runs.record import Cancelled, Record
from antiphon.services.runs.states import Phase

REATTACH_S: Final = 5.0  # so long a connection may stay away before `on_disconnect` counts
_log = structlog.get_logger(__name__)


class Watch:
    """Does what is due, and sleeps until something is."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.lost = 0  # how many runs gave no sign in time
        self._ledger = ledger
        self._clock = clock
        self._next = math.inf  # until when it sleeps
        self._changed = asyncio.Event()

    def changed(self, record: Record) -> None:
        """A moment may have come nearer."""
        due = record.due()
        if due is not None and due < self._next:
            self._next = due
            self._changed.set()

    def renew(self, record: Record) -> None:
        """Its owner has given a sign."""
        if record.kind == "remote":
            record.expires_at = self._clock.monotonic() + record.lease_s
            self.changed(record)

    def disconnected(self, connection: str) -> None:
        """Whoever said that a run is to be cancelled with its connection has some seconds to come back."""
        for record in self._ledger.speaking():
            if record.connection == connection and record.on_disconnect == "cancel":
                record.leaves_at = self._clock.monotonic() + REATTACH_S
                self.changed(record)

    async def run(self, endings: Endings, cancels: Cancels) -> None:
        """Watch until cancelled."""
        while True:
            self._changed.clear()
            for record in self._ledger.speaking():
                if (due := record.due()) is not None and due <= self._clock.monotonic():
                    self._act(record, endings, cancels)
            moments = [due for record in self._ledger.speaking() if (due := record.due()) is not None]
            self._next = min(moments, default=math.inf)
            await self._sleep()

    def _act(self, record: Record, endings: Endings, cancels: Cancels) -> None:
        now = self._clock.monotonic()
        if record.phase is Phase.ENDING:
            endings.go_on(record)
        elif _is_past(record.cut_off_at, now):
            _log.info("cancelled run cut off", run_id=record.run_id)
            endings.end(record, Outcome("cancelled"))
        elif _is_past(record.expires_at, now):
            _log.info("run lost", run_id=record.run_id)
            self.lost += 1
            endings.end(record, Outcome("lost", reason=f"its owner gave no sign for {record.lease_s:g} s"))
        elif _is_past(record.leaves_at, now):
            cancels.begin(self._ledger.below(record), Cancelled("the connection that began it has ended", None))
        elif record.phase is Phase.CANCELLING and not record.is_told:
            cancels.tell(record)

    async def _sleep(self) -> None:
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(self._changed.wait(), name="runs changed")]
        if self._next < math.inf:
            tasks.append(asyncio.create_task(self._until(self._next), name="runs due"))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _until(self, moment: float) -> None:
        await self._clock.sleep(moment - self._clock.monotonic())


def _is_past(moment: float | None, now: float) -> bool:
    return moment is not None and moment <= now
