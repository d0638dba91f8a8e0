"""Followed files on a real hub."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.observed_hub import ObservedHub, OpenHub

from antiphon.errors import SettingsError, StorageFull
from antiphon.messages import Cursor, NewEvent
from antiphon.services.logs import LogConfig, Logs, check_names


def append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


async def row(hub: ObservedHub, name: str) -> dict[str, Any]:
    return dict((await hub.state("logs")).value.get(name, {}))


async def test_a_file_becomes_a_channel(open_hub: OpenHub, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    async with open_hub() as hub, Logs(hub, {"app": LogConfig(path=path)}):
        assert hub.is_owned("logs")
        assert hub.is_owned("log:app")

        async def is_waiting() -> bool:
            return await row(hub, "app") == {
                "path": str(path),
                "status": "waiting",
                "size_bytes": 0,
                "channel": "log:app",
            }

        await hub.until(is_waiting)
        append(path, "one", "two")
        assert await hub.until_lines("log:app", 2) == ["one", "two"]
        assert (await hub.events("log:app"))[0].data == {"text": "one", "stream": "file"}

        async def is_following() -> bool:
            return (await row(hub, "app")).get("status") == "following" and (await row(hub, "app"))["size_bytes"] == 8

        await hub.until(is_following)


async def test_nothing_twice_and_nothing_missing_over_restarts(open_hub: OpenHub, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    expected: list[str] = []
    for life in range(4):
        fresh = [f"{life} {number} and some words to make it longer" for number in range(1500)]
        append(path, *fresh)
        expected += fresh
        if life == 2:
            path.rename(tmp_path / "app.log.1")
            append(path, "after the rotation")
            expected.append("after the rotation")
        async with open_hub() as hub, Logs(hub, {"app": LogConfig(path=path)}):
            assert await hub.until_lines("log:app", len(expected)) == expected


async def test_crashes_around_the_commit(open_hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of every second publish is lost, of half of these after the commit."""
    path = tmp_path / "app.log"
    wanted = [f"{number} {'x' * 90}" for number in range(5000)]
    append(path, *wanted)
    calls = 0

    async def publish_many(
        hub: ObservedHub, events: Sequence[NewEvent], *, checkpoint: tuple[str, str] | None = None
    ) -> list[Cursor]:
        nonlocal calls
        calls += 1
        if calls % 4 == 1:
            raise StorageFull("no room")
        answer = await super(ObservedHub, hub).publish_many(events, checkpoint=checkpoint)
        if calls % 4 == 3:
            raise StorageFull("committed, but nobody was told")
        return answer

    monkeypatch.setattr(ObservedHub, "publish_many", publish_many)
    monkeypatch.setattr("antiphon.services.logs.follower.Backoff.next_s", lambda _: 0.001)
    async with open_hub() as hub, Logs(hub, {"app": LogConfig(path=path)}):
        assert await hub.until_lines("log:app", len(wanted)) == wanted
        append(path, "the end")
        assert await hub.until_lines("log:app", len(wanted) + 1) == [*wanted, "the end"]
    assert calls > 8


async def test_one_bad_file_does_not_end_the_others(open_hub: OpenHub, tmp_path: Path) -> None:
    (tmp_path / "directory.log").mkdir()
    configs = {
        "bad": LogConfig(path=tmp_path / "directory.log"),
        "nowhere": LogConfig(path=tmp_path / "missing" / "x.log"),
        "good": LogConfig(path=tmp_path / "good.log"),
    }
    append(tmp_path / "good.log", "fine")
    async with open_hub() as hub, Logs(hub, configs):
        assert await hub.until_lines("log:good", 1) == ["fine"]
        (tmp_path / "missing").mkdir()
        append(tmp_path / "missing" / "x.log", "here now")
        assert await hub.until_lines("log:nowhere", 1) == ["here now"]


async def test_rows_of_files_that_are_no_longer_configured_go(open_hub: OpenHub, tmp_path: Path) -> None:
    async with open_hub() as hub, Logs(hub, {"old": LogConfig(path=tmp_path / "old.log")}):

        async def is_there() -> bool:
            return bool(await row(hub, "old"))

        await hub.until(is_there)
    async with open_hub() as hub, Logs(hub, {}):

        async def is_gone() -> bool:
            return not await row(hub, "old")

        await hub.until(is_gone)


async def test_a_fault_of_ours_ends_the_body(open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Logs) -> None:
        raise LookupError("a fault of ours")

    monkeypatch.setattr(Logs, "_keep_table", broken)
    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        async with open_hub() as hub, Logs(hub, {}):
            await asyncio.Event().wait()


def test_a_log_and_a_process_cannot_share_a_channel() -> None:
    check_names(["a"], ["b"])
    with pytest.raises(SettingsError, match="log:web"):
        check_names(["web"], ["web", "b"])
