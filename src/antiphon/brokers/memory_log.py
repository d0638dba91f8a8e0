"""One channel's events in memory, ascending; with `latest_by` only the newest of each key."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import orjson

from antiphon.brokers.base import KEPT_SNAPSHOTS, Bounds, Snapshot
from antiphon.messages import Event


@dataclass(frozen=True, slots=True)
class Volatile:
    """How a family of channels lives in memory only.

    Args:
        max_events: Kept per channel; the oldest go first.
        latest_by: JSON Pointer into the data: of events with the same value there only the newest is kept, so that who
            is slow gets what is true now instead of all that was. None = all are kept.
    """

    max_events: int = 1000
    latest_by: str | None = None


class MemoryLog:
    """Events by offset; what `rules` does not keep leaves holes."""

    __slots__ = ("_newest", "_rules", "events", "head", "oldest", "snapshots")

    def __init__(self, rules: Volatile | None = None) -> None:
        self.events: list[Event] = []
        self.head = 0
        self.oldest = 1
        self.snapshots: list[Snapshot] = []
        self._rules = rules
        self._newest: dict[Any, int] = {}  # offset by key

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.oldest, self.head)

    def append(self, event: Event) -> None:
        self.events.append(event)
        self.head = event.offset
        if self._rules is not None:
            self._forget_older(event, self._rules)

    def _forget_older(self, event: Event, rules: Volatile) -> None:
        if rules.latest_by is not None:
            key = _at(event.data, rules.latest_by)
            older = self._newest.get(key)
            if older is not None:
                del self.events[self.index(older)]
            self._newest[key] = event.offset
        if len(self.events) > rules.max_events:
            gone = self.events.pop(0)
            if rules.latest_by is not None:
                del self._newest[_at(gone.data, rules.latest_by)]
        self.oldest = self.events[0].offset

    def index(self, offset: int) -> int:
        """Where the first event at or behind `offset` stands."""
        return bisect_left(self.events, offset, key=_offset)

    def between(self, first: int, last: int, limit: int | None = None) -> list[Event]:
        """The first `limit` events with `first <= offset <= last`."""
        start, end = self.index(first), self.index(last + 1)
        return self.events[start : end if limit is None else min(end, start + limit)]

    def before(self, offset: int, limit: int) -> list[Event]:
        """The last `limit` events before `offset`."""
        end = self.index(offset)
        return self.events[max(0, end - limit) : end]

    def offset_at(self, index: int) -> int:
        return self.events[index].offset if index < len(self.events) else self.head + 1

    def cut(self, oldest: int) -> None:
        del self.events[: self.index(oldest)]
        self.oldest = oldest
        self.snapshots = [snapshot for snapshot in self.snapshots if snapshot.offset >= oldest - 1]

    def keep(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)
        if len(self.snapshots) > KEPT_SNAPSHOTS:
            del self.snapshots[1:-2:2]


def _offset(event: Event) -> int:
    return event.offset


def _at(data: Any, pointer: str) -> bytes:
    """The value at a pointer, as something that can be compared; that of nothing where there is nothing."""
    for token in pointer.split("/")[1:]:
        data = data.get(token.replace("~1", "/").replace("~0", "~")) if isinstance(data, dict) else None
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
