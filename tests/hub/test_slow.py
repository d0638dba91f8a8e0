"""Contracts 2 and 5: who is slow pulls at its own pace, holds no more than its bound, and disturbs nobody."""

from __future__ import annotations

import asyncio
import random

import pytest

from antiphon.hub import Phase, Start, pulling
from antiphon.messages import Cursor
from hub.conftest import OpenHub
from hub.kit import OVERHEAD, CaughtUp, Connection, log, new, publish, publish_and_flush

PAGE = pulling.PAGE_BYTES + pulling.PAGE_EVENTS * OVERHEAD  # the most that a page weighs here


async def test_a_slow_one_goes_back_to_pulling_and_catches_up(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        slow = Connection(hub, bound_bytes=1000)
        subscription, _ = await slow.place("a")
        assert subscription.phase is Phase.LIVE
        slow.stop_reading()
        await publish_and_flush(hub, "a", 30)
        assert subscription.phase is Phase.PULLING
        assert (hub.stats.cuts, hub.stats.pages) == (1, 0), "it waits for its socket"
        assert subscription.cursor < 30
        slow.go_on_reading()
        await slow.until_offset("a", 30)
        await publish_and_flush(hub, "a", 1)
        await slow.until_offset("a", 31)
        assert subscription.phase is Phase.LIVE
        assert slow.offsets("a") == list(range(1, 32))
        assert len(slow.all(CaughtUp)) == 1


async def test_healthy_ones_are_not_disturbed_by_slow_ones(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        slow = [Connection(hub, bound_bytes=500) for _ in range(5)]
        healthy = [Connection(hub, bound_bytes=500) for _ in range(5)]
        for connection in [*slow, *healthy]:
            await connection.subscribe("a")
        for connection in slow:
            connection.stop_reading()
        await publish_and_flush(hub, "a", 40)
        for connection in healthy:
            assert connection.offsets("a") == list(range(1, 41))
        assert hub.stats.cuts == len(slow)
        assert hub.stats.pages == 0
        assert all(connection.peak_bytes <= 500 for connection in slow)


async def test_nobody_holds_more_than_its_bound_and_a_page(open_hub: OpenHub) -> None:
    """Live and pulling, with several channels on one connection, read in steps of any size."""
    chance = random.Random(2)
    bound = 30_000
    async with open_hub() as hub:
        connections = [Connection(hub, bound_bytes=bound) for _ in range(6)]
        for connection in connections:
            connection.stop_reading()
            for channel in ("a", "b", "c"):
                await connection.subscribe(channel, chance.choice([Start.NOW, Start.START]))
        answers = []
        for _ in range(150):
            answers += [hub.submit(new(channel, "x" * chance.randrange(2000))) for channel in "abc"]
            if chance.random() < 0.3:
                await publish_and_flush(hub, chance.choice("abc"), 1)
            chance.choice(connections).read(chance.randrange(40_000))
        await asyncio.gather(*answers)
        events = {channel: await log(hub, channel) for channel in "abc"}
        assert hub.stats.cuts > 0
        assert hub.stats.pages > 0
        for connection in connections:
            connection.go_on_reading()
            for channel in "abc":
                await connection.until_offset(channel, events[channel][-1].offset)
                assert connection.events(channel) == events[channel]
                assert len(connection.all(CaughtUp)) == 3
            assert connection.peak_bytes <= bound + PAGE


async def test_a_batch_larger_than_the_bound_reaches_an_idle_connection(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        connection = Connection(hub, bound_bytes=1000)
        await connection.subscribe("a")
        await hub.publish_many([new("a", "x" * 200) for _ in range(20)])
        await connection.until_offset("a", 20)
        assert connection.offsets("a") == list(range(1, 21))
        assert hub.stats.cuts == 1


async def test_an_event_larger_than_a_page_and_the_bound_is_delivered(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish_many([new("a", "x" * 2 * pulling.PAGE_BYTES) for _ in range(3)])
        connection = Connection(hub, bound_bytes=1000)
        await connection.subscribe("a", Start.START)
        await connection.until_offset("a", 3)
        await hub.publish(new("a", "x" * 2 * pulling.PAGE_BYTES))
        await connection.until_offset("a", 4)
        assert connection.offsets("a") == [1, 2, 3, 4]


async def test_channels_of_one_connection_take_turns(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "PAGE_EVENTS", 10)
    async with open_hub() as hub:
        for channel in ("a", "b", "c"):
            await publish(hub, channel, 100)
        connection = Connection(hub)
        connection.stop_reading()
        for channel in ("a", "b", "c"):
            await connection.subscribe(channel, Start.START)
        connection.go_on_reading()
        for channel in ("a", "b", "c"):
            await connection.until_offset(channel, 100)
        firsts = [connection.tape.index(connection.events(channel)[0]) for channel in "abc"]
        assert max(firsts) < 100, "nobody waits until another has everything"


async def test_many_that_come_at_once_are_served_in_turns(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "PAGE_EVENTS", 20)
    async with open_hub() as hub:
        await publish(hub, "a", 400)
        storm = [Connection(hub) for _ in range(50)]
        placed = [(await connection.place("a", Cursor(hub.epoch, n)))[0] for n, connection in enumerate(storm)]
        progress = []
        while any(subscription.cursor < 400 for subscription in placed):
            await asyncio.sleep(0)
            progress.append([subscription.cursor - n for n, subscription in enumerate(placed)])
        unfinished = [row for row in progress if max(row) < 340]
        assert unfinished
        assert all(max(row) - min(row) <= 3 * 20 for row in unfinished)
        for n, connection in enumerate(storm):
            await connection.until_caught_up("a")
            assert connection.offsets("a") == list(range(n + 1, 401))


async def test_a_dropped_connection_leaves_its_pulling(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "PAGE_EVENTS", 1)
    async with open_hub() as hub:
        await publish(hub, "a", 50)
        gone = Connection(hub)
        await gone.subscribe("a", Start.START)
        await gone.until_offset("a", 3)
        gone.drop()
        gone.drop()
        seen = gone.offsets("a")
        hub.drained(gone.outlet)
        witness = Connection(hub)
        await witness.subscribe("a", Start.START)
        await witness.until_offset("a", 50)
        assert gone.offsets("a") == seen == list(range(1, len(seen) + 1))


@pytest.mark.parametrize("after", [Start.NOW, Start.START])
async def test_a_connection_that_cannot_be_written_to_keeps_nothing_from_the_others(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch, after: Start
) -> None:
    async with open_hub() as hub:
        await publish(hub, "a", 3)
        connections = [Connection(hub) for _ in range(5)]
        broken = connections[2]
        for connection in connections[:3]:
            await connection.subscribe("a")
        await broken.subscribe("b", after)

        def fault(parts: object) -> None:
            raise RuntimeError("a fault of a transport")

        monkeypatch.setattr(broken, "send", fault)
        for connection in connections[3:]:
            await connection.subscribe("a", Start.START)
        await publish(hub, "b", 1)
        await publish(hub, "a", 2)
        for connection in connections[:2] + connections[3:]:
            await connection.until_offset("a", 5)
            assert connection.offsets("a")[-2:] == [4, 5]
        assert broken.outlet.subscriptions == {}
        await publish_and_flush(hub, "a", 2)
