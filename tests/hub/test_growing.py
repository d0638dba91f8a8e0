"""Messages that grow: rolled up before they are appended, whole for those who come late."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hub.conftest import OpenHub
from tests.hub.kit import DEADLINE_S, Connection, Held, log, new

from antiphon.brokers.memory import MemoryBroker
from antiphon.errors import InvalidMessage, KeyConflict
from antiphon.hub import Hub, Message, Start, fold, rollup
from antiphon.messages import NewEvent


def opened(channel: str, message_id: str = "m", role: str = "assistant") -> NewEvent:
    return NewEvent(channel, "message.open", orjson.dumps({"message_id": message_id, "role": role}))


def append(channel: str, delta: str, message_id: str = "m", **changes: Any) -> NewEvent:
    data = {"message_id": message_id, "delta": delta}
    return NewEvent(channel, "message.append", orjson.dumps(data))._replace(**changes)


def closed(channel: str, message_id: str = "m", status: str = "done") -> NewEvent:
    return NewEvent(channel, "message.close", orjson.dumps({"message_id": message_id, "status": status}))


async def text_of(hub: Hub, channel: str, message_id: str = "m") -> str:
    found = [event.data for event in await log(hub, channel) if event.type == "message.append"]
    return "".join(data["delta"] for data in found if data["message_id"] == message_id)


async def test_the_first_append_goes_at_once_and_the_rest_become_one_event(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(opened("a"))
        first = await hub.publish(append("a", "one "))
        waiting = [hub.submit(append("a", f"{number} ")) for number in range(50)]
        cursors = {(await answer)[0] for answer in waiting}
        assert [event.type for event in await log(hub, "a")] == ["message.open", "message.append", "message.append"]
        assert cursors == {first._replace(offset=3)}
        assert await text_of(hub, "a") == "one " + "".join(f"{number} " for number in range(50))


async def test_what_is_said_after_an_append_stays_behind_it(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        for event in (opened("a"), append("a", "x"), append("a", "y"), new("a", "note"), append("a", "z"), closed("a")):
            answer = hub.submit(event)
        await answer
        kinds = [event.type.removeprefix("message.") for event in await log(hub, "a")]
        assert kinds == ["open", "append", "append", "note", "append", "close"]
        assert await text_of(hub, "a") == "xyz"


async def test_two_messages_keep_the_order_in_which_they_were_said(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        chance = random.Random(7)
        said: list[tuple[str, str]] = []
        for name in ("m", "n"):
            await hub.publish(opened("a", name))
        answers = []
        for number in range(300):
            name = chance.choice("mn")
            said.append((name, f"{number};"))
            answers.append(hub.submit(append("a", f"{number};", name)))
        await asyncio.gather(*answers)
        order = [(event.data["message_id"], event.data["delta"]) for event in (await log(hub, "a"))[2:]]
        heard = [(name, f"{part};") for name, delta in order for part in delta.split(";")[:-1]]
        assert heard == said


async def test_late_joiners_get_the_text_so_far(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(opened("a"))
        for number in range(5):
            await hub.publish(append("a", f"{number} "))
        reply = await Connection(hub).subscribe("a")
        assert reply.summary.messages == [Message("m", "assistant", "0 1 2 3 4 ")]
        assert reply.after == reply.head
        connection = Connection(hub)
        await connection.subscribe("a")
        await hub.publish(append("a", "5"))
        await connection.until_offset("a", reply.head + 1)
        assert connection.events("a")[0].data["delta"] == "5"
        await hub.publish(closed("a"))
        assert (await Connection(hub).subscribe("a")).summary.messages == []


async def test_open_messages_survive_the_hub(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(opened("a", role="reasoning"))
        await hub.publish(append("a", "so "))
    async with open_hub() as hub:
        await hub.publish(append("a", "far"))
        reply = await Connection(hub).subscribe("a")
        assert reply.summary.messages == [Message("m", "reasoning", "so far")]


async def test_snapshots_hold_messages_and_state(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "EVENTS_PER_SNAPSHOT", 5)
    async with open_hub() as hub:
        await hub.publish(opened("a"))
        await hub.patch("a", [{"op": "add", "path": "/x", "value": 1}])
        for number in range(20):
            await hub.publish(append("a", f"{number} "))
            await hub.publish(new("a", number))
    async with open_hub() as hub:
        reply = await Connection(hub).subscribe("a")
        assert reply.summary.messages == [Message("m", "assistant", "".join(f"{number} " for number in range(20)))]
        assert reply.summary is not None
        assert reply.summary.state.value == {"x": 1}


WRONG = {
    "not open": append("a", "x"),
    "closed": closed("a"),
    "no id": NewEvent("a", "message.append", b'{"delta":"x"}'),
    "delta is a number": NewEvent("a", "message.append", b'{"message_id":"m","delta":1}'),
    "no role": NewEvent("a", "message.open", b'{"message_id":"m"}'),
    "not an object": NewEvent("a", "message.open", b"[]"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_does_not_fit_is_refused_alone(name: str, open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        with pytest.raises(InvalidMessage) as refused:
            await hub.publish(WRONG[name])
        assert refused.value.pointer is not None
        assert (await hub.publish(new("a", "next"))).offset == 1


async def test_opening_twice_and_appending_behind_the_close_are_refused(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(opened("a"))
        with pytest.raises(InvalidMessage):
            await hub.publish(opened("a"))
        answers = [hub.submit(append("a", "x")), hub.submit(closed("a")), hub.submit(append("a", "late"))]
        results = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(result).__name__ for result in results] == ["list", "list", "InvalidMessage"]
        assert await text_of(hub, "a") == "x"


async def test_a_retried_append_counts_once_also_inside_a_window_and_after_a_restart(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(opened("a"))
        await hub.publish(append("a", "0 ", idempotency_key="k0"))
        keyed = [append("a", f"{number} ", idempotency_key=f"k{number}") for number in (1, 2, 2, 0, 3, 1)]
        cursors = [(await answer)[0].offset for answer in [hub.submit(event) for event in keyed]]
        assert cursors == [3, 3, 3, 2, 3, 3]
        assert await text_of(hub, "a") == "0 1 2 3 "
    async with open_hub() as hub:
        assert (await hub.publish(append("a", "2 ", idempotency_key="k2"))).offset == 3
        with pytest.raises(KeyConflict):
            await hub.publish(append("a", "other", idempotency_key="k2"))
        assert await text_of(hub, "a") == "0 1 2 3 "


async def test_a_conflict_inside_a_window_refuses_only_that_part(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(opened("a"))
        await hub.publish(append("a", "0 ", idempotency_key="k"))
        answers = [hub.submit(append("a", "1 ")), hub.submit(append("a", "bad", idempotency_key="k"))]
        good, bad = await asyncio.gather(*answers, return_exceptions=True)
        assert isinstance(bad, KeyConflict)
        assert isinstance(good, list)
        assert await text_of(hub, "a") == "0 1 "


async def test_closing_the_hub_stores_what_was_held_back(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(opened("a"))
        await hub.publish(append("a", "x"))
        held = hub.submit(append("a", "y"))
    assert (await held)[0].offset == 3
    async with open_hub() as hub:
        assert await text_of(hub, "a") == "xy"


async def test_a_window_is_bounded(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await hub.publish(opened("a"))
        await hub.publish(append("a", "x"))
        big = "y" * (rollup.MAX_BYTES // 4)
        await asyncio.gather(*[hub.submit(append("a", big)) for _ in range(20)])
        sizes = [len(event.payload) for event in await log(hub, "a")]
        assert max(sizes) < rollup.MAX_BYTES * 2
        assert len(await text_of(hub, "a")) == 1 + 20 * len(big)


async def test_a_store_that_refuses_leaves_messages_as_they_are_stored() -> None:
    hub = Hub(MemoryBroker())
    async with hub:
        await hub.publish(opened("a"))
        await hub.publish(append("a", "x"))
        held = Held(hub)
        answer = hub.submit(new("a"))
        await held.until_entered()
        reader = asyncio.create_task(Connection(hub).subscribe("a"))
        held.let_go.set()
        await answer
        async with asyncio.timeout(DEADLINE_S):
            assert (await reader).summary.messages == [Message("m", "assistant", "x")]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("mn"), st.text(max_size=5), st.booleans()), max_size=40))
def test_any_interleaving_gives_the_same_texts_live_late_and_replayed(steps: list[tuple[str, str, bool]]) -> None:
    asyncio.run(interleaved(steps))


async def interleaved(steps: list[tuple[str, str, bool]]) -> None:
    async with Hub(MemoryBroker()) as hub:
        live, late = Connection(hub), Connection(hub)
        await live.subscribe("a")
        texts = {"m": "", "n": ""}
        for name in texts:
            await hub.publish(opened("a", name))
        answers = []
        for index, (name, delta, waits) in enumerate(steps):
            answers.append(hub.submit(append("a", delta, name)))
            texts[name] += delta
            if waits:
                await answers[-1]
            if index == len(steps) // 2:
                reply = await late.subscribe("a")
        await asyncio.gather(*answers)
        if not steps:
            reply = await late.subscribe("a")
        head = (await hub.history("a", limit=1)).head
        await live.until_offset("a", head)
        if reply.after < head:
            await late.until_offset("a", head)
        assert {name: await text_of(hub, "a", name) for name in texts} == texts
        assert grown({}, live) == texts
        assert reply.summary is not None
        assert grown({message.message_id: message.text for message in reply.summary.messages}, late) == texts


def grown(texts: dict[str, str], connection: Connection) -> dict[str, str]:
    for event in connection.events("a"):
        texts[event.data["message_id"]] = texts.get(event.data["message_id"], "") + event.data.get("delta", "")
    return texts


async def test_start_behind_retention_gets_the_messages_of_the_cut(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from antiphon.hub import Keep

    monkeypatch.setattr(fold, "EVENTS_PER_SNAPSHOT", 4)
    async with open_hub(keep={"a": Keep(max_events=3)}) as hub:
        await hub.publish(opened("a"))
        for number in range(12):
            await hub.publish(new("a", number))
            await hub.publish(append("a", f"{number} "))
        await hub.retention.sweep()
        connection = Connection(hub)
        reply = await connection.subscribe("a", Start.START)
        assert reply.oldest > 1
        assert reply.summary is not None
        await connection.until_offset("a", reply.head)
        notes = [event for event in connection.events("a") if event.type == "message.append"]
        assert reply.summary.messages[0].text + "".join(event.data["delta"] for event in notes) == "".join(
            f"{number} " for number in range(12)
        )
