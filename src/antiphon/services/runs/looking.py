"""Looking at runs: lists, one with all about it, and waiting for an outcome."""

from __future__ import annotations

import asyncio
from typing import Any

from antiphon.hub import Hub
from antiphon.messages import Event
from antiphon.services.runs.ledger import Ledger
from antiphon.services.runs.record import Record
from antiphon.services.runs.states import ENDED
from antiphon.services.runs.values import Details, Filter, RunResult
from antiphon.services.table import Row


def find(ledger: Ledger, wanted: Filter) -> list[Row]:
    """The rows that fit, newest first; none where `before` is not known any more."""
    found: list[Row] = []
    passed = wanted.before is None
    for run_id, row in reversed(ledger.rows.items()):
        if passed and _fits(row, wanted):
            found.append(row)
            if len(found) == wanted.limit:
                break
        passed = passed or run_id == wanted.before
    return found


def _fits(row: Row, wanted: Filter) -> bool:
    if wanted.status and row["status"] not in wanted.status:
        return False
    for key in ("name", "by", "thread_id", "parent_run_id"):
        value = getattr(wanted, key)
        if value is not None and row[key] != value:
            return False
    return all(row["labels"].get(key) == value for key, value in wanted.label.items())


async def details(hub: Hub, ledger: Ledger, record: Record) -> Details:
    """All about a run as it is now."""
    first = (await hub.history(record.channel, after=0, limit=1)).events
    row = ledger.rows[record.run_id]
    outcome = await _outcome(hub, record, row)
    children = [other for other in ledger.rows.values() if other["parent_run_id"] == record.run_id]
    started = first[0].data if first and first[0].type == "run.started" else {}
    return Details(row, started.get("input"), outcome.get("result"), row["error"], children)


async def result(hub: Hub, ledger: Ledger, record: Record, timeout_s: float) -> RunResult:
    """Wait until the outcome is stored, or the time is over."""
    try:
        async with asyncio.timeout(timeout_s):
            await record.over.wait()
    except TimeoutError:
        return RunResult("running", None, None)
    row = ledger.rows.get(record.run_id)
    if row is None:  # forgotten as soon as it had ended
        return RunResult(ledger.status(record), None, None)
    return RunResult(row["status"], (await _outcome(hub, record, row)).get("result"), row["error"])


async def _outcome(hub: Hub, record: Record, row: Row) -> dict[str, Any]:
    """The data of the last event of a run that has ended."""
    if row["status"] not in ENDED:
        return {}
    last: list[Event] = (await hub.history(record.channel, limit=1)).events
    return last[0].data if last and last[0].type == f"run.{row['status']}" else {}
