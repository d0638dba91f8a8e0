"""Contract 6 and what else a publisher is promised: once, all or nothing, and nobody pays for another's mistake."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import Busy, InternalError, InvalidPatch, KeyConflict
from antiphon.hub import State, writer
from antiphon.messages import Cursor, NewEvent
from hub.conftest import OpenHub
from hub.kit import Connection, Held, log, new, patch, publish


def keyed(data: object, key: str = "k", **changes: object) -> NewEvent:
    return new("a", data, idempotency_key=key)._replace(**changes)


async def test_an_event_comes_back_as_it_was_published(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(NewEvent("a", "speech", b'{"text":"hi"}', by="ann", time_ms=5))
        (event,) = (await hub.history("a")).events
        assert (event.type, event.data, event.by, event.time_ms) == ("speech", {"text": "hi"}, "ann", 5)


# once


async def test_a_retry_gets_the_first_answer(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        first = await hub.publish(keyed("tea"))
        await publish(hub, "a", 3)
        assert await hub.publish(keyed("tea")) == first == Cursor(hub.epoch, 1)
        assert len(await log(hub, "a")) == 4


async def test_a_retry_after_a_restart_gets_the_first_answer(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        first = await hub.publish(keyed("tea"))
    async with open_hub() as hub:
        assert await hub.publish(keyed("tea")) == first
        with pytest.raises(KeyConflict):
            await hub.publish(keyed("coffee"))
        assert len(await log(hub, "a")) == 1


async def test_a_retry_while_the_first_is_still_committing_gets_its_answer(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        held = Held(hub)
        first = hub.submit(keyed("tea"))
        await held.until_entered()
        retry, conflict = hub.submit(keyed("tea")), hub.submit(keyed("coffee"))
        assert not first.done()
        held.let_go.set()
        assert await retry == await first
        with pytest.raises(KeyConflict):
            await conflict
        assert len(await log(hub, "a")) == 1


async def test_a_retry_in_the_same_batch_gets_the_first_answer(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        answers = [hub.submit(keyed("tea")), hub.submit(keyed("tea")), hub.submit(keyed("coffee", "other"))]
        assert [(await answer)[0].offset for answer in answers] == [1, 1, 2]


@pytest.mark.parametrize("other", [keyed("coffee"), keyed("tea", type="other"), keyed(None)])
async def test_other_data_under_a_key_is_a_conflict(open_hub: OpenHub, other: NewEvent) -> None:
    async with open_hub() as hub:
        await hub.publish(keyed("tea"))
        with pytest.raises(KeyConflict):
            await hub.publish(other)
        assert await hub.publish(keyed("tea", "another key")) == Cursor(hub.epoch, 2)


async def test_keys_belong_to_a_user_and_a_channel(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        made = [
            keyed(0),
            keyed(1, by="ann"),
            keyed(2, by="bob"),
            keyed(3, channel="b"),
            keyed(4, channel="b", by="ann"),
        ]
        first = [await hub.publish(event) for event in made]
        assert [cursor.offset for cursor in first] == [1, 2, 3, 1, 2]
        assert [await hub.publish(event) for event in made] == first


async def test_a_refused_publish_leaves_its_key_free(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        wrong = patch("a", ("test", "/x", 1), idempotency_key="k")
        with pytest.raises(InvalidPatch):
            await hub.publish(wrong)
        with pytest.raises(InvalidPatch):
            await hub.publish_many([keyed("tea"), patch("a", ("remove", "/x", None))])
        assert await hub.publish(keyed("coffee")) == Cursor(hub.epoch, 1)


async def test_a_repeated_patch_is_applied_once(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(patch("a", ("add", "/list", [])))
        grow = patch("a", ("add", "/list/-", 1), idempotency_key="k")
        assert [(await hub.publish(grow)).offset for _ in range(3)] == [2, 2, 2]
        assert await hub.state("a") == State(2, {"list": [1]})


# all or nothing


async def test_many_are_stored_together_and_contiguous(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        before = [hub.submit(new("a", "before")) for _ in range(3)]
        many = asyncio.ensure_future(hub.publish_many([new("ab"[n % 2], n) for n in range(6)]))
        await asyncio.sleep(0)
        after = hub.submit(new("a", "after"))
        assert [cursor.offset for cursor in await many] == [4, 1, 5, 2, 6, 3]
        assert [(await answer)[0].offset for answer in [*before, after]] == [1, 2, 3, 7]


async def test_many_with_one_that_is_wrong_leave_nothing(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(patch("a", ("add", "/n", 1)))
        good = patch("a", ("replace", "/n", 2), ("add", "/m", 3))
        neighbours = [hub.submit(new("a", 1)), hub.submit(new("b", 1))]
        with pytest.raises(InvalidPatch):
            await hub.publish_many(
                [new("a"), good, keyed("x"), new("new"), patch("a", ("remove", "/gone", None))], checkpoint=("c", "1")
            )
        assert [(await answer)[0].offset for answer in neighbours] == [2, 1]
        assert await hub.state("a") == State(1, {"n": 1})
        assert await hub.checkpoint("c") is None
        assert [name for name, _ in await hub.channels()] == ["a", "b"]
        assert await hub.publish(new("a")) == Cursor(hub.epoch, 3)


async def test_a_checkpoint_is_stored_with_its_events(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        assert await hub.checkpoint("importer") is None
        await hub.publish_many([new("a"), new("a")], checkpoint=("importer", "line 2"))
        assert await hub.checkpoint("importer") == "line 2"
        assert await hub.publish_many([], checkpoint=("importer", "line 3")) == []
    async with open_hub() as hub:
        assert await hub.checkpoint("importer") == "line 3"
        assert len(await log(hub, "a")) == 2


async def test_nothing_of_many_is_visible_before_all(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        connection = Connection(hub)
        await connection.subscribe("a")
        await hub.publish_many([new("a", n) for n in range(writer.BATCH_EVENTS + 50)])
        await connection.until_offset("a", 1)
        assert len(connection.events("a")) == writer.BATCH_EVENTS + 50


# state


async def test_patches_change_the_state_and_its_version(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        assert await hub.state("a") == State(0, {})
        assert await hub.patch("a", [{"op": "add", "path": "/x", "value": [1]}], by="ann") == Cursor(hub.epoch, 1)
        await publish(hub, "a", 2)
        assert await hub.state("a") == State(1, {"x": [1]})
        assert (await hub.history("a")).events[0].by == "ann"
    async with open_hub() as hub:
        assert await hub.state("a") == State(1, {"x": [1]})


@pytest.mark.parametrize("payload", [b"null", b"[]", b'{"ops":{}}', b"{}", b'{"ops":[],"x":1}', b'{"ops":[1]}'])
async def test_what_is_no_patch_is_refused_alone(open_hub: OpenHub, payload: bytes) -> None:
    async with open_hub() as hub:
        wrong = NewEvent("a", "state.patch", payload)
        before, refused, after = hub.submit(new("a")), hub.submit(wrong), hub.submit(new("a"))
        with pytest.raises(InvalidPatch):
            await refused
        assert [(await answer)[0].offset for answer in (before, after)] == [1, 2]


async def test_a_fault_in_preparing_one_event_concerns_it_alone(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        faulty = NewEvent("a", "state.patch", b"{")  # a service of ours that hands in what is no JSON
        before, refused, after = hub.submit(new("a")), hub.submit(faulty), hub.submit(new("a"))
        with pytest.raises(InternalError):
            await refused
        assert [(await answer)[0].offset for answer in (before, after)] == [1, 2]


async def test_patches_of_one_batch_see_each_other(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        answers = [
            hub.submit(patch("a", ("add", "/list", []))),
            hub.submit(patch("a", ("add", "/list/-", 1))),
            hub.submit(patch("a", ("add", "/list/7", 2))),
            hub.submit(patch("a", ("add", "/list/-", 3))),
        ]
        results = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(result) for result in results] == [list, list, InvalidPatch, list]
        assert await hub.state("a") == State(3, {"list": [1, 3]})


async def test_a_state_is_read_back_from_snapshot_and_patches(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from antiphon.hub import state as states

    monkeypatch.setattr(states, "PATCHES_PER_SNAPSHOT", 7)
    for lives in range(1, 6):
        async with open_hub() as hub:
            for n in range(9):
                await hub.publish(patch("a", ("add", f"/{lives}-{n}", n)))
            current = await hub.state("a")
            assert len(current.value) == 9 * lives
    async with open_hub() as hub:
        assert await hub.state("a") == current


# who may, and when


@pytest.mark.parametrize(
    ("channel", "is_owned"),
    [
        ("processes", True),
        ("processes:x", False),
        ("process", False),
        ("log:app", True),
        ("log:", True),
        ("log", False),
        ("logs", False),
        ("LOG:app", False),
        ("news:tea", False),
    ],
)
async def test_claims_are_names_and_families(open_hub: OpenHub, channel: str, is_owned: bool) -> None:
    async with open_hub() as hub:
        hub.claim("processes")
        hub.claim("log:")
        assert hub.is_owned(channel) is is_owned


async def test_a_hub_that_is_closing_takes_nothing_more(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        pass
    with pytest.raises(Busy):
        hub.submit(new("a"))
    with pytest.raises(Busy):
        await hub.publish(new("a"))


async def test_a_publisher_that_gives_up_takes_nothing_back(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        held = Held(hub)
        publishing = asyncio.ensure_future(hub.publish(new("a", "kept")))
        await held.until_entered()
        publishing.cancel()
        held.let_go.set()
        await asyncio.wait([publishing])
        assert publishing.cancelled()
        assert await hub.publish(new("a", "next")) == Cursor(hub.epoch, 2)
        assert [event.data for event in await log(hub, "a")] == ["kept", "next"]


async def test_publishers_wait_while_too_much_waits(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUEUE_EVENTS", 10)
    async with open_hub() as hub:
        held = Held(hub)
        hub.submit(new("a"))
        await held.until_entered()
        waiting = [asyncio.ensure_future(hub.publish(new("a", n))) for n in range(100)]
        for _ in range(200):
            await asyncio.sleep(0)
        assert hub.queued <= 11 + 100
        hub.submit(new("a"))
        late = asyncio.ensure_future(hub.publish(new("a", "late")))
        for _ in range(5):
            await asyncio.sleep(0)
        queued = hub.queued
        held.let_go.set()
        assert queued > 10
        assert {cursor.offset for cursor in await asyncio.gather(*waiting)} <= set(range(2, 104))
        assert (await late).offset == 103
