"""A process's row in the table: what it holds, and how it reads in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from antiphon.messages import encode_time
from antiphon.services.processes.shimlink import ExitRecord, ShimStatus
from antiphon.services.processes.states import LIVE, Status
from antiphon.services.processes.usage import Usage
from antiphon.services.table import Row

PLAN, WAITING = "starts again in", "its lines wait on disk"  # begin the parts of a reason that pass
_TRANSIENT = re.compile(rf"(; |^)({PLAN}|{WAITING}).*$", re.DOTALL)


@dataclass(slots=True)
class ProcessRow:
    """The fields of docs/protocol.md, "Log lines and processes"; None = unknown, or does not apply now."""

    name: str
    source: str  # config or run
    port: int | None = None
    stdin: bool = False  # the settings let text be written to it
    status: Status = Status.STOPPED
    pid: int | None = None
    started_at: str | None = None
    ended_at: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    usage: Usage | None = None
    restarts: int = 0  # by the restart policy, since somebody started it last
    reason: str | None = None
    plan: str | None = None  # when the restart policy starts it again
    fault: str | None = None  # of ours, while it lasts

    def begin(self) -> None:
        """Forget the last life."""
        self.pid = self.started_at = self.ended_at = self.exit_code = self.signal = self.usage = None
        self.reason = self.plan = None

    def describe(self, status: ShimStatus) -> None:
        """Take over what a shim knows."""
        record = status.exit
        self.started_at = encode_time(status.started_at_ms)
        self.pid = status.pid if status.alive and record is None else None
        if record is not None:
            self.ended_at = encode_time(record.ended_at_ms)
            self.exit_code, self.signal = record.exit_code, record.signal

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    def encode(self) -> Row:
        return {
            "status": str(self.status),
            "pid": self.pid,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "cpu_percent": None if self.usage is None else self.usage.cpu_percent,
            "memory_bytes": None if self.usage is None else self.usage.memory_bytes,
            "restarts": self.restarts,
            "port": self.port,
            "reason": "; ".join(filter(None, (self.reason, self.plan, self.fault))) or None,
            "channel": f"log:{self.name}",
            "source": self.source,
            "stdin": self.stdin and self.source == "config",  # `antiphon run` reads its own terminal
        }

    def restore(self, row: Row) -> None:
        """Take over what an earlier server published, except what can have changed since."""
        self.status = Status(row.get("status", Status.STOPPED))
        self.started_at, self.ended_at = row.get("started_at"), row.get("ended_at")
        self.exit_code, self.signal = row.get("exit_code"), row.get("signal")
        self.restarts = row.get("restarts", 0)
        self.reason = _TRANSIENT.sub("", row.get("reason") or "") or None


def why_ended(record: ExitRecord | None) -> str | None:
    """A sentence for the row of a process that has ended; None where there is nothing to say."""
    if record is None:
        return "its supervisor was killed; how it ended is not known"
    if record.reason is not None:
        return record.reason
    if record.signal is not None:
        return f"killed by {record.signal}"
    return None if not record.exit_code else f"exit code {record.exit_code}"
