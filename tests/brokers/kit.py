"""Making events and batches, and reading logs whole."""

from __future__ import annotations

from typing import Any

import orjson

from antiphon.brokers.base import Batch, Broker, Search
from antiphon.messages import MAX_OFFSET, Event

UNLIMITED = 1 << 40


def event(channel: str, offset: int, data: Any = None, **changes: Any) -> Event:
    payload = orjson.dumps({"n": offset} if data is None else data)
    return Event(channel, offset, "note", payload, 1_700_000_000_000 + offset, None)._replace(**changes)


def events(channel: str, first: int, last: int) -> list[Event]:
    return [event(channel, offset) for offset in range(first, last + 1)]


def line(channel: str, offset: int, text: str) -> Event:
    return event(channel, offset, {"text": text, "stream": "stdout"}, type="line")


async def fill(broker: Broker, channel: str, first: int, last: int) -> list[Event]:
    made = events(channel, first, last)
    await broker.append(Batch(events=made))
    return made


async def whole(broker: Broker, channel: str) -> list[Event]:
    return await broker.read(channel, after=0, upto=MAX_OFFSET, max_events=UNLIMITED, max_bytes=UNLIMITED)


async def offsets_found(broker: Broker, channel: str, text: str, **changes: Any) -> list[int]:
    """All hits of a search, slice by slice, newest first; checks what each slice promises."""
    query = Search(channel, text, before=MAX_OFFSET, limit=50, ignore_case=False)._replace(**changes)
    found: list[int] = []
    while True:
        part = await broker.search(query)
        offsets = [hit.offset for hit in part.hits]
        assert part.count == len(offsets) <= query.limit
        assert all(part.scanned_to <= offset < query.before for offset in offsets)
        found += offsets
        if part.complete:
            return found
        assert part.scanned_to < query.before, "a slice makes progress"
        query = query._replace(before=part.scanned_to)


async def count_found(broker: Broker, channel: str, text: str, **changes: Any) -> int:
    """The count of a search, slice by slice, without hits."""
    query = Search(channel, text, before=MAX_OFFSET, limit=0, ignore_case=False)._replace(**changes)
    total = 0
    while True:
        part = await broker.search(query)
        assert part.hits == []
        total += part.count
        if part.complete:
            return total
        assert part.scanned_to < query.before, "a slice makes progress"
        query = query._replace(before=part.scanned_to)
