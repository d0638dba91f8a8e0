"""Lines into the log exactly once, with a crash at every point around every commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.observed_hub import ObservedHub, OpenHub
from tests.processes.programs import COUNTER, SLEEPER, python

from antiphon.errors import StorageFull
from antiphon.messages import Cursor, NewEvent
from antiphon.services.processes import Processes
from antiphon.services.processes.directories import find

LINES = 2500  # three batches, and one for the end
CODE = COUNTER + "sys.exit(2)"


async def assert_all_is_there(hub: ObservedHub) -> None:
    await hub.until_type("log:a", "process.exited")
    events = await hub.events("log:a")
    assert [event.type for event in events] == ["process.started", *["line"] * LINES, "process.exited"]
    assert [event.data["text"] for event in events[1:-1]] == [str(number) for number in range(LINES)]
    assert events[-1].data == {"exit_code": 2, "signal": None}
    await hub.until_row("a", status="failed", exit_code=2)


@pytest.mark.parametrize("point", range(1, 6))
@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after it"])
async def test_a_crash_at_each_publish(open_hub: OpenHub, tmp_path: Path, point: int, committed: bool) -> None:
    configs = {"a": python(CODE, 0, LINES)}
    async with open_hub() as hub:
        crashed, publishes = asyncio.Event(), 0
        publish = hub.publish_many

        async def publish_many(
            events: Sequence[NewEvent], *, checkpoint: tuple[str, str] | None = None
        ) -> list[Cursor]:
            nonlocal publishes
            publishes += 1
            if publishes < point:
                return await publish(events, checkpoint=checkpoint)
            if committed:
                await publish(events, checkpoint=checkpoint)
            crashed.set()
            return await asyncio.Future()

        hub.publish_many = publish_many  # type: ignore[method-assign]
        processes = await Processes(hub, configs, tmp_path).__aenter__()
        try:
            await processes.start("a")
            if point < 4:
                await crashed.wait()
            else:  # how many batches there are depends on the program's pace
                await hub.until_row("a", status="failed")
        finally:
            await processes.release()
    async with open_hub() as hub, Processes(hub, configs, tmp_path):
        await assert_all_is_there(hub)
    assert list(find(tmp_path / "processes")) == []


async def test_lost_answers(open_hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of all publishes fail, half of these after the commit."""
    monkeypatch.setattr("antiphon.services.processes.ingest.Backoff.next_s", lambda _: 0.001)
    publishes = 0
    async with open_hub() as hub:
        publish = hub.publish_many

        async def publish_many(
            events: Sequence[NewEvent], *, checkpoint: tuple[str, str] | None = None
        ) -> list[Cursor]:
            nonlocal publishes
            publishes += 1
            if publishes % 4 == 1:
                raise StorageFull("no room")
            cursors = await publish(events, checkpoint=checkpoint)
            if publishes % 4 == 3:
                raise StorageFull("committed, but nobody was told")
            return cursors

        hub.publish_many = publish_many  # type: ignore[method-assign]
        async with Processes(hub, {"a": python(CODE, 0, LINES)}, tmp_path) as processes:
            await processes.start("a")
            await assert_all_is_there(hub)
    assert publishes >= 6


async def test_a_full_disk_is_told_in_the_row_and_stops_nobody_else(
    open_hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.services.processes.ingest.Backoff.next_s", lambda _: 0.001)
    async with open_hub() as hub:
        publish, full = hub.publish_many, True

        async def publish_many(
            events: Sequence[NewEvent], *, checkpoint: tuple[str, str] | None = None
        ) -> list[Cursor]:
            if full and any(event.channel == "log:a" for event in events):
                raise StorageFull("no room")
            return await publish(events, checkpoint=checkpoint)

        hub.publish_many = publish_many  # type: ignore[method-assign]
        configs = {"a": python(SLEEPER), "b": python(SLEEPER)}
        async with Processes(hub, configs, tmp_path) as processes:
            await processes.start("a")
            await hub.until_row("a", status="running", reason="its lines wait on disk: no room")
            await processes.start("b")
            assert await hub.until_lines("log:b", 1) == ["up"]
            full = False
            await hub.until_row("a", status="running", reason=None)
            assert await hub.until_lines("log:a", 1) == ["up"]


async def test_line_times_are_those_of_the_program(open_hub: OpenHub, tmp_path: Path) -> None:
    async with open_hub() as hub, Processes(hub, {"a": python("print('x')")}, tmp_path) as processes:
        row = await processes.start("a")
        await hub.until_type("log:a", "process.exited")
        started, line, exited = await hub.events("log:a")
        assert started.time_ms <= line.time_ms <= exited.time_ms
        assert started.data == {"pid": row["pid"] or started.data["pid"]}


async def test_broken_text_and_long_lines(open_hub: OpenHub, tmp_path: Path) -> None:
    code = r"""
import os
os.write(1, b"bad \xff byte\n10%\r50%\r100%\n" + b"x" * 100 + b"\nlast")
"""
    async with open_hub() as hub, Processes(hub, {"a": python(code, line_limit_bytes=10)}, tmp_path) as processes:
        await processes.start("a")
        await hub.until_type("log:a", "process.exited")
        assert await hub.lines("log:a") == ["bad \ufffd byte", "100%", "x" * 10 + " [... 90 bytes cut]", "last"]
