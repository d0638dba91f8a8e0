"""What every store promises: the contract of `brokers/base.py`, method by method."""

from __future__ import annotations

import random
import re

import pytest

from antiphon.brokers import sqlite
from antiphon.brokers.base import KEPT_SNAPSHOTS, Batch, Bounds, Broker, Receipt, ReceiptKey, Search, Snapshot
from antiphon.messages import EPOCH_PATTERN, MAX_OFFSET, Event, now_ms
from brokers.kit import UNLIMITED, count_found, event, events, fill, offsets_found, whole

WHOLE = {"after": 0, "upto": MAX_OFFSET, "max_events": UNLIMITED, "max_bytes": UNLIMITED}


async def test_epoch_is_a_word_that_fits_into_cursors(broker: Broker) -> None:
    assert re.fullmatch(EPOCH_PATTERN, broker.epoch)


async def test_reading_creates_no_channel(broker: Broker) -> None:
    assert await broker.bounds("a") == Bounds(1, 0)
    assert await broker.read("a", **WHOLE) == []
    assert await broker.read_back("a", before=MAX_OFFSET, max_events=9, max_bytes=9) == []
    assert await broker.folded("a", after=0) == []
    assert await broker.last_of("a", "note", after=0) == 0
    assert await broker.snapshot("a") is None
    assert await broker.receipts([ReceiptKey("u", "a", "k")]) == {}
    assert await broker.checkpoint("a") is None
    assert await broker.newer("a", than_ms=0) == 1
    assert await broker.fitting("a", max_bytes=0) == 1
    assert await broker.purge("a") is False
    assert await offsets_found(broker, "a", "x") == []
    assert await broker.channels("") == []
    assert await broker.bounds("a") == Bounds(1, 0)


async def test_events_come_back_as_they_were_stored(broker: Broker) -> None:
    stored = [
        event("a", 1, {"text": 'Grüße, "世界" \n\t\\ 🎼'}, by="müller", type="note.ü"),
        event("a", 2, None, time_ms=0),
        event("a", 3, [1, 2.5, True, None, {}], by="", time_ms=2**52),
    ]
    await broker.append(Batch(events=stored))
    assert await whole(broker, "a") == stored
    assert [found.data for found in stored] == [found.data for found in await whole(broker, "a")]


async def test_a_batch_may_hold_many_events_of_many_channels(broker: Broker) -> None:
    mixed = [event(channel, offset) for offset in range(1, 1301) for channel in ("a", "b", "c")]
    await broker.append(Batch(events=mixed))
    for channel in ("a", "b", "c"):
        assert await whole(broker, channel) == [found for found in mixed if found.channel == channel]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 511, 512, 513, 1023])
async def test_batches_of_any_length_are_stored_whole(broker: Broker, count: int) -> None:
    stored = await fill(broker, "a", 1, count)
    stored += await fill(broker, "a", count + 1, 2 * count)
    assert await whole(broker, "a") == stored
    assert await broker.bounds("a") == Bounds(1, 2 * count)


async def test_an_empty_batch_changes_nothing(broker: Broker) -> None:
    await broker.append(Batch())
    assert await broker.channels("") == []


async def test_channels_lists_by_prefix_and_name(broker: Broker) -> None:
    for name in ("log:b", "log:a", "lo", "run:1", "log", "LOG:a"):
        await fill(broker, name, 1, 2)
    assert [name for name, _ in await broker.channels("log:")] == ["log:a", "log:b"]
    assert await broker.channels("run:") == [("run:1", Bounds(1, 2))]
    assert [name for name, _ in await broker.channels("")] == sorted(["log:b", "log:a", "lo", "run:1", "log", "LOG:a"])
    assert await broker.channels("log:%") == []


async def test_the_newest_of_a_type(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "SCAN", 3)
    starts = {1, 4, 12}
    stored = [event("a", offset, type="start" if offset in starts else "line") for offset in range(1, 21)]
    await broker.append(Batch(events=[*stored, event("b", 1, type="start")]))
    assert [await broker.last_of("a", "start", after=after) for after in (0, 11, 12, 99)] == [12, 12, 0, 0]
    assert await broker.last_of("a", "line", after=0) == 20
    assert await broker.last_of("a", "nothing", after=0) == 0
    await broker.cut("a", oldest=13)
    assert await broker.last_of("a", "start", after=0) == 0


# pages


async def test_pages_stop_at_each_limit(broker: Broker) -> None:
    stored = await fill(broker, "a", 1, 20)
    size = len(stored[0].payload)
    assert await broker.read("a", after=5, upto=9, max_events=99, max_bytes=UNLIMITED) == stored[5:9]
    assert await broker.read("a", after=5, upto=99, max_events=3, max_bytes=UNLIMITED) == stored[5:8]
    assert await broker.read("a", after=0, upto=99, max_events=99, max_bytes=2 * size) == stored[:2]
    assert await broker.read("a", after=0, upto=99, max_events=99, max_bytes=1) == stored[:1], "at least one"
    assert await broker.read("a", after=20, upto=99, max_events=99, max_bytes=UNLIMITED) == []


async def test_pages_backwards_are_the_newest_and_ascend(broker: Broker) -> None:
    stored = await fill(broker, "a", 1, 20)
    size = len(stored[-1].payload)
    assert await broker.read_back("a", before=MAX_OFFSET, max_events=3, max_bytes=UNLIMITED) == stored[-3:]
    assert await broker.read_back("a", before=4, max_events=99, max_bytes=UNLIMITED) == stored[:3]
    assert await broker.read_back("a", before=21, max_events=99, max_bytes=2 * size) == stored[-2:]
    assert await broker.read_back("a", before=21, max_events=99, max_bytes=1) == stored[-1:], "at least one"
    assert await broker.read_back("a", before=1, max_events=99, max_bytes=UNLIMITED) == []


async def test_pages_of_any_size_cover_the_log_without_holes(broker: Broker) -> None:
    chance = random.Random(6)
    stored = [event("a", offset, "x" * chance.randrange(200)) for offset in range(1, 400)]
    await broker.append(Batch(events=stored))
    forward: list[Event] = []
    while page := await broker.read(
        "a", after=len(forward), upto=399, max_events=chance.randint(1, 40), max_bytes=chance.randint(0, 3000)
    ):
        forward += page
    backward: list[Event] = []
    while page := await broker.read_back(
        "a", before=400 - len(backward), max_events=chance.randint(1, 40), max_bytes=chance.randint(0, 3000)
    ):
        backward = page + backward
    assert forward == backward == stored


async def test_folded_events_are_picked_out_in_order(broker: Broker) -> None:
    stored = [event("a", n, type="state.patch" if n % 3 == 0 else "note") for n in range(1, 11)]
    await broker.append(Batch(events=stored))
    assert [found.offset for found in await broker.folded("a", after=0)] == [3, 6, 9]
    assert [found.offset for found in await broker.folded("a", after=3)] == [6, 9]


# what is stored beside events


async def test_receipts_are_found_by_user_channel_and_key(broker: Broker) -> None:
    key = ReceiptKey("ann", "a", "k")
    receipt = Receipt(1, b"\x00\xff" * 8)
    await broker.append(Batch(events=events("a", 1, 1), receipts={key: receipt}))
    others = [
        ReceiptKey("bob", "a", "k"),
        ReceiptKey("ann", "b", "k"),
        ReceiptKey("ann", "a", "K"),
        ReceiptKey("", "a", "k"),
    ]
    assert await broker.receipts([*others, key]) == {key: receipt}


async def test_receipts_are_forgotten_by_age(broker: Broker) -> None:
    key = ReceiptKey("", "a", "k")
    before = now_ms()
    await broker.append(Batch(events=events("a", 1, 1), receipts={key: Receipt(1, b"d")}))
    await broker.forget_receipts(before_ms=before)
    assert await broker.receipts([key])
    await broker.forget_receipts(before_ms=now_ms() + 1)
    assert await broker.receipts([key]) == {}


async def test_checkpoints_are_replaced(broker: Broker) -> None:
    await broker.append(Batch(checkpoints={"importer": "1:ü"}))
    assert await broker.checkpoint("importer") == "1:ü"
    await broker.append(Batch(events=events("a", 1, 1), checkpoints={"importer": "2", "other": ""}))
    assert (await broker.checkpoint("importer"), await broker.checkpoint("other")) == ("2", "")


async def test_the_newest_fitting_snapshot_is_found(broker: Broker) -> None:
    taken = [Snapshot(offset, offset - 1, b'{"n":%d}' % offset) for offset in (3, 6, 9)]
    for index, snapshot in enumerate(taken):
        await broker.append(Batch(events=events("a", 3 * index + 1, 3 * index + 3), snapshots={"a": snapshot}))
    assert await broker.snapshot("a") == taken[2]
    assert await broker.snapshot("a", upto=8) == taken[1]
    assert await broker.snapshot("a", upto=6) == taken[1]
    assert await broker.snapshot("a", upto=2) is None
    assert await broker.snapshot("b") is None


async def test_snapshots_are_thinned_out_but_never_the_oldest_or_the_newest(broker: Broker) -> None:
    for offset in range(1, 101):
        await broker.append(Batch(events=events("a", offset, offset), snapshots={"a": Snapshot(offset, offset, b"{}")}))
        assert await broker.snapshot("a") == Snapshot(offset, offset, b"{}")
    kept = {(await broker.snapshot("a", upto=upto) or Snapshot(0, 0, b"")).offset for upto in range(1, 101)}
    assert {1, 99, 100} <= kept
    assert len(kept) <= KEPT_SNAPSHOTS


# forgetting


async def test_what_was_cut_is_gone_at_once_and_offsets_go_on(broker: Broker) -> None:
    stored = await fill(broker, "a", 1, 10)
    await broker.cut("a", oldest=5)
    assert await broker.bounds("a") == Bounds(5, 10)
    assert await offsets_found(broker, "a", "") == []  # numbers are no strings
    while await broker.purge("a"):
        pass
    assert await whole(broker, "a") == stored[4:]
    assert await broker.read_back("a", before=5, max_events=9, max_bytes=UNLIMITED) == []
    stored += await fill(broker, "a", 11, 12)
    assert await whole(broker, "a") == stored[4:]


async def test_a_channel_cut_empty_keeps_its_head(broker: Broker) -> None:
    await fill(broker, "a", 1, 3)
    await broker.cut("a", oldest=4)
    while await broker.purge("a"):
        pass
    assert await broker.bounds("a") == Bounds(4, 3)
    assert await broker.channels("") == [("a", Bounds(4, 3))]
    assert await broker.newer("a", than_ms=0) == 4
    assert await broker.fitting("a", max_bytes=0) == 4
    assert await offsets_found(broker, "a", "x") == []
    assert await whole(broker, "a") == []
    await fill(broker, "a", 4, 4)
    assert await broker.bounds("a") == Bounds(4, 4)


async def test_cut_keeps_the_snapshot_that_what_is_left_begins_with(broker: Broker) -> None:
    for offset in (2, 4, 6):
        new = events("a", offset - 1, offset)
        await broker.append(Batch(events=new, snapshots={"a": Snapshot(offset, offset, b"{}")}))
    await broker.cut("a", oldest=5)
    assert await broker.snapshot("a", upto=3) is None
    assert await broker.snapshot("a", upto=4) == Snapshot(4, 4, b"{}")
    assert await broker.snapshot("a") == Snapshot(6, 6, b"{}")


async def test_purging_is_done_in_bounded_steps_and_ends(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHUNK", 7)
    await fill(broker, "a", 1, 50)
    await fill(broker, "b", 1, 50)
    await broker.cut("a", oldest=41)
    steps = 0
    while await broker.purge("a"):
        steps += 1
        assert steps <= 50
    assert [found.offset for found in await whole(broker, "a")] == list(range(41, 51))
    assert len(await whole(broker, "b")) == 50


async def test_newer_finds_the_first_that_is_young_enough(broker: Broker) -> None:
    times = [100, 100, 200, 200, 200, 300]
    await broker.append(Batch(events=[event("a", n, time_ms=time) for n, time in enumerate(times, 1)]))
    wanted = {0: 1, 100: 1, 101: 3, 200: 3, 201: 6, 300: 6, 301: 7}
    assert {than: await broker.newer("a", than_ms=than) for than in wanted} == wanted
    await broker.cut("a", oldest=4)
    assert await broker.newer("a", than_ms=0) == 4


async def test_fitting_agrees_with_adding_up(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHUNK", 5)
    chance = random.Random(3)
    stored = [event("a", offset, "x" * chance.randrange(30)) for offset in range(1, 31)]
    await broker.append(Batch(events=stored))
    for oldest in (1, 2, 5, 6, 7, 26, 30):
        await broker.cut("a", oldest=oldest)
        for max_bytes in range(0, 600, 3):
            assert await broker.fitting("a", max_bytes=max_bytes) == first_fitting(stored, oldest, max_bytes)


def first_fitting(stored: list[Event], oldest: int, max_bytes: int) -> int:
    head = stored[-1].offset
    sizes = {found.offset: len(found.payload) for found in stored}
    fits = [n for n in range(oldest, head + 1) if sum(sizes[later] for later in range(n, head + 1)) <= max_bytes]
    return min(fits, default=head)


# searching; see test_search.py for what matches


async def test_a_slice_ends_at_its_limit_and_goes_on_behind_it(broker: Broker) -> None:
    await broker.append(Batch(events=[event("a", n, {"t": "tea" if n % 2 else "coffee"}) for n in range(1, 21)]))
    part = await broker.search(Search("a", "tea", MAX_OFFSET, 3, ignore_case=False))
    assert [hit.offset for hit in part.hits] == [19, 17, 15]
    assert (part.count, part.complete) == (3, False)
    assert await offsets_found(broker, "a", "tea", limit=3) == list(range(19, 0, -2))
    assert await offsets_found(broker, "a", "tea", before=7, limit=2) == [5, 3, 1]
    assert await count_found(broker, "a", "tea") == 10
    assert await count_found(broker, "a", "tea", before=19) == 9
    assert await count_found(broker, "a", "tea", before=1) == 0


async def test_hits_are_the_events_themselves(broker: Broker) -> None:
    stored = event("a", 1, {"t": "tea"}, by="ann", type="speech", time_ms=5)
    await broker.append(Batch(events=[stored]))
    part = await broker.search(Search("a", "tea", MAX_OFFSET, 5, ignore_case=False))
    assert part.hits == [stored]
    assert (part.complete, part.scanned_to) == (True, 1)


async def test_search_sees_nothing_that_was_cut(broker: Broker) -> None:
    await broker.append(Batch(events=[event("a", n, "tea") for n in range(1, 11)]))
    await broker.cut("a", oldest=8)
    assert await offsets_found(broker, "a", "tea") == [10, 9, 8]
    assert await offsets_found(broker, "a", "tea", before=5) == []


async def test_closing_twice_is_allowed(broker: Broker) -> None:
    await broker.close()
    await broker.close()
