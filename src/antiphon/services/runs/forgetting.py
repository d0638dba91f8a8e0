"""Ended runs are kept in a bounded number; older ones go with all that they said."""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

from antiphon.errors import AntiphonError
from antiphon.hub import Hub
from antiphon.messages import Cursor
from antiphon.services.runs.ledger import Change, Ledger
from antiphon.services.runs.recovery import orphans
from antiphon.services.runs.states import Phase
from antiphon.services.runs.values import run_channel

_log = structlog.get_logger(__name__)


class Forgetting:
    """Removes rows at once, and empties their channels one after the other."""

    def __init__(self, hub: Hub, ledger: Ledger, keep: int) -> None:
        self._hub = hub
        self._ledger = ledger
        self._keep = keep
        self._channels: deque[str] = deque()
        self._wake = asyncio.Event()
        self._going: set[str] = set()

    def look(self) -> None:
        """Forget the oldest of those that have ended, beyond the number."""
        ended = [
            record
            for record in self._ledger.records.values()
            if record.phase is Phase.ENDED and record.run_id not in self._going
        ]
        excess = len(ended) - self._keep
        if excess > 0:
            ended.sort(key=lambda record: record.ended_at)
            self._forget([record.run_id for record in ended[:excess]])

    def _forget(self, gone: list[str]) -> None:
        self._going.update(gone)

        def told(answer: list[Cursor] | AntiphonError) -> None:
            self._going.difference_update(gone)
            if isinstance(answer, AntiphonError):
                _log.warning("old runs not forgotten yet", error=str(answer))
                return
            self._channels += [run_channel(run_id) for run_id in gone]
            self._wake.set()

        try:
            self._ledger.store(Change(removed=gone), told)
        except AntiphonError as error:  # the hub is closing
            told(error)

    async def run(self) -> None:
        """Empty channels until cancelled, also those that an earlier server left."""
        try:
            self._channels += await orphans(self._hub, self._ledger)
        except AntiphonError as error:
            _log.warning("channels of forgotten runs not looked for", error=str(error))
        while True:
            while self._channels:
                await self._clear(self._channels.popleft())
            self._wake.clear()
            await self._wake.wait()

    async def _clear(self, channel: str) -> None:
        if channel.removeprefix("run:") in self._ledger.records:
            return  # somebody has begun a new one under the old id
        try:
            await self._hub.clear(channel)
        except AntiphonError as error:
            _log.warning("channel of a forgotten run not emptied", channel=channel, error=str(error))
