"""A run as a file: out here, in there, the same events byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest
from tests.runs.conftest import OpenScene
from tests.runs.kit import Scene, begin, close, grow, log, note, tool, tool_end

from antiphon.errors import AntiphonError, InvalidMessage, InvalidParams, NotFound, RunEnded
from antiphon.services.runs import RunEvent


async def exported(scene: Scene, run_id: str = "r") -> list[bytes]:
    return [line async for line in scene.runs.export(run_id)]


async def a_whole_run(scene: Scene) -> None:
    await scene.open(input={"q": "tee ☕"}, title="Tea", thread_id="t", labels={"a": "b"})
    await scene.say(begin(), grow("ein "), grow("Wort"), close(), tool(), tool_end())
    await scene.say(RunEvent("state.patch", {"ops": [{"op": "add", "path": "/k", "value": [1.5, None, 10**15]}]}))
    await scene.say(RunEvent("run.usage", {"cost_usd": 0.25}))
    await scene.finish(result={"answer": 42})


async def test_an_imported_run_has_the_same_events_byte_for_byte(open_scene: OpenScene) -> None:
    async with open_scene() as scene:
        await a_whole_run(scene)
        lines = await exported(scene)
        row = await scene.runs.import_(lines, by="eve")
        again = await exported(scene, row["run_id"])
        assert again[1:] == lines[1:]
        assert row["run_id"] != "r"
        assert row["owner"] == {"kind": "imported", "client": "eve", "pid": None}
        same = {key: value for key, value in row.items() if key not in ("run_id", "owner")}
        assert same == {key: value for key, value in (await scene.row()).items() if key in same}
        assert (await scene.hub.state(f"run:{row['run_id']}")).value == {"k": [1.5, None, 10**15]}
        assert (await scene.runs.get(row["run_id"])).result == {"answer": 42}
        with pytest.raises(RunEnded):
            await scene.say(note(), run_id=row["run_id"], lease=None)
    async with open_scene() as scene:
        assert scene.runs.rows[row["run_id"]] == row
        assert await exported(scene, row["run_id"]) == again


async def test_the_first_line_says_what_it_is(scene: Scene) -> None:
    await a_whole_run(scene)
    head, first, *_ = [orjson.loads(line) for line in await exported(scene)]
    assert head == {"antiphon_run": 1, "run": await scene.row()}
    assert list(first) == ["offset", "type", "time", "by", "data"]
    with pytest.raises(NotFound):
        await exported(scene, "other")


async def test_a_long_run_is_taken_in_pages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.services.runs.importing.PAGE", 7)
    monkeypatch.setattr("antiphon.services.runs.transfer.PAGE", 10)
    await scene.open()
    await scene.say(*[note(str(number)) for number in range(40)])
    await scene.finish()
    lines = await exported(scene)
    row = await scene.runs.import_(lines, by=None)
    assert (await exported(scene, row["run_id"]))[1:] == lines[1:]


async def test_a_run_that_had_not_ended_is_lost_where_it_comes_in(scene: Scene) -> None:
    await scene.open()
    await scene.say(note())
    row = await scene.runs.import_(await exported(scene), by=None)
    assert (row["status"], row["reason"]) == ("lost", "exported before its end")
    assert await scene.types(row["run_id"]) == ["run.started", "log", "run.lost"]


def changed(lines: Sequence[bytes], number: int, **fields: object) -> list[bytes]:
    line = orjson.loads(lines[number]) | fields
    return [*lines[:number], orjson.dumps(line), *lines[number + 1 :]]


async def test_a_file_that_is_none_is_refused_and_leaves_nothing(scene: Scene) -> None:
    await a_whole_run(scene)
    lines = await exported(scene)
    wrong: list[tuple[list[bytes], type[AntiphonError], str]] = [
        ([], InvalidParams, "line 1"),
        ([b"tea"], InvalidParams, "line 1: no JSON"),
        ([b"{}"], InvalidParams, "line 1: no head"),
        (changed(lines, 0, antiphon_run=2), InvalidParams, "line 1: no head"),
        (changed(lines, 0, run={"name": "../x"}), InvalidParams, "line 1: no head"),
        (lines[:1], InvalidParams, "line 2"),
        (lines[:1] + lines[2:], InvalidParams, "line 2"),
        (changed(lines, 2, time="yesterday"), InvalidParams, "line 3: no event"),
        (changed(lines, 2, type="boss"), InvalidParams, "line 3: 'boss' cannot stand here"),
        ([*lines, lines[2]], InvalidParams, f"line {len(lines) + 1}: .* cannot stand here"),
        (lines[:2] + lines[3:], InvalidMessage, "not open"),
    ]
    for file, error, words in wrong:
        with pytest.raises(error, match=words):
            await scene.runs.import_(file, by=None)
    assert list(scene.runs.rows) == ["r"]
    names = [name for name, bounds in await scene.hub.channels("run:") if bounds.oldest <= bounds.head]
    assert names == ["run:r"]
    assert len(await log(scene.hub, "thread:t")) == 1
