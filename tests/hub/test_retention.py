"""Retention: what each family keeps, told to who was behind, cut only where a state can still be read."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import KeyConflict, StorageFailed
from antiphon.hub import Gap, Hub, Keep, Start, State, Summary, pulling, retention
from antiphon.hub import fold as states
from antiphon.hub.retention import Policy
from antiphon.messages import now_ms
from hub.conftest import OpenHub
from hub.kit import CaughtUp, Connection, Held, log, new, patch, publish, publish_and_flush


async def kept(hub: Hub, channel: str) -> list[int]:
    await hub.retention.sweep()
    offsets = [event.offset for event in await log(hub, channel)]
    history = await hub.history(channel)
    assert history.oldest == (offsets[0] if offsets else history.head + 1)
    assert offsets == list(range(history.oldest, history.head + 1))
    return offsets


def test_the_longest_pattern_decides() -> None:
    families = {"*": Keep(max_events=1), "log:*": Keep(max_events=2), "log:app": Keep(max_events=3)}
    policy = Policy(families)
    assert [policy.keep(name).max_events for name in ("run:1", "log:x", "log:app", "log:apple")] == [1, 2, 3, 2]
    assert Policy({}).keep("anything") == Keep(max_events=1_000_000)


async def test_by_count(open_hub: OpenHub) -> None:
    async with open_hub(keep={"a": Keep(max_events=3)}) as hub:
        for channel in ("a", "b"):
            await publish(hub, channel, 3)
        assert await kept(hub, "a") == [1, 2, 3]
        for channel in ("a", "b"):
            await publish(hub, channel, 7)
        assert await kept(hub, "a") == [8, 9, 10]
        assert await kept(hub, "b") == list(range(1, 11))
        assert hub.stats.trimmed == 7


async def test_by_age(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_age_s=3600)}) as hub:
        await publish(hub, "a", 4, time_ms=now_ms() - 7200_000)
        await publish(hub, "a", 2, time_ms=now_ms() - 60_000)
        assert await kept(hub, "a") == [5, 6]
        await publish(hub, "old", 3, time_ms=1)
        assert await kept(hub, "old") == []
        assert await publish(hub, "old", 1) == [4]
        assert await kept(hub, "old") == [4]


async def test_by_bytes_but_always_the_newest(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_bytes=100)}) as hub:
        for text in ("x" * 38, "y" * 38, "z" * 38):
            await hub.publish(new("a", text))
        assert await kept(hub, "a") == [2, 3]
        await hub.publish(new("a", "x" * 1000))
        assert await kept(hub, "a") == [4]


async def test_the_strictest_limit_counts(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_events=8, max_bytes=6, max_age_s=1e6)}) as hub:
        await publish(hub, "a", 10)
        assert await kept(hub, "a") == [5, 6, 7, 8, 9, 10]


async def test_what_came_since_the_newest_event_of_a_type_is_kept(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_events=3, since="begin")}) as hub:
        await publish(hub, "a", 10)
        assert await kept(hub, "a") == [8, 9, 10]
        for _ in range(2):
            await hub.publish(new("a", None)._replace(type="begin"))
            await publish(hub, "a", 5)
        assert await kept(hub, "a") == list(range(17, 23))
        await publish(hub, "a", 5)
        assert await kept(hub, "a") == list(range(17, 28))
        await hub.publish(new("a", None)._replace(type="begin"))
        assert await kept(hub, "a") == [26, 27, 28]
        assert (await hub.last_of("a", "begin"), await hub.last_of("a", "begin", after=28)) == (28, 0)


async def test_nothing_is_trimmed_by_default(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await publish(hub, "a", 1500, time_ms=1)
        assert len(await kept(hub, "a")) == 1500


async def test_a_channel_that_grew_before_reopening_is_trimmed_after(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await publish(hub, "a", 10)
    async with open_hub(keep={"*": Keep(max_events=2)}) as hub:
        await hub.retention.sweep()
        assert await kept(hub, "a") == [9, 10]
    async with open_hub() as hub:
        assert (await hub.history("a")).oldest == 9


async def test_what_is_trimmed_is_not_found(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_events=2)}) as hub:
        for _ in range(5):
            await hub.publish(new("a", "tea"))
        await hub.retention.sweep()
        assert [hit.offset for hit in (await hub.search("a", "tea")).hits] == [5, 4]
        assert [event.offset for event in (await hub.history("a", before=5)).events] == [4]
        assert (await hub.history("a", before=4)).events == []


async def test_two_sweeps_at_once_agree(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_events=5)}) as hub:
        for _ in range(20):
            answers = [hub.submit(new("a", n)) for n in range(30)]
            await asyncio.gather(hub.retention.sweep(), hub.retention.sweep(), *answers)
        offsets = await kept(hub, "a")
        assert offsets == list(range(596, 601))


async def test_a_failing_store_does_not_end_retention(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_hub(keep={"*": Keep(max_events=1)}) as hub:
        await publish(hub, "a", 3)

        async def refuse(*_: object, **__: object) -> None:
            raise StorageFailed("no")

        with monkeypatch.context() as patched:
            patched.setattr(hub._broker, "cut", refuse)
            with pytest.raises(StorageFailed):
                await hub.retention.sweep()
        assert len(await log(hub, "a")) == 3
        assert await kept(hub, "a") == [3], "what it could not trim is looked at again"


async def test_a_sweep_that_is_given_up_or_fails_does_not_end_the_writer(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub(keep={"*": Keep(max_events=1)}) as hub:
        await publish(hub, "a", 3)
        held = Held(hub)
        answer = hub.submit(new("a"))
        await held.until_entered()
        sweeping = asyncio.ensure_future(hub.retention.sweep())
        for _ in range(5):
            await asyncio.sleep(0)
        sweeping.cancel()
        held.let_go.set()
        await answer

        async def fault(*_: object, **__: object) -> None:
            raise RuntimeError("a fault of ours")

        with monkeypatch.context() as patched:
            patched.setattr(hub._broker, "forget_receipts", fault)
            with pytest.raises(RuntimeError):
                await hub.retention.sweep()
        assert (await hub.publish(new("a"))).offset == 5


async def test_who_subscribes_while_a_channel_is_cut_gets_the_state_that_is_kept(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the search of `test_crash.py`: bounds from before the cut, a snapshot that was gone with it."""
    monkeypatch.setattr(states, "PATCHES_PER_SNAPSHOT", 1)
    async with open_hub(keep={"*": Keep(max_events=2)}) as hub:
        for n in range(1, 40):
            await hub.publish(patch("a", ("add", "/n", n)))
            sweeping = asyncio.ensure_future(hub.retention.sweep())
            for _ in range(n % 10):
                await asyncio.sleep(0)
            reply = await Connection(hub).subscribe("a", Start.START)
            assert reply.oldest == 1 or reply.summary == Summary(State(reply.after, {"n": reply.after}), [])
            await sweeping


async def test_receipts_outlive_their_events(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_events=1)}) as hub:
        first = await hub.publish(new("a", 1, idempotency_key="k"))
        await publish(hub, "a", 5)
        assert await kept(hub, "a") == [6]
        assert await hub.publish(new("a", 1, idempotency_key="k")) == first
        with pytest.raises(KeyConflict):
            await hub.publish(new("a", 2, idempotency_key="k"))


async def test_receipts_are_kept_for_a_day(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_hub() as hub:
        first = await hub.publish(new("a", 1, idempotency_key="k"))
        hours = 3600_000
        with monkeypatch.context() as later:
            later.setattr(retention, "now_ms", lambda: now_ms() + 24 * hours)
            await hub.retention.sweep()
            assert await hub.publish(new("a", 1, idempotency_key="k")) == first
            later.setattr(retention, "now_ms", lambda: now_ms() + 26 * hours)
            await hub.retention.sweep()
        assert await hub.publish(new("a", 1, idempotency_key="k")) == (hub.epoch, 2)


# who was behind


async def test_a_gap_is_told_and_delivery_goes_on_behind_it(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "PAGE_EVENTS", 2)
    async with open_hub(keep={"*": Keep(max_events=3)}) as hub:
        await publish(hub, "a", 6)
        slow = Connection(hub, bound_bytes=4)
        slow.stop_reading()
        await slow.subscribe("a", Start.START)
        await slow.until(lambda: slow.queued_bytes > 0)
        await publish(hub, "a", 4)
        await hub.retention.sweep()
        slow.go_on_reading()
        told = await slow.until_caught_up("a")
        assert told == CaughtUp("a", hub.epoch, 10)
        assert slow.all(Gap) == [Gap("a", hub.epoch, 3, 7, "retention", None)]
        assert slow.offsets("a") == [1, 2, 8, 9, 10]
        assert slow.tape.index(slow.all(Gap)[0]) == 3, "between the two it separates"
        assert hub.stats.gaps == 1


async def test_a_gap_in_a_channel_with_a_state_brings_it(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PATCHES_PER_SNAPSHOT", 2)
    monkeypatch.setattr(pulling, "PAGE_EVENTS", 2)
    async with open_hub(keep={"*": Keep(max_events=3)}) as hub:
        slow = Connection(hub, bound_bytes=4)
        await slow.subscribe("a")
        slow.stop_reading()
        for n in range(10):
            await hub.publish(patch("a", ("add", f"/{n % 3}", n)))
        await slow.until(lambda: slow.queued_bytes > 0)
        seen = [part.offset for part in slow._waiting][-1]
        await hub.retention.sweep()
        assert (await hub.history("a")).oldest > seen + 1
        slow.go_on_reading()
        await slow.until(lambda: bool(slow.all(Gap)))
        assert slow.all(Gap) == [
            Gap("a", hub.epoch, seen + 1, 10, "retention", Summary(State(10, {"0": 9, "1": 7, "2": 8}), []))
        ]
        await hub.publish(new("a"))
        await slow.until_offset("a", 11)
        assert slow.offsets("a") == [*range(1, seen + 1), 11]


async def test_who_was_cut_from_the_live_ones_is_told_of_the_gap_too(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_events=2)}) as hub:
        slow = Connection(hub, bound_bytes=350)
        await slow.subscribe("a")
        slow.stop_reading()
        await publish_and_flush(hub, "a", 9)
        assert hub.stats.cuts == 1
        await hub.retention.sweep()
        slow.go_on_reading()
        await slow.until_offset("a", 9)
        assert slow.offsets("a") == [1, 2, 3, 8, 9]
        assert slow.all(Gap) == [Gap("a", hub.epoch, 4, 7, "retention", None)]
        assert len(slow.all(CaughtUp)) == 1


async def test_live_subscribers_notice_nothing(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_events=1)}) as hub:
        live = Connection(hub)
        await live.subscribe("a")
        for _ in range(10):
            await publish(hub, "a", 7)
            await hub.retention.sweep()  # also of what was not flushed yet
        await live.until_offset("a", 70)
        assert live.offsets("a") == list(range(1, 71))
        assert live.all(Gap) == []


# states


async def test_a_state_is_cut_only_behind_a_snapshot(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PATCHES_PER_SNAPSHOT", 5)
    async with open_hub(keep={"*": Keep(max_events=2)}) as hub:
        oldest = []
        for n in range(1, 18):
            await hub.publish(patch("a", ("add", "/n", n)))
            await hub.retention.sweep()
            found = (await hub.history("a")).oldest
            oldest.append(found)
            snapshot = await hub._broker.snapshot("a", upto=found - 1)
            assert found == 1 or (snapshot is not None and snapshot.offset == found - 1)
        assert oldest == sorted(oldest)
        assert oldest[-1] > 10
        assert len(set(oldest)) > 2


async def test_a_state_never_snapshotted_again_keeps_its_patches(open_hub: OpenHub) -> None:
    async with open_hub(keep={"*": Keep(max_events=1)}) as hub:
        for n in range(5):
            await hub.publish(patch("a", ("add", f"/{n}", n)))
        assert await kept(hub, "a") == [2, 3, 4, 5], "the first patch made a snapshot"
        assert (await Connection(hub).subscribe("a", Start.START)).summary == Summary(State(1, {"0": 0}), [])


async def test_rare_patches_do_not_keep_a_busy_channel_from_being_trimmed(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "EVENTS_PER_SNAPSHOT", 20)
    async with open_hub(keep={"*": Keep(max_events=5)}) as hub:
        await hub.publish(patch("a", ("add", "/x", 1)))
        for _ in range(20):
            await publish(hub, "a", 5)
        offsets = await kept(hub, "a")
        assert len(offsets) < 30
        assert (await Connection(hub).subscribe("a", Start.START)).summary == Summary(State(1, {"x": 1}), [])
    async with open_hub() as hub:
        assert await hub.state("a") == State(1, {"x": 1})
