"""Reports: a run's events as the task object and the stream that the pages know."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from antiphon.messages import Event, encode_time

TYPES: Final = ("stage", "chapter_status", "chapter_chunk", "warning", "debug")
"""What the report's program may say beside its log, as JSON objects with a `type`; also `progress`."""

EVENT: Final = "x.report."  # how a run says these
FILES: Final[Mapping[str, str]] = {
    "html": "report.html",
    "md": "report.md",
    "pdf": "report.pdf",
    "state": "state.json",
    "ir": "ir.json",
}
STATUSES: Final[Mapping[str, str]] = {
    "queued": "pending",
    "running": "running",
    "waiting": "running",
    "cancelling": "running",
    "succeeded": "completed",
    "failed": "error",
    "lost": "error",
    "cancelled": "cancelled",
}
TERMINAL: Final = ("completed", "cancelled", "error")
_LEVEL = re.compile(r"\|\s*(DEBUG|INFO|SUCCESS|WARNING|ERROR|CRITICAL)\s*\|")
_LEVELS = {"SUCCESS": "info"}


class Task(NamedTuple):
    """Where a report is; moments are Unix times in milliseconds."""

    task_id: str
    query: str
    status: str
    progress: int  # percent
    error: str
    created_ms: int
    updated_ms: int
    files: Collection[str]  # kinds that are there

    def encode(self) -> dict[str, Any]:
        return {
            "task_id": self.task_id,
            "query": self.query,
            "status": self.status,
            "progress": self.progress,
            "error_message": self.error,
            "created_at": local_iso(self.created_ms),
            "updated_at": local_iso(self.updated_ms),
            "has_result": "html" in self.files and self.status == "completed",
            **self._file("report_file", "html"),
            **self._file("state_file", "state", has_name=False),
            **self._file("ir_file", "ir", has_name=False),
            **self._file("markdown_file", "md"),
        }

    def _file(self, prefix: str, kind: str, *, has_name: bool = True) -> dict[str, Any]:
        there = kind in self.files
        found: dict[str, Any] = {
            f"{prefix}_ready": there,
            f"{prefix}_path": f"{self.task_id}/{FILES[kind]}" if there else "",
        }
        return found | ({f"{prefix}_name": FILES[kind] if there else ""} if has_name else {})


def local_iso(time_ms: int) -> str:
    """A moment in local time, without a zone."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone().replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds")


def ms_of(text: str | None) -> int:
    """An RFC 3339 moment as Unix time; 0 where there is none."""
    return 0 if not text else round(datetime.fromisoformat(text).timestamp() * 1000)


def said_of(line: str) -> tuple[str, dict[str, Any]] | None:
    """What a line of the program's output is in its run: type and data; None = a blank one."""
    line = line.strip()
    if not line:
        return None
    found = _object(line)
    kind = None if found is None else found.pop("type", None)
    if found is not None and kind in TYPES:
        return EVENT + str(kind), found
    if found is not None and kind == "progress":
        share = found.get("progress")
        is_number = isinstance(share, int | float) and not isinstance(share, bool)
        progress = max(0.0, min(1.0, float(share) / 100)) if is_number else None  # type: ignore[arg-type]
        message = found.get("message")
        return "run.progress", {"progress": progress, "message": None if message is None else str(message)}
    level = _LEVEL.search(line)
    return "log", {"level": "info" if level is None else _LEVELS.get(level[1], level[1].lower()), "text": line}


def _object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def log_line(event: Event) -> str | None:
    """A log event as `report.log` has it: `[HH:MM:SS.mmm] [LEVEL] text`."""
    if event.type != "log":
        return None
    data = event.data
    clock = local_iso(event.time_ms).partition("T")[2]
    return f"[{clock}] [{data['level'].upper()}] {data['text']}"


class Story:
    """One report's events as entries of its stream, numbered from 1: what is said depends on nothing else.

    Args:
        skip: Entries up to this number were sent before.
    """

    def __init__(self, task: Task, skip: int = 0) -> None:
        self.task = task._replace(status="pending", progress=0, error="", files=())
        self.ended = False
        self._files = task.files
        self._skip = skip
        self._count = 0

    def event(self, event: Event) -> bytes:
        """What an event is said as; it is asked in order, and once."""
        self.task = self.task._replace(updated_ms=event.time_ms)
        kind, _, name = event.type.rpartition(".")
        if event.type.startswith(EVENT):
            return self._told(name, event)
        match event.type:
            case "log":
                payload = {"line": log_line(event), "level": event.data["level"]}
                return self._entry("log", event, payload)
            case "run.started" | "run.status":
                status = STATUSES.get(event.data.get("status", "queued"), "running")
                return self._status(event, status)
            case "run.progress":
                progress = event.data.get("progress")
                if progress is not None:
                    self.task = self.task._replace(progress=round(progress * 100))
                return self._status(event, self.task.status)
        return self._outcome(name, event) if kind == "run" and name in STATUSES else b""

    def _told(self, name: str, event: Event) -> bytes:
        payload = event.data if isinstance(event.data, dict) else {}
        if name == "html_ready":
            self.task = self.task._replace(files=self._files or ("html",))
            payload = {**payload, "task": self.task.encode()}
        return self._entry(name, event, payload)

    def _status(self, event: Event, status: str) -> bytes:
        self.task = self.task._replace(status=status)
        return self._entry("status", event, {"status": status, "progress": self.task.progress} | self._task())

    def _outcome(self, name: str, event: Event) -> bytes:
        """One page listens to `status` only where a report was cancelled, so that is always said first."""
        status = STATUSES[name]
        if status not in TERMINAL:
            return b""
        why = _why(name, event)
        progress = 100 if status == "completed" else self.task.progress
        self.task = self.task._replace(status=status, error="" if status == "completed" else why, progress=progress)
        first = self._entry("status", event, {"status": status, "error_message": self.task.error} | self._task())
        last = self._entry(status, event, {"message": why, "error_message": self.task.error} | self._task())
        self.ended = True
        return first + last

    def _task(self) -> dict[str, Any]:
        return {"task": self.task.encode()}

    def _entry(self, kind: str, event: Event, payload: Mapping[str, Any]) -> bytes:
        self._count += 1
        if self._count <= self._skip:
            return b""
        return encode_entry(str(self._count), kind, self.task.task_id, event.time_ms, payload)

    def heartbeat(self, now_ms: int) -> bytes:
        """Said where nothing was for a while."""
        return encode_entry(f"hb-{now_ms}", "heartbeat", self.task.task_id, now_ms, {"status": self.task.status})


def encode_entry(number: str, kind: str, task_id: str, time_ms: int, payload: Mapping[str, Any]) -> bytes:
    """One entry of an event stream."""
    given: Any = int(number) if number.isdigit() else number
    data = {"id": given, "type": kind, "task_id": task_id, "timestamp": encode_time(time_ms), "payload": payload}
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (number.encode(), kind.encode(), orjson.dumps(data))


def _why(name: str, event: Event) -> str:
    data = event.data
    match name:
        case "failed":
            return str((data.get("error") or {}).get("message") or "failed")
        case "succeeded":
            return "the report is ready"
    return str(data.get("reason") or name)
