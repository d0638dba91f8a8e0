"""Contract 1: one order for all, each offset exactly once, the reply before the first event."""

from __future__ import annotations

import asyncio
import random

import pytest

from antiphon.errors import AlreadySubscribed, InvalidChannel, NotSubscribed, TooManySubscriptions
from antiphon.hub import Start, Subscribed, pulling
from antiphon.messages import Cursor, Event
from hub.conftest import OpenHub
from hub.kit import CaughtUp, Connection, Held, log, new, publish, publish_and_flush


async def test_offsets_begin_at_one_and_have_no_holes(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        assert await publish(hub, "a", 5) == [1, 2, 3, 4, 5]
        assert await publish(hub, "b", 2) == [1, 2]
        assert await hub.publish(new("a")) == Cursor(hub.epoch, 6)


async def test_events_are_appended_in_the_order_of_submission(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        answers = [hub.submit(new("ab"[n % 2], n)) for n in range(2000)]
        await asyncio.gather(*answers)
        for channel, first in (("a", 0), ("b", 1)):
            assert [event.data for event in await log(hub, channel)] == list(range(first, 2000, 2))


async def test_the_reply_precedes_the_first_event(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await publish(hub, "a", 3)
        connection = Connection(hub)
        reply = await connection.subscribe("a", Start.START)
        await connection.until_caught_up("a")
        assert connection.tape[0] == reply
        assert [type(part) for part in connection.tape] == [Subscribed, Event, Event, Event, CaughtUp]


async def test_missed_events_then_caught_up_once_then_live_ones(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await publish(hub, "a", 3)
        connection = Connection(hub)
        await connection.subscribe("a", Start.START)
        assert await connection.until_caught_up("a") == CaughtUp("a", hub.epoch, 3)
        await publish(hub, "a", 2)
        await connection.until_offset("a", 5)
        assert connection.offsets("a") == [1, 2, 3, 4, 5]
        assert connection.tape.index(CaughtUp("a", hub.epoch, 3)) == 4
        assert len(connection.all(CaughtUp)) == 1


@pytest.mark.parametrize("after", [Start.NOW, Start.START])
async def test_caught_up_comes_also_where_nothing_was_missed(open_hub: OpenHub, after: Start) -> None:
    async with open_hub() as hub:
        connection = Connection(hub)
        reply = await connection.subscribe("never:used", after)
        assert (reply.after, reply.head, reply.oldest, reply.recovered) == (0, 0, 1, True)
        assert connection.tape[1:] == [CaughtUp("never:used", hub.epoch, 0)], "at once"
        assert await hub.channels() == [], "looking creates nothing"


async def test_caught_up_comes_once_though_the_subscriber_fell_behind_again(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        connection = Connection(hub, bound_bytes=2000)
        await connection.subscribe("a")
        connection.stop_reading()
        await publish_and_flush(hub, "a", 50)
        assert hub.stats.cuts == 1
        connection.go_on_reading()
        await connection.until_offset("a", 50)
        await publish(hub, "a", 1)
        await connection.until_offset("a", 51)
        assert connection.offsets("a") == list(range(1, 52))
        assert len(connection.all(CaughtUp)) == 1


async def test_all_subscribers_see_one_order_whenever_they_came(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Subscribers come before, between and while events are committed, from everywhere in the log."""
    monkeypatch.setattr(pulling, "PAGE_EVENTS", 3)
    chance = random.Random(1)
    async with open_hub() as hub:
        connections: list[tuple[Connection, int]] = []
        for _ in range(60):
            answers = [hub.submit(new("a", n)) for n in range(chance.randint(0, 8))]
            for _ in range(chance.randint(0, 3)):
                await asyncio.sleep(0)
            connection = Connection(hub, bound_bytes=chance.choice([300, 1500, 1 << 20]))
            head = (await hub.history("a", limit=1)).head
            after = chance.choice([Start.NOW, Start.START, Cursor(hub.epoch, chance.randint(0, head))])
            connections.append((connection, (await connection.subscribe("a", after)).after))
            if chance.random() < 0.5:
                await asyncio.gather(*answers)
        head = (await hub.publish(new("a", "last"))).offset
        events = await log(hub, "a")
        for connection, after in connections:
            await connection.until_offset("a", head)
            assert connection.events("a") == events[after:]


async def test_a_burst_leaves_as_one_write_per_connection(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        connection = Connection(hub)
        await connection.subscribe("a")
        await connection.subscribe("b")
        before = connection.writes
        answers = [hub.submit(new("ab"[n % 2], n)) for n in range(20)]
        await asyncio.gather(*answers)
        await connection.until_offset("a", 10)
        assert connection.offsets("b") == list(range(1, 11))
        assert connection.writes == before + 1


async def test_nothing_is_shown_before_it_is_committed(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        connection = Connection(hub)
        await connection.subscribe("a")
        held = Held(hub)
        answer = hub.submit(new("a"))
        await held.until_entered()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not answer.done()
        assert connection.events("a") == []
        assert (await hub.history("a")).events == []
        held.let_go.set()
        await answer
        await connection.until_offset("a", 1)


async def test_an_unsubscribed_channel_stays_silent(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        connection = Connection(hub)
        await connection.subscribe("a")
        await connection.subscribe("marker")
        await publish(hub, "a", 1)
        await connection.until_offset("a", 1)
        await publish(hub, "a", 1)  # committed, not yet flushed
        connection.outlet.unsubscribe("a")
        await publish(hub, "a", 3)
        await publish(hub, "marker", 1)
        await connection.until_offset("marker", 1)
        assert connection.offsets("a") == [1]
        with pytest.raises(NotSubscribed):
            connection.outlet.unsubscribe("a")


async def test_unsubscribing_in_the_middle_of_catching_up_stops_it(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "PAGE_EVENTS", 2)
    async with open_hub() as hub:
        await publish(hub, "a", 10)
        connection = Connection(hub, bound_bytes=4)  # a page at a time
        connection.stop_reading()
        await connection.subscribe("a", Start.START)
        await connection.until(lambda: connection.queued_bytes > 0)
        connection.outlet.unsubscribe("a")
        connection.go_on_reading()
        await connection.subscribe("marker")
        await publish(hub, "marker", 1)
        await connection.until_offset("marker", 1)
        assert connection.offsets("a") == [1, 2]
        assert await connection.subscribe("a", Cursor(hub.epoch, 2))
        await connection.until_offset("a", 10)
        assert connection.offsets("a") == list(range(1, 11))


async def test_one_subscription_per_channel_and_a_bound_on_all(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        connection = Connection(hub, max_subscriptions=2)
        await connection.subscribe("a")
        with pytest.raises(AlreadySubscribed):
            await connection.subscribe("a")
        await connection.subscribe("b")
        with pytest.raises(TooManySubscriptions):
            await connection.subscribe("c")
        connection.outlet.unsubscribe("a")
        await connection.subscribe("c")
        results = await asyncio.gather(*[Connection(hub).subscribe("a") for _ in range(3)])
        assert len(results) == 3


async def test_two_subscriptions_at_once_to_one_channel_are_one(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        held = Held(hub)
        answer = hub.submit(new("a"))
        await held.until_entered()
        connection = Connection(hub)
        racing = [asyncio.ensure_future(connection.subscribe("a")) for _ in range(2)]
        held.let_go.set()
        results = await asyncio.gather(*racing, return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["AlreadySubscribed", "Subscribed"]
        await answer


@pytest.mark.parametrize("name", ["", "a b", "ä", "a/b", "x" * 256, "a\n", "*"])
async def test_names_that_no_channel_can_have(open_hub: OpenHub, name: str) -> None:
    async with open_hub() as hub:
        for refused in (
            lambda: hub.publish(new(name)),
            lambda: hub.publish_many([new("a"), new(name)]),
            lambda: Connection(hub).subscribe(name),
            lambda: hub.history(name),
            lambda: hub.search(name, "x"),
            lambda: hub.state(name),
        ):
            with pytest.raises(InvalidChannel):
                await refused()
        with pytest.raises(InvalidChannel):
            hub.submit(new(name))
        assert await hub.channels() == []


async def test_a_connection_that_ends_while_it_subscribes_leaves_nothing_behind(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        held = Held(hub)
        answer = hub.submit(new("a"))
        await held.until_entered()
        gone = Connection(hub)
        subscribing = asyncio.ensure_future(gone.subscribe("a"))
        await asyncio.sleep(0)
        gone.drop()
        held.let_go.set()
        await asyncio.gather(subscribing, answer, return_exceptions=True)
        await assert_nothing_left(hub, gone)


async def test_a_connection_that_ends_before_delivery_begins_leaves_nothing_behind(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        gone = Connection(hub)
        subscription, _ = await hub.subscribe(gone.outlet, "a")
        gone.drop()
        hub.begin(subscription)
        await assert_nothing_left(hub, gone)


async def assert_nothing_left(hub: object, gone: Connection) -> None:
    witness = Connection(hub)  # type: ignore[arg-type]
    await witness.subscribe("a")
    offset = (await publish(hub, "a", 1))[0]  # type: ignore[arg-type]
    await witness.until_offset("a", offset)
    assert gone.events("a") == []
    assert gone.all(CaughtUp) == []
    witness.drop()
    channel = hub._channels.loaded("a")  # type: ignore[attr-defined]
    assert channel.users == 0
    assert channel.groups == {}
