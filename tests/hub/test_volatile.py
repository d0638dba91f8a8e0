"""Channels in memory only: not stored, bounded, and with `latest_by` only what is true now."""

from __future__ import annotations

from pathlib import Path

from tests.hub.kit import Connection, log, new, publish

from antiphon.brokers.memory_log import Volatile
from antiphon.brokers.routed import RoutedBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Gap, Hub, Start
from antiphon.messages import Cursor

FAMILIES = {"bar:*": Volatile(max_events=50, latest_by="/task"), "typing:*": Volatile(max_events=5)}


def open_routed(directory: Path) -> Hub:
    store = SqliteBroker(directory)
    store.open()
    return Hub(RoutedBroker(store, FAMILIES))


def progress(task: int, done: int) -> object:
    return {"task": task, "done": done}


async def test_nothing_of_them_is_stored_and_their_epoch_is_the_process(tmp_path: Path) -> None:
    async with open_routed(tmp_path) as hub:
        cursor = await hub.publish(new("typing:a", "ann"))
        lasting = await hub.publish(new("news", 1))
        assert cursor.epoch != lasting.epoch == hub.epoch
        assert [name for name, _ in await hub.channels()] == ["news", "typing:a"]
    async with open_routed(tmp_path) as hub:
        assert [name for name, _ in await hub.channels()] == ["news"]
        reply = await Connection(hub).subscribe("typing:a", cursor)
        assert (reply.recovered, reply.after, reply.head) == (False, 0, 0)
        assert (await Connection(hub).subscribe("news", lasting)).recovered


async def test_live_subscribers_get_every_event(tmp_path: Path) -> None:
    async with open_routed(tmp_path) as hub:
        connection = Connection(hub)
        await connection.subscribe("bar:a")
        for done in range(100):
            await hub.publish(new("bar:a", progress(1, done)))
        await connection.until_offset("bar:a", 100)
        assert connection.offsets("bar:a") == list(range(1, 101))


async def test_who_is_slow_gets_the_newest_of_each_key_and_is_told_of_the_rest(tmp_path: Path) -> None:
    async with open_routed(tmp_path) as hub:
        slow = Connection(hub, bound_bytes=4000)
        await slow.subscribe("bar:a")
        slow.stop_reading()
        for done in range(200):
            await hub.publish(new("bar:a", progress(done % 3, done)))
        assert slow.queued_bytes <= 4000
        slow.go_on_reading()
        await slow.until_offset("bar:a", 200)
        covered: set[int] = set(slow.offsets("bar:a"))
        for gap in slow.all(Gap):
            assert gap.reason == "conflated"
            span = set(range(gap.first, gap.last + 1))
            assert not span & covered
            covered |= span
        assert covered == set(range(1, 201)), "each offset exactly once, or in a gap"
        last = {event.data["task"]: event.data["done"] for event in slow.events("bar:a")}
        assert last == {0: 198, 1: 199, 2: 197}
        assert len(slow.offsets("bar:a")) < 100


async def test_they_are_bounded_and_start_at_what_is_left(tmp_path: Path) -> None:
    async with open_routed(tmp_path) as hub:
        await publish(hub, "typing:a", 20)
        assert [event.offset for event in await log(hub, "typing:a")] == [16, 17, 18, 19, 20]
        connection = Connection(hub)
        reply = await connection.subscribe("typing:a", Start.START)
        assert (reply.oldest, reply.after) == (16, 15)
        await connection.until_offset("typing:a", 20)
        assert connection.offsets("typing:a") == [16, 17, 18, 19, 20]
        stale = await Connection(hub).subscribe("typing:a", Cursor(reply.epoch, 3))
        assert not stale.recovered


async def test_both_kinds_go_together_in_one_publish(tmp_path: Path) -> None:
    async with open_routed(tmp_path) as hub:
        cursors = await hub.publish_many([new("typing:a"), new("news"), new("typing:a")], checkpoint=("c", "1"))
        assert [cursor.offset for cursor in cursors] == [1, 1, 2]
        assert await hub.checkpoint("c") == "1"
        keyed = new("typing:a", "x", idempotency_key="k")
        assert await hub.publish(keyed) == await hub.publish(keyed)
