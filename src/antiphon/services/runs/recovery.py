"""Finding runs again: the tables say which there are, their channels what is still open in them."""

from __future__ import annotations

from typing import Any

from antiphon.hub import Hub
from antiphon.services.runs.config import RunsConfig
from antiphon.services.runs.ledger import SECRETS, Ledger
from antiphon.services.runs.record import Cancelled, Record
from antiphon.services.runs.states import ENDED, Phase
from antiphon.services.runs.values import RUNS
from antiphon.services.table import Row

PAGE = 1000


async def load(hub: Hub, ledger: Ledger, config: RunsConfig, now: float) -> None:
    """Fill the ledger. Every owner gets a full term to give a sign. Raises StorageError."""
    rows: dict[str, Row] = dict((await hub.state(RUNS)).value)
    secrets: dict[str, Any] = dict((await hub.state(SECRETS)).value)
    for run_id, row in rows.items():
        record = _record(dict(row), secrets.get(run_id, {}))
        ledger.rows[run_id] = dict(row)
        ledger.records[run_id] = record
        if record.phase is Phase.ENDED:
            record.over.set()
            continue
        await _follow(hub, record)
        if record.kind == "remote":
            record.expires_at = now + record.lease_s
        if record.phase is Phase.CANCELLING:
            record.cancelled = record.cancelled or Cancelled(row["reason"], None)
            record.cut_off_at = now + config.cancel_grace_s


def _record(row: Row, secret: dict[str, Any]) -> Record:
    return Record(
        row["run_id"],
        row["name"],
        row["owner"]["kind"],
        row["parent_run_id"],
        _phase(row["status"]),
        lease_sha256=secret.get("lease_sha256"),
        lease_s=secret.get("lease_s", 0.0),
        on_disconnect=secret.get("on_disconnect", "continue"),
        is_stored=True,
        open_questions=row["questions"],
        ended_at=row["ended_at"] or "",
    )


def _phase(status: str) -> Phase:
    if status in ENDED:
        return Phase.ENDED
    return Phase.RUNNING if status == "waiting" else Phase(status)


async def _follow(hub: Hub, record: Record) -> None:
    """Read what a run has said, to know what is open in it and who cancelled it."""
    after = 0
    while events := (await hub.history(record.channel, after=after, limit=PAGE)).events:
        for event in events:
            if event.type.startswith(("message.o", "message.c", "tool.s", "tool.e")):
                record.parts.take(event.type, event.data, event.offset, event.time_ms)
            elif event.type == "run.status" and event.data["status"] == "cancelling":
                record.cancelled, record.is_told = Cancelled(event.data["reason"], event.data["by"]), True
        after = events[-1].offset


async def orphans(hub: Hub, ledger: Ledger) -> list[str]:
    """Channels of runs that were forgotten, but not emptied before the server ended."""
    channels = await hub.channels("run:")
    return [name for name, bounds in channels if bounds.oldest <= bounds.head and name[4:] not in ledger.records]
