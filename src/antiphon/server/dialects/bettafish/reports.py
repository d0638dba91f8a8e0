"""Reports as runs of the configured program; what it writes is kept in the data directory, a folder for each."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from antiphon.dialects.base import Caller, Row
from antiphon.dialects.bettafish.report import EVENT, FILES, STATUSES, Task, log_line, ms_of, said_of
from antiphon.server.core import Core
from antiphon.server.dialects.bettafish.program import Program, end_left_over
from antiphon.services.runs import LocalPort, RunEvent, run_channel
from antiphon.services.runs.says import MAX_EVENTS

NAME: Final = "bettafish-report"
LABELS: Final = {"dialect": "bettafish"}
FOLDER: Final = "bettafish-reports"
MAX_LOG_LINES: Final = 10_000  # that are shown of one report


class ReportsOfCore:
    """See `Reports` of the dialect."""

    def __init__(self, core: Core) -> None:
        settings = core.settings
        self._core = core
        self._command = settings.dialect.bettafish.report
        self._cwd = settings.dialect.bettafish.report_cwd
        self._root = settings.server.data.absolute() / FOLDER
        self._last_id = ""
        self._tidy()
        if self._command:
            core.runs.register(NAME, self._write)

    def _tidy(self) -> None:
        """Of reports that an earlier server began: nothing goes on, and what was forgotten as a run goes."""
        for directory in self._root.iterdir() if self._root.is_dir() else ():
            end_left_over(directory)
            if directory.name not in self._core.runs.rows:
                shutil.rmtree(directory, ignore_errors=True)

    @property
    def is_possible(self) -> bool:
        return bool(self._command)

    def newest(self, caller: Caller) -> str | None:  # noqa: ARG002 - the row is looked at in the caller's name
        rows = reversed(list(self._core.runs.rows.values()))
        return next((str(row["run_id"]) for row in rows if row["name"] == NAME), None)

    async def start(self, caller: Caller, wanted: Mapping[str, Any]) -> str:
        run_id = self._new_id()
        await caller.start(NAME, input=dict(wanted), run_id=run_id, labels=LABELS)
        return run_id

    def _new_id(self) -> str:
        base = f"report_{int(time.time())}"
        run_id, number = base, 1
        while run_id in self._core.runs.rows or run_id == self._last_id:
            number += 1
            run_id = f"{base}_{number}"
        self._last_id = run_id
        return run_id

    async def task(self, caller: Caller, run_id: str) -> dict[str, Any] | None:
        row = self._core.runs.rows.get(run_id)
        if row is None or row["name"] != NAME:
            return None
        caller.require("read", run_channel(run_id))
        return self.task_of(row, await self._query(run_id)).encode()

    async def _query(self, run_id: str) -> str:
        given = (await self._core.runs.get(run_id)).input
        return str(given.get("query", "")) if isinstance(given, dict) else ""

    async def find(self, run_id: str) -> Task | None:
        """The task of a report, for its stream."""
        row = self._core.runs.rows.get(run_id)
        if row is None or row["name"] != NAME:
            return None
        return self.task_of(row, await self._query(run_id))

    def task_of(self, row: Row, query: str) -> Task:
        status = STATUSES[row["status"]]
        error = (row["error"] or {}).get("message") or row["reason"] if status in ("error", "cancelled") else ""
        return Task(
            task_id=row["run_id"],
            query=query,
            status=status,
            progress=100 if status == "completed" else round((row["progress"] or 0) * 100),
            error=str(error or ""),
            created_ms=ms_of(row["created_at"]),
            updated_ms=ms_of(row["ended_at"] or row["started_at"] or row["created_at"]),
            files=[kind for kind in FILES if self._path(row["run_id"], kind).is_file()],
        )

    def _path(self, run_id: str, kind: str) -> Path:
        return self._root / run_id / FILES[kind]

    async def file(self, run_id: str, kind: str) -> bytes | None:
        path = self._path(run_id, kind)
        return await asyncio.to_thread(path.read_bytes) if path.is_file() else None

    async def lines(self, caller: Caller, run_id: str) -> list[str]:
        channel, after, found = run_channel(run_id), 0, list[str]()
        while page := (await caller.history(channel, after=after, limit=1000)).events:
            found += [line for event in page if (line := log_line(event)) is not None]
            after = page[-1].offset
        return found[-MAX_LOG_LINES:]

    # the run

    async def _write(self, port: LocalPort) -> dict[str, Any]:
        """Run the program; a cancel comes as CancelledError, and ends all that it has started."""
        directory = self._root / port.run_id
        directory.mkdir(parents=True, exist_ok=True)
        given = port.input if isinstance(port.input, dict) else {}
        program = Program(self._command, self._cwd, directory)
        async with aclosing(program.run({"task_id": port.run_id, **given})) as lines:
            async for some in lines:
                await _say(port, [said for line in some if (said := said_of(line)) is not None])
        if not self._path(port.run_id, "html").is_file():
            raise RuntimeError(f"the report command wrote no {FILES['html']}")
        await _say(port, [(EVENT + "html_ready", {"message": "the report is ready"})])
        return {"report": FILES["html"]}


async def _say(port: LocalPort, said: list[tuple[str, dict[str, Any]]]) -> None:
    events = [RunEvent(kind, data) for kind, data in said]
    for start in range(0, len(events), MAX_EVENTS):
        await port.emit(events[start : start + MAX_EVENTS])
