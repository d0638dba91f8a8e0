from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

import pytest
from tests.client.small_server import SmallServer, frame

import antiphon
from antiphon import CaughtUp, Cursor, Event, Gap
from antiphon.client import State, Subscription
from antiphon.errors import AlreadySubscribed, ClientClosed, Forbidden, InputError, InvalidChannel, InvalidCursor


async def next_events(items: Subscription, count: int) -> list[Event]:
    events: list[Event] = []
    while len(events) < count:
        item = await anext(items)
        if isinstance(item, Event):
            events.append(item)
    return events


async def test_from_the_start_comes_everything_once_in_order_then_caught_up_then_live(server: SmallServer) -> None:
    for number in range(3):
        await server.publish("a", number)
    async with antiphon.connect(server.url) as live:
        items = live.subscribe("a", after="start")
        events = await next_events(items, 3)
        assert await anext(items) == CaughtUp("a", "one", 3)
        await live.publish("a", "t", 3)
        events += await next_events(items, 1)
    assert [(event.offset, event.data) for event in events] == [(1, 0), (2, 1), (3, 2), (4, 3)]
    first = events[0]
    assert (first.channel, first.type, first.by, first.cursor) == ("a", "note", "ann", Cursor("one", 1))
    assert first.time.isoformat() == "2026-10-15T09:30:00.250000+00:00"
    assert items.cursors == {"a": Cursor("one", 4)}


async def test_entering_means_subscribed(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a") as items:
        await server.publish("a", "after it was entered")
        assert (await next_events(items, 1))[0].data == "after it was entered"


async def test_a_cursor_goes_on_behind_it_as_value_or_text(server: SmallServer) -> None:
    for number in range(5):
        await server.publish("a", number)
    for after in (Cursor("one", 3), "one:3"):
        async with antiphon.connect(server.url) as live:
            assert [event.data for event in await next_events(live.subscribe("a", after=after), 2)] == [3, 4]


async def test_several_channels_share_one_subscription(server: SmallServer) -> None:
    for name in ("a", "b", "c"):
        await server.publish(name, 1)
        await server.publish(name, 2)
    async with antiphon.connect(server.url) as live:
        items = live.subscribe("a", "b", "c", after={"a": Cursor("one", 1), "b": "now"})
        events = await next_events(items, 3)
    assert sorted((event.channel, event.offset) for event in events) == [("a", 2), ("c", 1), ("c", 2)]


async def test_after_a_lost_connection_it_goes_on_without_hole_or_repetition(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a", "b", after="start") as items:
        for number in range(30):
            await server.publish("a", number)
            await server.publish("b", number)
            if number % 7 == 3:
                server.drop()
        events = await next_events(items, 60)
    for name in ("a", "b"):
        assert [event.data for event in events if event.channel == name] == list(range(30))


async def test_a_restart_of_the_server_is_survived(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a") as items:
        await live.publish("a", "t", 1)
        await server.stop()
        await server.publish("a", 2)
        await server.start()
        assert [event.data for event in await next_events(items, 2)] == [1, 2]


async def test_repetitions_are_dropped(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a", after="start") as items:
        for number in range(3):
            await server.publish("a", number)
            await server.broadcast(frame("event", **server.logs["a"][0]))
            await server.broadcast(frame("event", **server.logs["a"][number]))
        assert [event.data for event in await next_events(items, 3)] == [0, 1, 2]


async def test_skipped_events_are_asked_for_again(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a", after="start") as items:
        for number in range(3):
            server._append("a", "note", number)
        await server.broadcast(frame("event", **server.logs["a"][2]))
        assert [event.offset for event in await next_events(items, 3)] == [1, 2, 3]


async def test_events_that_stay_skipped_are_a_gap_not_silence(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a", after="start") as items:
        assert isinstance(await anext(items), CaughtUp)
        for number in range(3):
            server._append("a", "note", number)
        head = {"epoch": "one", "after": 0, "head": 3, "oldest": 1, "recovered": True}
        server.answers["subscribe"] = [{"result": head}]
        await server.broadcast(frame("event", **server.logs["a"][2]))
        await server.until(lambda: server.count("subscribe") == 2)
        await server.broadcast(frame("event", **server.logs["a"][2]))
        assert await anext(items) == Gap("a", "one", 1, 2, "missing", None, ())
        assert [event.offset for event in await next_events(items, 1)] == [3]


@pytest.mark.parametrize(
    ("cursor", "expected", "then"),
    [
        (Cursor("one", 1), Gap("a", "one", 2, 3, "retention", None, ()), [4, 5]),
        (Cursor("zero", 9), Gap("a", "one", 1, 3, "epoch", None, ()), [4, 5]),
        (Cursor("one", 99), Gap("a", "one", 4, 3, "beyond_head", None, ()), [4, 5]),
        ("start", Gap("a", "one", 1, 3, "retention", None, ()), [4, 5]),
    ],
)
async def test_what_will_not_come_is_a_gap(server: SmallServer, cursor: Any, expected: Gap, then: list[int]) -> None:
    for number in range(5):
        await server.publish("a", number)
    server.oldest["a"] = 4
    async with antiphon.connect(server.url) as live:
        items = live.subscribe("a", after=cursor)
        assert await anext(items) == expected
        assert [event.offset for event in await next_events(items, 2)] == then


async def test_a_gap_of_a_channel_with_a_state_carries_the_state(server: SmallServer) -> None:
    for number in range(5):
        await server.publish("a", number)
    server.states["a"] = {"version": 4, "value": {"x": 1}}
    async with antiphon.connect(server.url) as live:
        items = live.subscribe("a", after=Cursor("gone", 2))
        gap = await anext(items)
        assert gap == Gap("a", "one", 1, 5, "epoch", State(4, {"x": 1}), ())
        assert gap.cursor == Cursor("one", 5)
        assert await anext(items) == CaughtUp("a", "one", 5)
        assert items.snapshots["a"].state == State(4, {"x": 1})


async def test_the_state_where_now_begins_is_a_snapshot(server: SmallServer) -> None:
    server.states["a"] = {"version": 0, "value": {"x": 1}}
    async with antiphon.connect(server.url) as live, live.subscribe("a") as items:
        assert items.snapshots["a"].state == State(0, {"x": 1})
        assert items.snapshots["a"].cursor == Cursor("one", 0)


async def test_a_gap_notification_moves_on(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a") as items:
        assert isinstance(await anext(items), CaughtUp)
        for number in range(5):
            server._append("a", "note", number)
        server.connections[0].sent_to["a"] = 4
        notice = {"channel": "a", "epoch": "one", "from": 1, "to": 4, "reason": "retention"}
        await server.broadcast(frame("gap", **notice, state={"version": 3, "value": [1]}))
        assert await anext(items) == Gap("a", "one", 1, 4, "retention", State(3, [1]), ())
        await server._deliver("a")
        assert (await next_events(items, 1))[0].offset == 5


async def test_a_new_life_of_the_log_while_away_is_a_gap(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a") as items:
        await live.publish("a", "t", "old")
        await next_events(items, 1)
        await server.stop()
        server.epoch = "two"
        server.logs.clear()
        server.keys.clear()
        await server.publish("a", "new")
        await server.start()
        gap = await anext(items)
        assert gap == Gap("a", "two", 1, 0, "epoch", None, ())
        assert (await next_events(items, 1))[0].cursor == Cursor("two", 1)


async def test_a_reader_that_does_not_read_is_bounded_and_stalls_nobody(server: SmallServer) -> None:
    async with (
        antiphon.connect(server.url) as live,
        live.subscribe("slow", after="start", max_items=20) as slow,
        live.subscribe("quick") as quick,
    ):
        for number in range(500):
            await server.publish("slow", number)
        await server.publish("quick", "through")
        assert (await next_events(quick, 1))[0].data == "through"
        assert len(slow._feed) <= 20
        assert slow._feed.pauses == 1
        await server.until(lambda: "slow" not in server.connections[0].sent_to)
        assert [event.data for event in await next_events(slow, 500)] == list(range(500))
        assert slow._feed.pauses > 1
        await server.publish("slow", "live again")
        assert (await next_events(slow, 1))[0].data == "live again"


async def test_the_bound_counts_bytes_too(server: SmallServer) -> None:
    async with (
        antiphon.connect(server.url) as live,
        live.subscribe("a", after="start", max_bytes=50_000) as items,
        live.subscribe("b") as marker,
    ):
        for _ in range(100):
            await server.publish("a", "x" * 10_000)
        await server.publish("b")
        await next_events(marker, 1)
        assert len(items._feed) == 6  # caught up, and the events that reach the bound
        assert len(await next_events(items, 100)) == 100


async def test_a_lost_connection_while_paused_is_resumed_from_the_cursor(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a", after="start", max_items=5) as items:
        for number in range(20):
            await server.publish("a", number)
        await server.until(lambda: server.count("unsubscribe") == 1)
        server.drop()
        await server.until(lambda: server.welcomes == 2)
        assert [event.data for event in await next_events(items, 20)] == list(range(20))


async def test_leaving_the_loop_unsubscribes(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live:
        await server.publish("a", 1)
        async for _ in live.subscribe("a", after="start"):
            break
        gc.collect()
        await server.until(lambda: server.count("unsubscribe") == 1)
        items = live.subscribe("a", after="start")
        assert (await next_events(items, 1))[0].data == 1


async def test_a_channel_can_be_followed_again_at_once(server: SmallServer) -> None:
    await server.publish("a", 1)
    async with antiphon.connect(server.url) as live:
        for _ in range(5):
            async for item in live.subscribe("a", after="start"):
                assert isinstance(item, Event)
                break
            async with live.subscribe("a", after="start") as items:
                assert (await next_events(items, 1))[0].data == 1


async def test_after_closing_iteration_stops(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live:
        items = live.subscribe("a")
        waiting = asyncio.create_task(anext(items, "the end"))
        await items.ready()
        await items.aclose()
        await items.aclose()
        assert await waiting in ("the end", CaughtUp("a", "one", 0))
        assert [item async for item in items] == []


async def test_one_channel_one_subscription(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live:
        items = live.subscribe("a")
        with pytest.raises(AlreadySubscribed):
            live.subscribe("b", "a")
        await items.aclose()
        async with live.subscribe("b", "a"):
            pass


async def test_wrong_input_is_refused_where_it_stands(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live:
        with pytest.raises(InvalidChannel):
            live.subscribe("no spaces")
        with pytest.raises(InvalidCursor):
            live.subscribe("a", after="yesterday")
        with pytest.raises(InputError, match="at least one"):
            live.subscribe()
        with pytest.raises(InputError, match="one channel"):
            live.subscribe("a", "b", after=Cursor("one", 1))
    assert server.count("subscribe") == 0


def refusal(code: str, retryable: bool) -> dict[str, Any]:
    return {"error": {"code": -32000, "message": "no", "data": {"code": code, "retryable": retryable}}}


async def test_a_refused_channel_raises_from_the_loop_and_may_be_tried_again(server: SmallServer) -> None:
    server.answers["subscribe"] = [refusal("forbidden", False), refusal("forbidden", False)]
    async with antiphon.connect(server.url) as live:
        with pytest.raises(Forbidden):
            async for _ in live.subscribe("a"):
                pass
        with pytest.raises(Forbidden):
            async with live.subscribe("a"):
                pass
        async with live.subscribe("a"):
            pass


async def test_a_busy_server_is_asked_again(server: SmallServer) -> None:
    server.answers["subscribe"] = [refusal("busy", True)]
    async with antiphon.connect(server.url) as live, live.subscribe("a") as items:
        await server.publish("a", 1)
        assert (await next_events(items, 1))[0].data == 1


async def test_closing_the_client_ends_its_subscriptions_with_an_error_after_what_is_queued(
    server: SmallServer,
) -> None:
    async with antiphon.connect(server.url) as live:
        items = live.subscribe("a", after="start")
        await items.ready()
        await server.publish("a", 1)
        await live.request("ping")
    with pytest.raises(ClientClosed):
        assert [type(item) async for item in items] == [CaughtUp, Event]


async def test_a_problem_notification_is_logged(server: SmallServer, caplog: pytest.LogCaptureFixture) -> None:
    async with antiphon.connect(server.url) as live:
        with caplog.at_level(logging.WARNING, "antiphon.client"):
            await server.broadcast(frame("problem", code=-32000, message="was refused", data={"code": "busy"}))
            await live.request("ping")
    assert "was refused" in caplog.text
