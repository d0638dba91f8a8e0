"""A store that lives as long as the process: for tests, for volatile channels, for trying things out."""

from __future__ import annotations

import asyncio
import secrets
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

from antiphon.brokers import matching
from antiphon.brokers.base import (
    FOLDED,
    Batch,
    Bounds,
    Receipt,
    ReceiptKey,
    Search,
    SearchSlice,
    Snapshot,
)
from antiphon.brokers.memory_log import MemoryLog, Volatile
from antiphon.messages import Event, now_ms

SEARCH_CHUNK = 5000


class MemoryBroker:
    """Keeps everything in lists; its epoch is as old as the object.

    Args:
        rules: What a channel keeps beyond retention, by name; None = everything.
    """

    def __init__(self, rules: Callable[[str], Volatile | None] = lambda _: None) -> None:
        self.epoch = secrets.token_hex(8)
        self._rules = rules
        self._logs: dict[str, MemoryLog] = {}
        self._receipts: dict[ReceiptKey, tuple[Receipt, int]] = {}
        self._checkpoints: dict[str, str] = {}

    def epoch_of(self, channel: str) -> str:  # noqa: ARG002 - all share one
        return self.epoch

    def is_volatile(self, channel: str) -> bool:
        return self._rules(channel) is not None

    def _log(self, channel: str) -> MemoryLog:
        return self._logs.get(channel) or MemoryLog()  # reading creates nothing

    async def bounds(self, channel: str) -> Bounds:
        return self._log(channel).bounds

    async def append(self, batch: Batch) -> None:
        for event in batch.events:
            log = self._logs.get(event.channel)
            if log is None:
                log = self._logs[event.channel] = MemoryLog(self._rules(event.channel))
            log.append(event)
        for channel, snapshot in batch.snapshots.items():
            self._logs[channel].keep(snapshot)
        now = now_ms()
        self._receipts.update({key: (receipt, now) for key, receipt in batch.receipts.items()})
        self._checkpoints.update(batch.checkpoints)

    async def read(self, channel: str, *, after: int, upto: int, max_events: int, max_bytes: int) -> list[Event]:
        found = self._log(channel).between(after + 1, upto, max_events)
        return found[: within(found, max_bytes)]

    async def read_back(self, channel: str, *, before: int, max_events: int, max_bytes: int) -> list[Event]:
        found = self._log(channel).before(before, max_events)[::-1]
        return found[: within(found, max_bytes)][::-1]

    async def last_of(self, channel: str, kind: str, *, after: int) -> int:
        log = self._log(channel)
        found = (event.offset for event in reversed(log.between(after + 1, log.head)) if event.type == kind)
        return next(found, 0)

    async def folded(self, channel: str, *, after: int) -> list[Event]:
        log = self._log(channel)
        return [event for event in log.between(after + 1, log.head) if event.type in FOLDED]

    async def search(self, query: Search) -> SearchSlice:
        log = self._log(query.channel)
        before = min(query.before, log.head + 1)
        first = max(log.oldest, before - SEARCH_CHUNK)
        hits: list[Event] = []
        count = 0
        for event in reversed(log.between(first, before - 1)):
            if not matching.contains(event, query.text, ignore_case=query.ignore_case):
                continue
            count += 1
            if query.limit:
                hits.append(event)
            if query.limit and count == query.limit:
                return SearchSlice(hits, count, event.offset, event.offset <= log.oldest)
        await asyncio.sleep(0)
        scanned_to = max(1, min(first, before))
        return SearchSlice(hits, count, scanned_to, scanned_to <= log.oldest)

    async def snapshot(self, channel: str, *, upto: int | None = None) -> Snapshot | None:
        fitting = [s for s in self._log(channel).snapshots if upto is None or s.offset <= upto]
        return fitting[-1] if fitting else None

    async def receipts(self, keys: Sequence[ReceiptKey]) -> Mapping[ReceiptKey, Receipt]:
        return {key: self._receipts[key][0] for key in keys if key in self._receipts}

    async def checkpoint(self, name: str) -> str | None:
        return self._checkpoints.get(name)

    async def channels(self, prefix: str) -> list[tuple[str, Bounds]]:
        names = sorted(name for name, log in self._logs.items() if name.startswith(prefix) and log.head)
        return [(name, await self.bounds(name)) for name in names]

    async def newer(self, channel: str, *, than_ms: int) -> int:
        log = self._log(channel)
        return log.offset_at(bisect_left(log.events, than_ms, key=lambda event: event.time_ms))

    async def fitting(self, channel: str, *, max_bytes: int) -> int:
        log = self._log(channel)
        return log.offset_at(len(log.events) - within(log.events[::-1], max_bytes))

    async def cut(self, channel: str, *, oldest: int) -> None:
        self._log(channel).cut(oldest)

    async def purge(self, channel: str) -> bool:  # noqa: ARG002 - `cut` has done it
        return False

    async def forget_receipts(self, *, before_ms: int) -> None:
        self._receipts = {key: value for key, value in self._receipts.items() if value[1] >= before_ms}

    async def maintain(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing to release."""


def within(events: Sequence[Event], max_bytes: int) -> int:
    """How many leading events fit into `max_bytes` of payload; at least one if there is any."""
    total = 0
    for count, event in enumerate(events):
        total += len(event.payload)
        if total > max_bytes and count:
            return count
    return len(events)
