"""Contract sections 3.2, 4.1 and 4.2: reports. Without a command they are refused; with one each is a run."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from tests.dialects.bettafish.room import House
from tests.live.peers import DEADLINE_S

REPORT = """
import json, os, pathlib, subprocess, sys, time
given = json.loads(sys.stdin.readline())
folder = pathlib.Path(os.environ["ANTIPHON_REPORT_DIR"])
def say(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)
say("stage", stage="prepare", message="begins")
say("progress", progress=30, message="reading")
print("2025-11-14 10:00:00.123 | WARNING | report:run - slow", flush=True)
say("chapter_status", chapterId="c1", title="One", status="completed")
say("chapter_chunk", chapterId="c1", delta="text")
query = given["query"]
if query.startswith("wait "):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)"])
    print("child", child.pid, flush=True)
    open(query.removeprefix("wait ")).read()
if query == "fail":
    sys.exit(7)
if query != "nothing":
    (folder / "report.html").write_text("<h1>" + query + "</h1>")
    (folder / "report.md").write_text("# " + query)
"""
TASK_FIELDS = {
    *("task_id", "query", "status", "progress", "error_message", "created_at", "updated_at", "has_result"),
    *("report_file_ready", "report_file_name", "report_file_path", "state_file_ready", "state_file_path"),
    *("ir_file_ready", "ir_file_path", "markdown_file_ready", "markdown_file_name", "markdown_file_path"),
}


def writing(tmp_path: Path) -> dict[str, Any]:
    program = tmp_path / "write_report.py"
    program.write_text(REPORT)
    return {"dialect.bettafish": {"report": [sys.executable, str(program)]}}


@asynccontextmanager
async def open_house(tmp_path: Path) -> AsyncIterator[House]:
    async with House.open(tmp_path, (), **writing(tmp_path)) as house:
        yield house


async def generate(house: House, query: str) -> str:
    status, found = await house.post("/api/report/generate", {"query": query})
    assert (status, found["success"]) == (200, True), found
    assert found["stream_url"] == f"/api/report/stream/{found['task_id']}"
    assert set(found["task"]) == TASK_FIELDS
    return str(found["task_id"])


class Entries:
    """A stream's entries, as they come."""

    def __init__(self, response: httpx2.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> dict[str, Any] | None:
        """The next entry; None at the end."""
        import json

        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if not line and "data" in fields:
                    entry: dict[str, Any] = json.loads(fields["data"])
                    assert (str(entry["id"]), entry["type"]) == (fields["id"], fields["event"])
                    return entry
                fields[name] = value
        return None

    async def until(self, wanted: str) -> list[dict[str, Any]]:
        found = []
        while not found or found[-1]["type"] != wanted:
            entry = await self.next()
            assert entry is not None, found
            found.append(entry)
        return found

    async def rest(self) -> list[dict[str, Any]]:
        found = []
        while (entry := await self.next()) is not None:
            found.append(entry)
        return found


@asynccontextmanager
async def stream(house: House, task_id: str, last: str = "") -> AsyncIterator[Entries]:
    headers = {"last-event-id": last} if last else {}
    async with house.http() as http, http.stream("GET", f"/api/report/stream/{task_id}", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Entries(response)


async def whole(house: House, task_id: str, last: str = "") -> list[dict[str, Any]]:
    async with stream(house, task_id, last) as entries:
        return await entries.rest()


async def test_without_a_command_the_answers_say_so(tmp_path: Path) -> None:
    async with House.open(tmp_path, ()) as house, house.http() as http:
        found = await house.get("/api/report/status?heartbeat=1")
        assert found | {"missing_files": []} == {
            "success": True,
            "initialized": False,
            "engines_ready": False,
            "files_found": [],
            "missing_files": [],
            "current_task": None,
        }
        assert "[dialect.bettafish]" in found["missing_files"][0]
        assert await house.get("/api/report/log") == {"success": True, "log_lines": []}
        status, answer = await house.post("/api/report/generate", {"query": "tea"})
        assert (status, answer["success"]) == (400, False)
        assert "report command" in answer["error"]
        assert (await http.get("/api/report/templates")).json() == {"success": True, "templates": []}


async def test_an_unknown_task_is_404_and_never_looks_completed(tmp_path: Path) -> None:
    """Section 7: unknown task ids look completed."""
    async with House.open(tmp_path, ()) as house, house.http() as http:
        for path in ("progress", "stream", "result", "download", "export/pdf"):
            answer = await http.get(f"/api/report/{path}/report_1")
            assert (answer.status_code, answer.json()["success"]) == (404, False)
        assert (await http.get("/api/report/result/report_1/json")).status_code == 404
        assert (await http.post("/api/report/cancel/report_1")).status_code == 404


async def test_a_report_from_begin_to_end(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house, house.http() as http:
        assert (await house.get("/api/report/status"))["engines_ready"] is True
        task_id = await generate(house, "tea")
        assert task_id.startswith("report_")
        entries = await whole(house, task_id)
        assert [entry["id"] for entry in entries] == list(range(1, len(entries) + 1))
        assert {entry["task_id"] for entry in entries} == {task_id}
        assert all(entry["timestamp"].endswith("Z") for entry in entries)
        kinds = [entry["type"] for entry in entries if entry["type"] != "status"]
        assert kinds == ["stage", "log", "chapter_status", "chapter_chunk", "html_ready", "completed"]
        said = {entry["type"]: entry["payload"] for entry in entries}
        assert said["stage"] == {"stage": "prepare", "message": "begins"}
        assert said["chapter_chunk"]["delta"] == "text"
        assert said["log"]["level"] == "warning"
        assert said["log"]["line"][0] == "["
        assert "[WARNING]" in said["log"]["line"]
        assert set(said["completed"]["task"]) == set(said["html_ready"]["task"]) == TASK_FIELDS
        assert any(
            e["payload"]["progress"] == 30 for e in entries if e["type"] == "status" and "progress" in e["payload"]
        )
        task = (await house.get(f"/api/report/progress/{task_id}"))["task"]
        assert (task["status"], task["progress"], task["has_result"], task["query"]) == ("completed", 100, True, "tea")
        assert task["report_file_ready"] is True
        assert "+" not in task["created_at"]
        assert not task["created_at"].endswith("Z")
        result = await http.get(f"/api/report/result/{task_id}")
        assert (result.text, result.headers["content-type"]) == ("<h1>tea</h1>", "text/html; charset=utf-8")
        assert "sandbox" in result.headers["content-security-policy"]
        assert (await http.get(f"/api/report/result/{task_id}/json")).json()["html_content"] == "<h1>tea</h1>"
        download = await http.get(f"/api/report/download/{task_id}")
        assert download.headers["content-disposition"] == f'attachment; filename="{task_id}.html"'
        assert (await http.get(f"/api/report/export/md/{task_id}")).text == "# tea"
        assert (await http.get(f"/api/report/export/pdf/{task_id}?optimize=true")).status_code == 404
        lines = (await house.get("/api/report/log"))["log_lines"]
        assert [line.endswith("slow") for line in lines] == [True]
        assert (await house.get("/api/report/status"))["current_task"] is None


async def test_the_stream_is_replayed_whole_or_behind_the_last_id(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        task_id = await generate(house, "tea")
        entries = await whole(house, task_id)
        assert await whole(house, task_id) == entries
        for last in (1, 4, len(entries) - 1):
            assert await whole(house, task_id, str(last)) == entries[last:]
        assert await whole(house, task_id, str(len(entries))) == []
        assert await whole(house, task_id, "hb-123") == entries


@pytest.mark.parametrize("query", ["fail", "nothing"])
async def test_a_report_that_fails(tmp_path: Path, query: str) -> None:
    async with open_house(tmp_path) as house, house.http() as http:
        task_id = await generate(house, query)
        entries = await whole(house, task_id)
        assert entries[-1]["type"] == "error"
        why = {"fail": "exit code 7", "nothing": "wrote no report.html"}[query]
        assert why in entries[-1]["payload"]["message"]
        task = (await house.get(f"/api/report/progress/{task_id}"))["task"]
        assert (task["status"], task["has_result"]) == ("error", False)
        assert why in task["error_message"]
        assert (await http.get(f"/api/report/result/{task_id}")).status_code == 400


def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def child_of(entries: list[dict[str, Any]]) -> int:
    return int(entries[-1]["payload"]["line"].rpartition(" ")[2])


async def until_child(entries: Entries) -> int:
    found = await entries.until("log")
    while " child " not in found[-1]["payload"]["line"]:
        found = await entries.until("log")
    return child_of(found)


async def test_cancel_truly_cancels(tmp_path: Path) -> None:
    """Section 7: cancel only flips a flag; the worker goes on and overwrites the status."""
    async with open_house(tmp_path) as house:
        task_id = await generate(house, f"wait {gate(tmp_path)}")
        async with stream(house, task_id) as entries:
            child = psutil.Process(await until_child(entries))
            current = (await house.get("/api/report/status"))["current_task"]
            assert (current["task_id"], current["status"]) == (task_id, "running")
            status, found = await house.post(f"/api/report/cancel/{task_id}")
            assert (status, found["success"]) == (200, True)
            rest = await entries.rest()
        assert [entry["type"] for entry in rest][-2:] == ["status", "cancelled"]  # one page hears `status` only
        assert rest[-2]["payload"]["task"]["status"] == "cancelled"
        await asyncio.to_thread(child.wait, DEADLINE_S)
        assert (await house.get(f"/api/report/progress/{task_id}"))["task"]["status"] == "cancelled"
        status, found = await house.post(f"/api/report/cancel/{task_id}")
        assert (status, found["success"]) == (400, False)


async def test_several_reports_at_a_time(tmp_path: Path) -> None:
    """Section 7: one report at a time."""
    async with open_house(tmp_path) as house:
        waiting = await generate(house, f"wait {gate(tmp_path)}")
        others = [await generate(house, f"tea {number}") for number in range(3)]
        assert len({waiting, *others}) == 4
        for task_id in others:
            assert (await whole(house, task_id))[-1]["type"] == "completed"
        assert (await house.get(f"/api/report/progress/{waiting}"))["task"]["status"] == "running"
        await house.post(f"/api/report/cancel/{waiting}")


async def test_a_killed_server_leaves_no_report_behind_that_seems_to_run(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        task_id = await generate(house, f"wait {gate(tmp_path)}")
        async with stream(house, task_id) as entries:
            child = psutil.Process(await until_child(entries))
            await house.server.kill()
        await house.server.start()
        await asyncio.to_thread(child.wait, DEADLINE_S)
        entries_now = await whole(house, task_id)
        assert entries_now[-1]["type"] == "error"
        assert "restarted" in entries_now[-1]["payload"]["message"]
        assert (await house.get("/api/report/status"))["current_task"] is None


async def test_generate_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        for body in ({}, {"query": ""}, {"query": 1}, {"query": "x", "custom_template": 1}):
            status, found = await house.post("/api/report/generate", body)
            assert (status, found["success"]) == (400, False)
