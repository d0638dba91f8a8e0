"""Section 7: whole log files are read again on every poll. Here a block is read once, and memory is bounded."""

from __future__ import annotations

import json
from collections.abc import Sequence

import orjson
import pytest

from antiphon.brokers.memory import MemoryBroker
from antiphon.dialects.bettafish import Block, render_console
from antiphon.dialects.bettafish.blocks import EVENTS
from antiphon.hub import Hub
from antiphon.messages import Event, NewEvent
from antiphon.server.dialects.bettafish.consoles import Cache, Console, ConsoleLook

CHANNEL = "log:insight"


class Counting:
    """Renders, and counts what it was given."""

    def __init__(self) -> None:
        self.events = 0

    def __call__(self, events: Sequence[Event]) -> Block:
        self.events += len(events)
        return render_console(events)


def line(text: str) -> NewEvent:
    return NewEvent(CHANNEL, "line", orjson.dumps({"text": text, "stream": "stdout"}))


async def start(hub: Hub) -> None:
    await hub.publish(NewEvent(CHANNEL, "process.started", b'{"pid":1}'))


async def say(hub: Hub, first: int, last: int) -> None:
    for low in range(first, last, 500):
        await hub.publish_many([line(f"{number}") for number in range(low, min(low + 500, last))])


async def texts(look: ConsoleLook) -> list[int]:
    pieces = [piece async for piece in look.column(0)]
    return [int(each[11:]) for each in json.loads(b"[" + b"".join(pieces) + b"]")]


@pytest.mark.parametrize("count", [0, 1, EVENTS - 2, EVENTS - 1, EVENTS, EVENTS + 1, 3 * EVENTS, 3500])
async def test_blocks_of_any_length_are_the_whole_log(count: int) -> None:
    async with Hub(MemoryBroker()) as hub:
        console = Console(hub, CHANNEL, "process.started", render_console, Cache())
        await start(hub)
        await say(hub, 0, count)
        for _ in range(2):
            look = await console.look()
            assert await texts(look) == list(range(count))
            assert await look.count() == count
            assert [each[11:] for each in await look.last(7)] == [str(n) for n in range(count)][-7:]
            assert [each[11:] for each in await look.page(998, 5)] == [str(n) for n in range(count)][998:1003]


async def test_only_what_is_new_is_read_again() -> None:
    async with Hub(MemoryBroker()) as hub:
        render = Counting()
        console = Console(hub, CHANNEL, "process.started", render, Cache())
        await start(hub)
        await say(hub, 0, 10_000)
        assert len(await texts(await console.look())) == 10_000
        assert render.events == 10_001
        for more in range(10):
            render.events = 0
            await say(hub, 10_000 + more, 10_001 + more)
            look = await console.look()
            assert len(await texts(look)) == 10_001 + more
            assert render.events < EVENTS


async def test_the_cache_is_bounded_and_the_answer_whole() -> None:
    async with Hub(MemoryBroker()) as hub:
        cache = Cache(limit_bytes=100_000)
        console = Console(hub, CHANNEL, "process.started", render_console, cache)
        await start(hub)
        await say(hub, 0, 20_000)
        for _ in range(2):
            assert await texts(await console.look()) == list(range(20_000))
            assert 0 < cache.size <= 100_000
        await start(hub)
        assert await texts(await console.look()) == []
        assert cache.size == 0


async def test_the_same_lines_have_the_same_tag() -> None:
    async with Hub(MemoryBroker()) as hub:
        console = Console(hub, CHANNEL, "process.started", render_console, Cache())
        tags = []
        for act in (start, lambda hub: say(hub, 0, 3), start):
            await act(hub)
            tags.append((await console.look()).tag)
            assert (await console.look()).tag == tags[-1]
        assert len(set(tags)) == 3


async def test_without_a_start_it_begins_with_the_oldest_that_is_kept() -> None:
    async with Hub(MemoryBroker()) as hub:
        console = Console(hub, CHANNEL, "process.started", render_console, Cache())
        assert await texts(await console.look()) == []
        await say(hub, 0, 30)
        assert await texts(await console.look()) == list(range(30))
        await hub.clear(CHANNEL)
        await say(hub, 30, 40)
        assert await texts(await console.look()) == list(range(30, 40))
        assert await (await console.look()).count() == 10


async def test_a_look_stays_what_it_was() -> None:
    """An answer that is being written is not changed by a start meanwhile."""
    async with Hub(MemoryBroker()) as hub:
        console = Console(hub, CHANNEL, "process.started", render_console, Cache())
        await start(hub)
        await say(hub, 0, 2500)
        look = await console.look()
        await start(hub)
        await say(hub, 0, 10)
        assert await texts(await console.look()) == list(range(10))
        assert await texts(look) == list(range(2500))
