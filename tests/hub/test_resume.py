"""Contract 3: a subscription continues exactly behind its cursor, or is told that it cannot, and what to begin with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from antiphon.hub import Hub, Keep, Start, State, Summary
from antiphon.hub import fold as states
from antiphon.messages import Cursor
from hub.conftest import OpenHub, open_sqlite
from hub.kit import CaughtUp, Connection, log, new, patch, publish

KEEP_3 = {"*": Keep(max_events=3)}


@pytest.fixture(autouse=True)
def frequent_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PATCHES_PER_SNAPSHOT", 2)


async def patch_one_by_one(hub: Hub, channel: str, count: int) -> None:
    for n in range(count):
        await hub.publish(patch(channel, ("add", f"/k{n % 4}", n)))


def replayed(count: int) -> dict[str, int]:
    value = {}
    for n in range(count):
        value[f"k{n % 4}"] = n
    return value


@pytest.mark.parametrize("offset", range(6))
async def test_any_cursor_of_the_log_is_continued(open_hub: OpenHub, offset: int) -> None:
    async with open_hub() as hub:
        await publish(hub, "a", 5)
        connection = Connection(hub)
        reply = await connection.subscribe("a", Cursor(hub.epoch, offset))
        assert reply == (hub.epoch, offset, 5, 1, True, None)
        assert await connection.until_caught_up("a") == CaughtUp("a", hub.epoch, 5)
        await publish(hub, "a", 1)
        await connection.until_offset("a", 6)
        assert connection.offsets("a") == list(range(offset + 1, 7))


async def test_a_cursor_is_continued_after_reopening(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        epoch = hub.epoch
        await publish(hub, "a", 3)
        first = Connection(hub)
        await first.subscribe("a", Start.START)
        await first.until_caught_up("a")
        await publish(hub, "a", 2)  # not received any more, or just so: closing flushes
    async with open_hub() as hub:
        assert hub.epoch == epoch
        await publish(hub, "a", 2)
        second = Connection(hub)
        cursor = Cursor(epoch, first.offsets("a")[-1])
        assert (await second.subscribe("a", cursor)).recovered
        await second.until_caught_up("a")
        assert first.offsets("a") + second.offsets("a") == list(range(1, 8))


async def test_closing_flushes_what_was_acknowledged(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        connection = Connection(hub)
        await connection.subscribe("a")
        answers = [hub.submit(new("a", n)) for n in range(700)]
    assert [answer.result()[0].offset for answer in answers] == list(range(1, 701))
    assert connection.offsets("a") == list(range(1, 701))


STALE = {
    "another epoch": lambda hub: Cursor("another", 9),
    "another epoch, at the head": lambda hub: Cursor("another", 10),
    "beyond the head": lambda hub: Cursor(hub.epoch, 11),
    "far beyond the head": lambda hub: Cursor(hub.epoch, 2**53 - 1),
    "older than what is kept": lambda hub: Cursor(hub.epoch, 5),
    "before everything": lambda hub: Cursor(hub.epoch, 0),
}


@pytest.mark.parametrize("name", STALE)
async def test_a_refused_cursor_begins_at_the_oldest_event(open_hub: OpenHub, name: str) -> None:
    async with open_hub(keep=KEEP_3) as hub:
        await publish(hub, "a", 10)
        await hub.retention.sweep()
        connection = Connection(hub)
        reply = await connection.subscribe("a", STALE[name](hub))
        assert reply == (hub.epoch, 7, 10, 8, False, Summary(State(0, {}), []))
        await connection.until_caught_up("a")
        assert connection.offsets("a") == [8, 9, 10]


@pytest.mark.parametrize("name", STALE)
async def test_a_refused_cursor_begins_at_the_state_where_there_is_one(open_hub: OpenHub, name: str) -> None:
    async with open_hub(keep=KEEP_3) as hub:
        await patch_one_by_one(hub, "a", 10)
        await hub.retention.sweep()
        connection = Connection(hub)
        reply = await connection.subscribe("a", STALE[name](hub))
        assert reply == (hub.epoch, 10, 10, 8, False, Summary(State(10, replayed(10)), []))
        assert connection.tape[1:] == [CaughtUp("a", hub.epoch, 10)]


async def test_a_cursor_at_the_edge_of_what_is_kept_is_continued(open_hub: OpenHub) -> None:
    async with open_hub(keep=KEEP_3) as hub:
        await publish(hub, "a", 9)
        await hub.retention.sweep()
        connection = Connection(hub)
        assert await connection.subscribe("a", Cursor(hub.epoch, 6)) == (hub.epoch, 6, 9, 7, True, None)
        await connection.until_caught_up("a")
        assert connection.offsets("a") == [7, 8, 9]


async def test_of_a_channel_trimmed_empty_the_head_is_known(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_age_s=60)}) as hub:
        await publish(hub, "a", 4, time_ms=1000)
        await hub.retention.sweep()
        connection = Connection(hub)
        assert await connection.subscribe("a", Cursor(hub.epoch, 4)) == (hub.epoch, 4, 4, 5, True, None)
        refused = await Connection(hub).subscribe("a", Cursor(hub.epoch, 3))
        assert refused == (hub.epoch, 4, 4, 5, False, Summary(State(0, {}), []))
        start = await Connection(hub).subscribe("a", Start.START)
        assert start == (hub.epoch, 4, 4, 5, True, Summary(State(0, {}), []))
        assert await publish(hub, "a", 1) == [5]
        await connection.until_offset("a", 5)
    async with open_hub() as hub:
        assert await publish(hub, "a", 1) == [6]


# the state that comes with the reply


async def test_now_brings_the_state_as_of_the_head(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await patch_one_by_one(hub, "a", 5)
        await publish(hub, "a", 2)
        reply = await Connection(hub).subscribe("a", Start.NOW)
        assert reply == (hub.epoch, 7, 7, 1, True, Summary(State(5, replayed(5)), []))
        assert (await Connection(hub).subscribe("none", Start.NOW)).summary == Summary(State(0, {}), [])


async def test_start_brings_no_state_while_everything_is_kept(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await patch_one_by_one(hub, "a", 5)
        connection = Connection(hub)
        assert await connection.subscribe("a", Start.START) == (hub.epoch, 0, 5, 1, True, None)
        await connection.until_caught_up("a")
        assert connection.offsets("a") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("count", range(3, 20))
async def test_start_brings_the_state_that_the_kept_events_continue(open_hub: OpenHub, count: int) -> None:
    """Whatever was trimmed: the state as of `oldest - 1` and the patches from `oldest` on give that of the head."""
    async with open_hub(keep=KEEP_3) as hub:
        for n in range(count):
            await publish(hub, "a", n % 3)
            await hub.publish(patch("a", ("add", f"/k{n % 4}", n)))
            await hub.retention.sweep()
        events = await log(hub, "a")
        connection = Connection(hub)
        reply = await connection.subscribe("a", Start.START)
        await connection.until_caught_up("a")
        assert connection.events("a") == events
        assert reply.after == events[0].offset - 1
        assert (reply.summary is None) == (reply.oldest == 1)
        value = {} if reply.summary is None else dict(reply.summary.state.value)
        for event in events:
            if event.type == "state.patch":
                value |= {op["path"][1:]: op["value"] for op in event.data["ops"]}
        assert value == (await hub.state("a")).value == replayed(count)
    async with open_hub() as hub:
        assert (await hub.state("a")).value == replayed(count)
        again = await Connection(hub).subscribe("a", Start.START)
        assert again.summary == reply.summary


async def test_the_state_is_that_of_the_cursor_though_a_commit_is_under_way(tmp_path: Path) -> None:
    """With commits in a thread a subscriber may come while a batch is on its way: it has that one, or it gets it."""
    async with open_sqlite(tmp_path) as hub:
        for round_ in range(40):
            hub._broker.commit_s = 1.0  # type: ignore[attr-defined]  # a slow disk: commit in a thread
            channel = f"a{round_ % 4}"
            answers = [hub.submit(patch(channel, ("add", "/n", n))) for n in range(3)]
            for _ in range(round_ % 7):
                await asyncio.sleep(0)
            connection = Connection(hub)
            reply = await connection.subscribe(channel, Start.NOW)
            answers.append(hub.submit(patch(channel, ("add", "/n", 3))))
            head = [(await answer)[0].offset for answer in answers][-1]
            await connection.until(lambda: head in (reply.after, *connection.offsets(channel)[-1:]))  # noqa: B023
            assert connection.offsets(channel) == list(range(reply.after + 1, head + 1))
            assert reply.summary is not None
            assert reply.summary.state.version == reply.after
            assert reply.summary.state.value == ({"n": (reply.after - 1) % 4} if reply.after else {})
