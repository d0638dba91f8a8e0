"""Channels are loaded when they are needed and forgotten when nobody uses them."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.hub import Keep, Start, State, channel
from antiphon.messages import Cursor
from hub.conftest import OpenHub
from hub.kit import Connection, Held, new, patch, publish


@pytest.mark.slow
async def test_more_idle_channels_than_are_kept_come_back_right(open_hub: OpenHub) -> None:
    count = channel.MAX_IDLE_CHANNELS + 500
    async with open_hub() as hub:
        used = Connection(hub)
        await used.subscribe("used", Start.START)
        answers = [hub.submit(patch(f"c{n}", ("add", "/n", n), idempotency_key="k")) for n in range(count)]
        await asyncio.gather(*answers)
        assert len(hub._channels._channels) <= channel.MAX_IDLE_CHANNELS
        for n in (0, 1, count // 2, count - 1):
            assert await hub.state(f"c{n}") == State(1, {"n": n})
            assert await hub.publish(patch(f"c{n}", ("add", "/n", n), idempotency_key="k")) == Cursor(hub.epoch, 1)
            assert await hub.publish(new(f"c{n}")) == Cursor(hub.epoch, 2)
        await publish(hub, "used", 1)
        await used.until_offset("used", 1)
        assert len(await hub.channels("c")) == count


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "MAX_IDLE_CHANNELS", 3)


async def test_a_channel_in_use_is_not_forgotten(open_hub: OpenHub, few: None) -> None:
    async with open_hub() as hub:
        connections = [Connection(hub) for _ in range(6)]
        for n, connection in enumerate(connections):
            await connection.subscribe(f"used{n}")
        for n in range(20):
            await publish(hub, f"other{n}", 2)
        for n, connection in enumerate(connections):
            assert await publish(hub, f"used{n}", 1) == [1]
            await connection.until_offset(f"used{n}", 1)
            connection.outlet.unsubscribe(f"used{n}")
        for n in range(20):
            assert await publish(hub, f"other{n}", 1) == [3]
        assert len(hub._channels._channels) < 20


async def test_a_channel_forgotten_while_somebody_subscribes_is_the_same_for_all(open_hub: OpenHub, few: None) -> None:
    """The subscriber waits for a commit under way; meanwhile its channel is idle, and others push it out."""
    async with open_hub() as hub:
        held = Held(hub)
        answer = hub.submit(new("busy"))
        await held.until_entered()
        connection = Connection(hub)
        subscribing = asyncio.ensure_future(connection.subscribe("a"))
        await asyncio.sleep(0)
        for n in range(10):
            await hub.history(f"other{n}")
        held.let_go.set()
        await answer
        await subscribing
        await publish(hub, "a", 1)
        await connection.until_offset("a", 1)


async def test_a_channel_forgotten_while_it_is_trimmed_knows_its_bounds(
    open_hub: OpenHub, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub(keep={"*": Keep(max_events=2)}) as hub:
        await publish(hub, "a", 6)
        cut = hub._broker.cut

        async def cut_slowly(name: str, *, oldest: int) -> None:
            for n in range(10):
                await hub.history(f"other{n}")
            await hub.history("a")  # loaded again, as it was before the cut
            await cut(name, oldest=oldest)

        monkeypatch.setattr(hub._broker, "cut", cut_slowly)
        await hub.retention.sweep()
        assert (await hub.history("a")).oldest == 5
        assert [event.offset for event in (await hub.history("a", after=0)).events] == [5, 6]
        assert (await Connection(hub).subscribe("a", Cursor(hub.epoch, 3))).recovered is False


async def test_many_channels_in_use_are_not_searched_through_at_each_new_one(
    open_hub: OpenHub, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more in use than may be idle, looking for idle ones must not happen each time: that would be quadratic."""
    looked = 0

    def counted(self: channel.Channel) -> bool:
        nonlocal looked
        looked += 1
        return not self.users and not self.fresh

    monkeypatch.setattr(channel.Channel, "is_idle", property(counted))
    async with open_hub() as hub:
        connection = Connection(hub)
        for n in range(500):
            await connection.subscribe(f"c{n}")
        assert looked < 3000
