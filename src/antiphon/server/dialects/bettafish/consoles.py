"""Logs as the pages count them: from the newest start of the program on, read in blocks.

A full block never changes, so it is kept as it was written, within a bound; of the others only the number of lines is
kept. Where a log begins is found once, and then looked for only in what is new.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from antiphon.dialects.bettafish import Block, Render
from antiphon.dialects.bettafish.blocks import EVENTS
from antiphon.hub import Hub
from antiphon.messages import MAX_OFFSET, Event

CACHE_BYTES: Final = 16 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Start:
    """From here on lines are counted."""

    epoch: str
    after: int  # events behind this offset
    counts: dict[int, int] = field(default_factory=dict)  # lines of full blocks, by their number


class Cache:
    """Full blocks, those that were asked for least recently go first."""

    def __init__(self, limit_bytes: int = CACHE_BYTES) -> None:
        self._limit = limit_bytes
        self._blocks: OrderedDict[tuple[Start, int], Block] = OrderedDict()
        self.size = 0

    def get(self, start: Start, number: int) -> Block | None:
        found = self._blocks.get((start, number))
        if found is not None:
            self._blocks.move_to_end((start, number))
        return found

    def put(self, start: Start, number: int, block: Block) -> None:
        if block.size > self._limit // 4 or (start, number) in self._blocks:
            return
        self._blocks[start, number] = block
        self.size += block.size
        while self.size > self._limit:
            self.size -= self._blocks.popitem(last=False)[1].size

    def forget(self, start: Start) -> None:
        """Nobody asks for these any more."""
        for key in [key for key in self._blocks if key[0] is start]:
            self.size -= self._blocks.pop(key).size


class Console:
    """One log.

    Args:
        begins: The type of the event from which on lines are counted.
        render: Writes events as a block.
    """

    def __init__(self, hub: Hub, channel: str, begins: str, render: Render, cache: Cache) -> None:
        self.hub = hub
        self.channel = channel
        self.render = render
        self.cache = cache
        self._begins = begins
        self._start = Start("", 0)
        self._seen = 0  # where the newest start was looked for

    async def look(self) -> ConsoleLook:
        """The log as it is now. Raises StorageError."""
        found = await self.hub.history(self.channel, after=MAX_OFFSET, limit=1)
        if found.epoch != self._start.epoch or found.head < self._seen:
            self._begin(Start(found.epoch, 0))
            self._seen = 0
        if found.head > self._seen:
            offset = await self.hub.last_of(self.channel, self._begins, after=self._seen)
            if offset and offset - 1 != self._start.after:
                self._begin(Start(found.epoch, offset - 1))
            self._seen = max(self._seen, found.head)
        if found.oldest - 1 > self._start.after:  # nothing marks a start, and the oldest are gone
            self._begin(Start(found.epoch, found.oldest - 1))
        return ConsoleLook(self, self._start, max(found.head, self._start.after))

    def _begin(self, start: Start) -> None:
        self.cache.forget(self._start)
        self._start = start

    async def block(self, start: Start, number: int, head: int) -> Block:
        """One block; the last one may not be full yet."""
        kept = self.cache.get(start, number)
        if kept is not None:
            return kept
        after = start.after + number * EVENTS
        block = self.render(await self._events(after, min(after + EVENTS, head)))
        await asyncio.sleep(0)  # a long log is read in one go: others come in between
        if after + EVENTS <= head and start is self._start:
            start.counts[number] = block.lines
            self.cache.put(start, number, block)
        return block

    async def _events(self, after: int, upto: int) -> list[Event]:
        """All between two offsets; the hub hands out a bounded number of bytes at a time."""
        events: list[Event] = []
        while after < upto:
            page = (await self.hub.history(self.channel, after=after, before=upto + 1, limit=EVENTS)).events
            if not page:
                break
            events += page
            after = page[-1].offset
        return events


class ConsoleLook:
    """See `Look` of the dialect."""

    def __init__(self, console: Console, start: Start, head: int) -> None:
        self._console = console
        self._start = start
        self._head = head
        self._blocks = -(-(head - start.after) // EVENTS)

    @property
    def tag(self) -> str:
        return f"{self._start.epoch}-{self._start.after}-{self._head}"

    async def count(self) -> int:
        return sum([await self._lines(number) for number in range(self._blocks)])

    async def _lines(self, number: int) -> int:
        known = self._start.counts.get(number)
        return known if known is not None else (await self._block(number)).lines

    async def _block(self, number: int) -> Block:
        return await self._console.block(self._start, number, self._head)

    async def column(self, index: int) -> AsyncIterator[bytes]:
        separator = b""
        for number in range(self._blocks):
            piece = (await self._block(number)).columns[index]
            if piece:
                yield separator + piece
                separator = b","

    async def last(self, count: int) -> list[str]:
        found: list[str] = []
        for number in reversed(range(self._blocks)):
            found = await self._texts(number) + found
            if len(found) >= count:
                break
        return found[-count:]

    async def page(self, first: int, count: int) -> list[str]:
        found: list[str] = []
        for number in range(self._blocks):
            lines = await self._lines(number)
            if first >= lines:
                first -= lines
                continue
            found += (await self._texts(number))[first:]
            first = 0
            if len(found) >= count:
                break
        return found[:count]

    async def _texts(self, number: int) -> list[str]:
        texts: list[str] = orjson.loads(b"[" + (await self._block(number)).columns[0] + b"]")
        return texts


class ConsolesOfHub:
    """See `Consoles` of the dialect."""

    def __init__(self, hub: Hub, apps: Mapping[str, tuple[str, str, Render]]) -> None:
        cache = Cache()
        self._consoles = {
            app: Console(hub, channel, begins, render, cache) for app, (channel, begins, render) in apps.items()
        }

    async def look(self, app: str) -> ConsoleLook:
        return await self._consoles[app].look()
