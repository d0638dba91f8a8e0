"""What a service does to a whole channel: drop what is held back, store several things in one step, forget all."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from tests.hub.conftest import OpenHub
from tests.hub.kit import log, new

from antiphon.errors import InvalidMessage, RunCancelled
from antiphon.hub import Hub
from antiphon.messages import NewEvent


def said(kind: str, **data: object) -> NewEvent:
    return NewEvent("a", f"message.{kind}", orjson.dumps({"message_id": "m", **data}))


async def grow(hub: Hub) -> None:
    await hub.publish(said("open", role="assistant"))
    await hub.publish(said("append", delta="one"))


async def test_what_is_held_back_can_be_dropped_and_is_never_stored(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await grow(hub)
        waiting = [hub.submit(said("append", delta=text)) for text in ("two", "three")]
        hub.drop("a", RunCancelled("cancelled"))
        await hub.publish(new("a", "end"))
        for answer in waiting:
            with pytest.raises(RunCancelled):
                await answer
        assert [event.type for event in await log(hub, "a")] == ["message.open", "message.append", "note"]


async def test_dropping_leaves_what_was_posted_and_other_channels_alone(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await grow(hub)
        posted = hub.submit(new("a", "note"))
        hub.drop("b", RunCancelled("cancelled"))
        hub.drop("a", RunCancelled("cancelled"))
        assert (await posted)[0].offset == 3


async def test_flushing_puts_what_is_held_back_before_what_follows(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await grow(hub)
        waiting = hub.submit(said("append", delta="two"))
        hub.flush("a")
        await hub.publish(new("b", "end"))
        assert waiting.done()


async def test_events_of_several_channels_are_posted_in_one_step_or_not_at_all(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await grow(hub)
        told: asyncio.Queue[object] = asyncio.Queue()
        held = hub.submit(said("append", delta="two"))
        hub.post_many([said("close", status="completed"), new("b", "end")], told.put_nowait)
        assert [cursor.offset for cursor in await told.get()] == [4, 1]  # type: ignore[attr-defined]
        assert (await held)[0].offset == 3
        hub.post_many([new("b", "more"), said("close", status="completed")], told.put_nowait)
        assert isinstance(await told.get(), InvalidMessage)
        assert len(await log(hub, "b")) == 1


async def test_a_cleared_channel_holds_nothing_and_goes_on(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        await grow(hub)
        await hub.patch("a", [{"op": "add", "path": "/key", "value": 1}])
        await hub.clear("a")
        await hub.clear("a")
    async with open_hub() as hub:
        assert await log(hub, "a") == []
        assert (await hub.state("a")).value == {}
        await hub.publish(said("open", role="user"))
        assert [event.offset for event in await log(hub, "a")] == [4]
