"""A table as a channel's state: operations that say exactly what changed, through all failures of the store."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.observed_hub import ObservedHub

from antiphon.errors import Busy, StorageFull
from antiphon.messages import Cursor
from antiphon.services.table import StateTable, row_ops

values = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["", "a", "1"]))
rows = st.none() | st.fixed_dictionaries({"a": values, "b~/c": values}) | st.dictionaries(st.text(max_size=2), values)


@given(st.text(max_size=3), rows, rows)
def test_operations_turn_one_row_into_the_other(
    name: str, old: dict[str, Any] | None, new: dict[str, Any] | None
) -> None:
    before = {} if old is None else {name: old}
    after = {} if new is None else {name: new}
    assert jsonpatch.apply_patch(copy.deepcopy(before), row_ops(name, old, new)) == after


@given(rows)
def test_nothing_changed_is_no_operation(row: dict[str, Any] | None) -> None:
    assert row_ops("x", row, copy.deepcopy(row)) == []


async def test_changes_are_published_once_and_together(hub: ObservedHub) -> None:
    table = StateTable(hub, "rows")
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(table.run())
        table.put("a", {"x": 1, "y": 1})
        table.put("b", {"x": 1, "y": 1})
        await table.committed()
        table.set("a", x=2)
        table.set("a", x=1)
        await table.committed()
        table.set("a", y=2)
        table.remove("b")
        assert await table.flushed()
        writer.cancel()
    patches = [event.data["ops"] for event in await hub.events("rows")]
    assert [len(ops) for ops in patches] == [2, 2]
    assert (await hub.state("rows")).value == {"a": {"x": 1, "y": 2}}


async def test_a_new_table_goes_on_from_the_published_one(hub: ObservedHub) -> None:
    await hub.patch(
        "rows", [{"op": "add", "path": "/old", "value": {"x": 1}}, {"op": "add", "path": "/gone", "value": {}}]
    )
    table = StateTable(hub, "rows")
    await table.load()
    assert table.rows == {"old": {"x": 1}, "gone": {}}
    table.remove("gone")
    table.set("old", x=2)
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(table.run())
        await table.committed()
        writer.cancel()
    assert (await hub.state("rows")).value == {"old": {"x": 2}}


async def test_a_full_disk_delays_the_published_table_only(hub: ObservedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = 3
    patch = hub.patch

    async def refuse(channel: str, ops: list[dict[str, Any]], *, by: str | None = None) -> Cursor:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise StorageFull("no room")
        return await patch(channel, ops, by=by)

    monkeypatch.setattr(hub, "patch", refuse)
    monkeypatch.setattr("antiphon.services.table.Backoff.next_s", lambda _: 0.001)
    table = StateTable(hub, "rows")
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(table.run())
        table.put("a", {"x": 1})
        assert not await table.flushed()
        table.set("a", x=2)
        await table.committed()
        writer.cancel()
    assert (await hub.state("rows")).value == {"a": {"x": 2}}
    assert refusals == -1


async def test_a_state_that_is_not_what_we_thought_is_published_anew(
    hub: ObservedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.services.table.Backoff.next_s", lambda _: 0.001)
    table = StateTable(hub, "rows")
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(table.run())
        table.put("a", {"x": 1})
        await table.committed()
        await hub.patch("rows", [{"op": "remove", "path": "/a"}, {"op": "add", "path": "/stray", "value": {}}])
        table.set("a", x=2)
        await table.committed()
        writer.cancel()
    assert (await hub.state("rows")).value == {"a": {"x": 2}}


async def test_nobody_waits_for_a_writer_that_has_ended(hub: ObservedHub) -> None:
    table = StateTable(hub, "rows")
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(table.run())
        refused = group.create_task(_put_and_wait(table))
        await asyncio.sleep(0)
        writer.cancel()
        assert await refused


async def _put_and_wait(table: StateTable) -> bool:
    table.put("a", {})
    try:
        await table.committed()
    except Busy:
        return True
    return False
