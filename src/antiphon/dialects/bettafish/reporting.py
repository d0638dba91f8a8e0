"""HTTP: reports, which are runs of one program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from antiphon.dialects.base import Ask, Reply, Route
from antiphon.dialects.bettafish.answers import caller_of
from antiphon.dialects.bettafish.bodies import agreed, object_of, refused
from antiphon.dialects.bettafish.desk import Reports
from antiphon.dialects.bettafish.report import FILES, TERMINAL

BASE: Final = "/api/report"
STREAM: Final = f"{BASE}/stream/{{task_id}}"
NO_PROGRAM: Final = "no report command is configured: set report = [command] in [dialect.bettafish]"
NO_REPORT: Final = "there is no such report"
MEDIA: Final = {"html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8", "pdf": "application/pdf"}
SANDBOX: Final = {"content-security-policy": "sandbox allow-scripts", "x-content-type-options": "nosniff"}
"""A report is written by a model: shown by itself it may not act as our page."""

OfTask = Callable[[Ask, str, dict[str, Any]], Awaitable[Reply]]


class Reporting:
    """The routes."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", f"{BASE}/status", self._status),
            Route("GET", f"{BASE}/log", self._log),
            Route("POST", f"{BASE}/log/clear", self._clear),
            Route("GET", f"{BASE}/templates", self._templates),
            Route("POST", f"{BASE}/generate", self._generate),
            Route("GET", f"{BASE}/progress/{{task_id}}", self._of(self._progress)),
            Route("POST", f"{BASE}/cancel/{{task_id}}", self._of(self._cancel)),
            Route("GET", f"{BASE}/result/{{task_id}}", self._of(self._result)),
            Route("GET", f"{BASE}/result/{{task_id}}/json", self._of(self._result_json)),
            Route("GET", f"{BASE}/download/{{task_id}}", self._of(partial(self._attachment, "html"))),
            Route("GET", f"{BASE}/export/pdf/{{task_id}}", self._of(partial(self._attachment, "pdf"))),
            Route("GET", f"{BASE}/export/md/{{task_id}}", self._of(partial(self._attachment, "md"))),
        )

    def _of(self, answer: OfTask) -> Callable[[Ask], Awaitable[Reply]]:
        """What an unknown id is answered everywhere: 404, never a report that was not."""

        async def answered(asked: Ask) -> Reply:
            task_id = asked.path["task_id"]
            task = await self._reports.task(caller_of(asked), task_id)
            return Reply(refused(NO_REPORT), status=404) if task is None else await answer(asked, task_id, task)

        return answered

    async def _status(self, asked: Ask) -> Reply:
        caller = caller_of(asked)
        caller.require("read", "runs")
        newest = self._reports.newest(caller)
        task = None if newest is None else await self._reports.task(caller, newest)
        is_possible = self._reports.is_possible
        return Reply(
            {
                "success": True,
                "initialized": is_possible,
                "engines_ready": is_possible,
                "files_found": [],
                "missing_files": [] if is_possible else [NO_PROGRAM],
                "current_task": None if task is None or task["status"] in TERMINAL else task,
            }
        )

    async def _log(self, asked: Ask) -> Reply:
        caller = caller_of(asked)
        caller.require("read", "runs")
        newest = self._reports.newest(caller)
        lines = [] if newest is None else await self._reports.lines(caller, newest)
        return Reply({"success": True, "log_lines": lines})

    async def _clear(self, asked: Ask) -> Reply:
        caller_of(asked)
        return Reply(refused("the log of a report belongs to its run; a new report begins with an empty one"))

    async def _templates(self, asked: Ask) -> Reply:
        caller_of(asked)
        return Reply({"success": True, "templates": []})

    async def _generate(self, asked: Ask) -> Reply:
        caller, body = caller_of(asked), object_of(asked.body)
        if not self._reports.is_possible:
            return Reply(refused(NO_PROGRAM), status=400)
        query, template = body.get("query"), body.get("custom_template") or None
        if not isinstance(query, str) or not query.strip():
            return Reply(refused("query must be a text"), status=400)
        if template is not None and not isinstance(template, str):
            return Reply(refused("custom_template must be a text"), status=400)
        task_id = await self._reports.start(caller, {"query": query.strip(), "custom_template": template})
        task = await self._reports.task(caller, task_id)
        stream = STREAM.format(task_id=task_id)
        return Reply(agreed("the report was begun", task_id=task_id, task=task, stream_url=stream))

    async def _progress(self, _: Ask, __: str, task: dict[str, Any]) -> Reply:
        return Reply({"success": True, "task": task})

    async def _cancel(self, asked: Ask, task_id: str, task: dict[str, Any]) -> Reply:
        """The program and all that it started are ended."""
        if task["status"] in TERMINAL:
            return Reply(refused(f"the report has ended: {task['status']}", task=task), status=400)
        receipt = await caller_of(asked).cancel(task_id, reason="cancelled on the report page")
        return Reply(agreed("the report is cancelled", task_id=task_id, receipt=dict(receipt)))

    async def _result(self, _: Ask, task_id: str, task: dict[str, Any]) -> Reply:
        html = await self._reports.file(task_id, "html") if task["has_result"] else None
        if html is None:
            return Reply(refused("the report is not ready", task=task), status=400)
        return Reply(html, media_type=MEDIA["html"], headers=SANDBOX)

    async def _result_json(self, _: Ask, task_id: str, task: dict[str, Any]) -> Reply:
        html = await self._reports.file(task_id, "html") if task["has_result"] else None
        if html is None:
            return Reply(refused("the report is not ready", task=task), status=400)
        return Reply({"success": True, "task": task, "html_content": html.decode("utf-8", "replace")})

    async def _attachment(self, kind: str, _: Ask, task_id: str, task: dict[str, Any]) -> Reply:
        found = await self._reports.file(task_id, kind) if task["status"] == "completed" else None
        if found is None:
            return Reply(refused(f"this report has no {FILES[kind]}", task=task), status=404)
        name = f"{task_id}{FILES[kind].removeprefix('report')}"
        headers = {"content-disposition": f'attachment; filename="{name}"', "x-content-type-options": "nosniff"}
        return Reply(found, media_type=MEDIA[kind], headers=headers)
