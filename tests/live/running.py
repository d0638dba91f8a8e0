"""What tests of runs share: a run opened over a plain socket, and waiting for what the server says about it."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.workspace import whole_log

LEASE = "a-secret-of-more-than-16-characters"
OUTCOMES = ("succeeded", "failed", "cancelled", "lost")


async def open_run(rpc: Rpc, name: str = "research", **fields: Any) -> str:
    """The id of a new run that this socket owns; its lease is LEASE."""
    opened = await rpc.call("run.open", **{"name": name, "lease": LEASE, **fields})
    assert opened["lease"] == fields.get("lease", LEASE)
    return str(opened["run_id"])


def said(*events: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"type": kind, "data": data} for kind, data in events]


def log(text: str) -> dict[str, Any]:
    return {"type": "log", "data": {"level": "info", "text": text}}


async def emit(rpc: Rpc, run_id: str, *events: dict[str, Any], lease: str | None = LEASE) -> Any:
    given = {} if lease is None else {"lease": lease}
    return await rpc.call("run.emit", run_id=run_id, events=list(events), **given)


async def finish(rpc: Rpc, run_id: str, status: str = "succeeded", **fields: Any) -> dict[str, Any]:
    found = await rpc.call("run.finish", **{"run_id": run_id, "lease": LEASE, "status": status, **fields})
    return dict(found["run"])


async def until_row(server: RealServer, channel: str, key: str, **wanted: Any) -> dict[str, Any]:
    """Wait until the published row of a run or a question has these fields."""
    row: dict[str, Any] = {}
    try:
        async with asyncio.timeout(DEADLINE_S), Rpc.connect(server.live) as rpc:
            await rpc.call("subscribe", channel=channel)
            while True:
                row = (await rpc.call("state", channel=channel))["value"].get(key, {})
                if row and all(row[name] == value for name, value in wanted.items()):
                    return row
                await rpc.next("event")
    except TimeoutError:
        raise AssertionError(f"{key} is {row}, wanted {wanted}") from None


async def until_run(server: RealServer, run_id: str, **wanted: Any) -> dict[str, Any]:
    return await until_row(server, "runs", run_id, **wanted)


async def until_question(server: RealServer, question_id: str, **wanted: Any) -> dict[str, Any]:
    return await until_row(server, "questions", question_id, **wanted)


async def until_said(rpc: Rpc, kind: str) -> dict[str, Any]:
    """The next event of a type among those that this socket follows."""
    while (event := await rpc.next("event"))["type"] != kind:
        pass
    return event


async def story(server: RealServer, run_id: str) -> list[tuple[str, Any]]:
    """Everything that a run has said, without times; the outcome is its last event, and there is but one."""
    events = [(event["type"], event["data"]) for event in await whole_log(server, f"run:{run_id}")]
    ends = [index for index, (kind, _) in enumerate(events) if kind.removeprefix("run.") in OUTCOMES]
    assert ends in ([], [len(events) - 1]), events
    return events
