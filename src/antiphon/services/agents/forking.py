"""A thread that goes on from an earlier point of another one: it inherits what was remembered until then."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from antiphon.errors import ConflictError, NotFound
from antiphon.hub import Hub
from antiphon.messages import NewEvent
from antiphon.services.agents.memory import FORKED, MESSAGES, remembered
from antiphon.services.agents.values import new_thread_row
from antiphon.services.runs import ENDED, thread_channel
from antiphon.services.table import Row

MAX_DEPTH = 100  # forks of forks


def runs_of(thread_id: str, threads: Mapping[str, Row], runs: Mapping[str, Row], depth: int = 0) -> list[Row]:
    """The runs that a thread shows, oldest first: those that it inherited, then its own."""
    own = [row for row in runs.values() if row["thread_id"] == thread_id]
    origin = threads.get(thread_id, {}).get("forked_from")
    if origin is None or depth == MAX_DEPTH:
        return own
    return _until(runs_of(origin["thread_id"], threads, runs, depth + 1), origin["run_id"]) + own


def _until(rows: list[Row], run_id: str | None) -> list[Row]:
    """Up to and including a run; none where it is known no longer: what came before it was forgotten earlier."""
    names = [row["run_id"] for row in rows]
    return rows[: names.index(run_id) + 1] if run_id in names else []


def last_of(rows: Sequence[Row], run_id: str | None) -> str | None:
    """The run up to which is forked; None = nothing has ended yet. Raises NotFound, ConflictError."""
    if run_id is None:
        ended = [row["run_id"] for row in rows if row["status"] in ENDED]
        return ended[-1] if ended else None
    found = next((row for row in rows if row["run_id"] == run_id), None)
    if found is None:
        raise NotFound(f"there is no run {run_id[:80]!r} in this thread", pointer="/params/run_id")
    if found["status"] not in ENDED:
        raise ConflictError(f"run {run_id} has not ended yet", pointer="/params/run_id")
    return run_id


def fork_of(source: Row, last: str | None, *, by: str | None, now: str) -> Row:
    """The row of the new thread."""
    origin = {"thread_id": source["thread_id"], "run_id": last}
    thread_id = f"thread_{secrets.token_hex(10)}"
    return new_thread_row(thread_id, agent=source["agent"], by=by, title=source["title"], now=now, forked_from=origin)


async def inherited(hub: Hub, thread_id: str, rows: Sequence[Row], last: str | None) -> dict[str, list[Any]]:
    """What is remembered until then, by run. Raises StorageError."""
    memory = await remembered(hub, thread_id)
    order = [row["run_id"] for row in rows]
    later = set(order[order.index(last) + 1 :]) if last in order else set(order)
    return {run_id: messages for run_id, messages in memory.items() if run_id not in later}


def events_of(row: Row, memory: Mapping[str, list[Any]]) -> list[NewEvent]:
    """What the new thread's channel begins with."""
    channel = thread_channel(row["thread_id"])
    events = [NewEvent(channel, FORKED, orjson.dumps(row["forked_from"]))]
    for run_id, messages in memory.items():
        events.append(NewEvent(channel, MESSAGES, orjson.dumps({"run_id": run_id, "messages": messages})))
    return events
