"""The canary says what is stuck; readiness is a real round trip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.hub.kit import DEADLINE_S, Held

from antiphon.brokers.memory import MemoryBroker
from antiphon.hub import Hub
from antiphon.server.canary import CHANNEL, Canary, Stage


@asynccontextmanager
async def singing(hub: Hub) -> AsyncIterator[Canary]:
    canary = Canary(hub, interval_s=0.001, patience_s=0.05)
    task = asyncio.create_task(canary.run())
    yield canary
    task.cancel()
    await asyncio.wait([task])


async def until_changed(canary: Canary) -> Stage | None:
    async with asyncio.timeout(DEADLINE_S):
        await canary.changed.wait()
    canary.changed.clear()
    return canary.problem


async def until_sung(hub: Hub, times: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while (await hub.history(CHANNEL, limit=1)).head < times:  # noqa: ASYNC110 - what we wait for makes no sound
            await asyncio.sleep(0)


async def test_while_all_is_well_it_says_nothing() -> None:
    async with Hub(MemoryBroker()) as hub, singing(hub) as canary:
        await until_sung(hub, 5)
        assert canary.problem is None
        assert canary.round_trip_s > 0


async def test_a_stuck_store_is_named_and_so_is_its_recovery() -> None:
    async with Hub(MemoryBroker()) as hub:
        held = Held(hub)
        async with singing(hub) as canary:
            assert await until_changed(canary) is Stage.STORE
            held.let_go.set()
            assert await until_changed(canary) is None


async def test_a_stuck_flush_clock_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Hub(MemoryBroker()) as hub, singing(hub) as canary:
        await until_sung(hub, 2)
        with monkeypatch.context() as stopped:
            stopped.setattr(hub._fanout, "_tick", lambda: None)
            assert await until_changed(canary) is Stage.FLUSH


async def test_a_stuck_writer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Hub(MemoryBroker()) as hub:
        let_go = asyncio.Event()

        async def stuck() -> None:
            await let_go.wait()

        job = asyncio.create_task(hub._writer.perform(stuck))
        async with singing(hub) as canary:
            assert await until_changed(canary) in (Stage.WRITER, Stage.STORE)
            let_go.set()
            assert await until_changed(canary) is None
        await job
