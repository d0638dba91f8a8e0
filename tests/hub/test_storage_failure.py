"""A store that refuses in mid-stream: typed errors, nothing acknowledged lost, the hub goes on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.brokers.base import Batch
from antiphon.errors import StorageFailed, StorageFull
from antiphon.hub import Hub, Start, State, pulling
from hub.conftest import OpenHub, open_sqlite
from hub.kit import Connection, log, new, patch, publish


class Failing:
    """A store whose appends fail when told, before or after the store has done its part."""

    def __init__(self, hub: Hub, fails: Callable[[], bool]) -> None:
        self._append = hub._broker.append
        self._fails = fails
        self.failures = 0
        hub._broker.append = self._refuse  # type: ignore[method-assign]

    async def _refuse(self, batch: Batch) -> None:
        if self._fails():
            self.failures += 1
            raise StorageFull("the disk is full")
        await self._append(batch)


async def test_nothing_acknowledged_is_lost_and_the_state_is_that_of_the_log(open_hub: OpenHub) -> None:
    chance = random.Random(4)
    acknowledged: dict[int, int] = {}
    async with open_hub() as hub:
        await hub.publish(patch("a", ("add", "/list", [])))
        failing = Failing(hub, lambda: chance.random() < 0.4)
        live = Connection(hub)
        await live.subscribe("a", Start.START)
        for n in range(0, 600, 3):
            answers = [hub.submit(patch("a", ("add", "/list/-", n))), hub.submit(new("a", n + 1))]
            if chance.random() < 0.7:
                for number, result in enumerate(await asyncio.gather(*answers, return_exceptions=True), n):
                    assert isinstance(result, StorageFull | list)
                    if isinstance(result, list):
                        acknowledged[number] = result[0].offset
        assert failing.failures > 20
        hub._broker.append = failing._append  # type: ignore[method-assign]
        last = await hub.publish(new("a", "last"))
        events = await log(hub, "a")
        await live.until_offset("a", last.offset)
        assert live.events("a") == events
        assert [event.offset for event in events] == list(range(1, last.offset + 1))
        for number, offset in acknowledged.items():
            data = events[offset - 1].data
            assert data == number or data["ops"][0]["value"] == number
        replayed = [event.data["ops"][0]["value"] for event in events[1:] if event.type == "state.patch"]
        assert (await hub.state("a")).value == {"list": replayed}
    async with open_hub() as hub:
        assert (await hub.state("a")).value == {"list": replayed}


async def test_a_key_whose_publish_failed_is_free(open_hub: OpenHub) -> None:
    async with open_hub() as hub:
        failing = Failing(hub, lambda: True)
        with pytest.raises(StorageFull):
            await hub.publish(new("a", 1, idempotency_key="k"))
        failing._fails = lambda: False
        assert (await hub.publish(new("a", 2, idempotency_key="k"))).offset == 1


async def test_a_full_disk_refuses_until_there_is_room(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path) as hub:
        live = Connection(hub)
        await live.subscribe("a")
        await hub.publish(patch("a", ("add", "/n", 1)))
        db = hub._broker._db  # type: ignore[attr-defined]
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
        with pytest.raises(StorageFull):
            await hub.publish(patch("a", ("add", "/big", "x" * 100_000)))
        assert await hub.state("a") == State(1, {"n": 1})
        assert [event.offset for event in await log(hub, "a")] == [1]
        db.execute("PRAGMA max_page_count = 1000000")
        assert (await hub.publish(patch("a", ("add", "/n", 2)))).offset == 2
        await live.until_offset("a", 2)
        assert live.offsets("a") == [1, 2]
        assert await hub.state("a") == State(2, {"n": 2})


async def test_a_page_that_cannot_be_read_is_tried_again(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "RETRY_S", 0.001)
    async with open_hub() as hub:
        await publish(hub, "a", 5)
        read, failures = hub._broker.read, 3

        async def refuse_at_first(*args: object, **limits: object) -> object:
            nonlocal failures
            if failures:
                failures -= 1
                raise StorageFailed("unreadable")
            return await read(*args, **limits)  # type: ignore[arg-type]

        monkeypatch.setattr(hub._broker, "read", refuse_at_first)
        connection = Connection(hub)
        await connection.subscribe("a", Start.START)
        await connection.until_caught_up("a")
        assert connection.offsets("a") == [1, 2, 3, 4, 5]
        assert failures == 0


async def test_a_subscriber_that_cannot_be_placed_is_told_and_may_try_again(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub() as hub:
        connection = Connection(hub)

        async def refuse(*_: object) -> object:
            raise StorageFailed("unreadable")

        with monkeypatch.context() as patched:
            patched.setattr(hub._broker, "bounds", refuse)
            with pytest.raises(StorageFailed):
                await connection.subscribe("a")
            with pytest.raises(StorageFailed):
                await hub.publish(new("a"))
        await asyncio.sleep(0)
        await connection.subscribe("a")
        await publish(hub, "a", 1)
        await connection.until_offset("a", 1)
