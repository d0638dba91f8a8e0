"""A store that lives as long as the process: for tests, for volatile channels, for trying things out."""

from __future__ import annotations

import asyncio
import secrets
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence

from antiphon.brokers import matching
from antiphon.brokers.base import KEPT_SNAPSHOTS, Batch, Bounds, Receipt, ReceiptKey, Search, SearchSlice, Snapshot
from antiphon.messages import Event, now_ms

SEARCH_CHUNK = 5000


class _Log:
    """One channel: `events[0]` has offset `oldest`."""

    __slots__ = ("events", "oldest", "snapshots")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.oldest = 1
        self.snapshots: list[Snapshot] = []

    @property
    def head(self) -> int:
        return self.oldest + len(self.events) - 1

    def slice(self, first: int, last: int) -> list[Event]:
        """Events with `first <= offset <= last`."""
        return self.events[max(0, first - self.oldest) : max(0, last - self.oldest + 1)]


class MemoryBroker:
    """Keeps everything in lists; its epoch is as old as the object."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self._logs: defaultdict[str, _Log] = defaultdict(_Log)
        self._receipts: dict[ReceiptKey, tuple[Receipt, int]] = {}
        self._checkpoints: dict[str, str] = {}

    def _log(self, channel: str) -> _Log:
        return self._logs[channel] if channel in self._logs else _Log()  # reading creates nothing

    async def bounds(self, channel: str) -> Bounds:
        log = self._log(channel)
        return Bounds(log.oldest, log.head)

    async def append(self, batch: Batch) -> None:
        for event in batch.events:
            self._logs[event.channel].events.append(event)
        for channel, snapshot in batch.snapshots.items():
            kept = self._logs[channel].snapshots
            kept.append(snapshot)
            if len(kept) > KEPT_SNAPSHOTS:
                del kept[1:-2:2]
        now = now_ms()
        self._receipts.update({key: (receipt, now) for key, receipt in batch.receipts.items()})
        self._checkpoints.update(batch.checkpoints)

    async def read(self, channel: str, *, after: int, upto: int, max_events: int, max_bytes: int) -> list[Event]:
        found = self._log(channel).slice(after + 1, min(upto, after + max_events))
        return found[: within(found, max_bytes)]

    async def read_back(self, channel: str, *, before: int, max_events: int, max_bytes: int) -> list[Event]:
        log = self._log(channel)
        before = min(before, log.head + 1)
        found = log.slice(before - max_events, before - 1)[::-1]
        return found[: within(found, max_bytes)][::-1]

    async def patches(self, channel: str, *, after: int) -> list[Event]:
        log = self._log(channel)
        return [event for event in log.slice(after + 1, log.head) if event.type == "state.patch"]

    async def search(self, query: Search) -> SearchSlice:
        log = self._log(query.channel)
        before = min(query.before, log.head + 1)
        first = max(log.oldest, before - SEARCH_CHUNK)
        hits: list[Event] = []
        count = 0
        for event in reversed(log.slice(first, before - 1)):
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
        return log.oldest + bisect_left(log.events, than_ms, key=lambda event: event.time_ms)

    async def fitting(self, channel: str, *, max_bytes: int) -> int:
        log = self._log(channel)
        return log.head + 1 - within(log.events[::-1], max_bytes)

    async def cut(self, channel: str, *, oldest: int) -> None:
        log = self._log(channel)
        del log.events[: oldest - log.oldest]
        log.oldest = oldest
        log.snapshots = [snapshot for snapshot in log.snapshots if snapshot.offset >= oldest - 1]

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
