"""Contract sections 2, 3.1 and 5.5: statuses over Socket.IO and HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dialects.bettafish.room import House, Page
from tests.live.real_server import free_port
from tests.live.workspace import ask, python


async def test_status_is_a_bare_string_on_connect(tmp_path: Path) -> None:
    async with House.open(tmp_path, ()) as house, Page.connect(house.server) as page:
        assert page.heard == [("status", "Connected to Flask server")]


async def test_request_status_is_answered_to_the_asker(tmp_path: Path) -> None:
    async with (
        House.open(tmp_path, ("insight",)) as house,
        Page.connect(house.server) as page,
        Page.connect(house.server) as other,
    ):
        assert await page.statuses() == {
            "insight": {"status": "stopped", "port": house.ports["insight"]},
            "media": {"status": "stopped", "port": 8502},
            "query": {"status": "stopped", "port": 8503},
            "forum": {"status": await forum_status(house), "port": None},
        }
        assert (await other.statuses())["insight"]["status"] == "stopped"
        assert [event for event, _ in other.heard] == ["status", "status_update"]


async def forum_status(house: House) -> str:
    """Whether somebody listens, as the server says it."""
    found = await house.get("/api/server")
    return "running" if "forum" in found["features"] else "stopped"


async def test_status_update_is_pushed_on_change_with_all_three_states(tmp_path: Path) -> None:
    """Section 7: status never pushed on change; `starting` invisible."""
    ready = tmp_path / "ready"
    insight = {"ready": str(ready), "start_timeout_s": 60}
    async with (
        House.open(tmp_path, ("insight",), **{"process.insight": insight}) as house,
        Page.connect(house.server) as page,
    ):
        await ask(house.server, "process.start", name="insight")
        await page.until_status(insight="starting")
        assert (await house.get("/api/status"))["insight"]["status"] == "starting"
        assert await house.get("/api/system/status") == {"success": True, "started": False, "starting": True}
        ready.touch()
        await page.until_status(insight="running")
        assert (await house.get("/api/system/status"))["started"] is True
        await ask(house.server, "process.stop", name="insight")
        await page.until_status(insight="stopped")
        seen = [value["insight"]["status"] for event, value in page.heard if event == "status_update"]
        assert list(dict.fromkeys(seen)) == ["starting", "running", "stopped"]


async def test_a_program_that_ends_by_itself_is_stopped(tmp_path: Path) -> None:
    async with House.open(tmp_path, ("query",)) as house, Page.connect(house.server) as page:
        await ask(house.server, "process.start", name="query")
        await page.until_status(query="running")
        await house.say("query", "end")
        await page.until_status(query="stopped")


async def test_api_status_has_the_four_apps(tmp_path: Path) -> None:
    async with House.open(tmp_path, ("insight",)) as house:
        await house.start_all()
        found = await house.get("/api/status")
        assert list(found) == ["insight", "media", "query", "forum"]
        assert found["insight"] == {"status": "running", "port": house.ports["insight"], "output_lines": 1}
        assert found["forum"]["port"] is None
        assert all(isinstance(row["output_lines"], int) for row in found.values())


async def test_no_status_waits_for_a_health_check(tmp_path: Path) -> None:
    """Section 7: health checks run inside `/api/status` and `request_status`. Here none is ever answered."""
    code = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(999)"
    port = free_port()
    deaf = python(code, port, url=f"http://127.0.0.1:{port}/", health_timeout_s=300, start_timeout_s=600, grace_s=0)
    async with House.open(tmp_path, (), **{"process.media": deaf}) as house, Page.connect(house.server) as page:
        await ask(house.server, "process.start", name="media")
        await page.until_status(media="starting")
        for _ in range(20):
            assert (await house.get("/api/status"))["media"]["status"] == "starting"
            assert (await page.statuses())["media"]["status"] == "starting"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_app_answers_200_with_success_false(tmp_path: Path, method: str) -> None:
    async with House.open(tmp_path, ()) as house, house.http(headers={"sec-fetch-site": "same-origin"}) as http:
        for path in ("/api/start/x", "/api/stop/x", "/api/test_log/x"):
            answer = await http.request(method, path)
            assert (answer.status_code, answer.json()["success"]) == (200, False)
        answer = await http.get("/api/output/x")
        assert (answer.status_code, answer.json()["success"]) == (200, False)
