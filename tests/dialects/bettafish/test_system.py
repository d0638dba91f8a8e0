"""Contract sections 4.1, 4.3 and 5.5: starting and stopping, configuration, search; and who may."""

from __future__ import annotations

import stat
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.bettafish.room import ENGINES, House, Page
from tests.live.workspace import rows

SECRET = 'sk-"very\\secret$(touch x)`'
MASK = "********"
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}
USERS = {
    f"users.{name}": {"token_sha256": sha256(name.encode()).hexdigest(), "grants": grants}
    for name, grants in {"ann": ["*"], "bob": ["read log:*", "read forum:*"]}.items()
}


async def test_system_start_blocks_until_all_run(tmp_path: Path) -> None:
    async with House.open(tmp_path) as house:
        assert await house.get("/api/system/status") == {"success": True, "started": False, "starting": False}
        status, found = await house.post("/api/system/start")
        assert (status, found["success"]) == (200, True)
        assert isinstance(found["message"], str)
        assert all(isinstance(line, str) for line in found["logs"])
        assert await house.get("/api/system/status") == {"success": True, "started": True, "starting": False}
        assert {name: row["status"] for name, row in (await rows(house.server)).items()} == dict.fromkeys(
            ENGINES, "running"
        )
        status, found = await house.post("/api/system/start")
        assert (status, found["success"]) == (400, False)


async def test_a_failed_system_start_stops_everything_again(tmp_path: Path) -> None:
    broken = {"process.query": {"command": ["./no-such-program"]}}
    async with House.open(tmp_path, ("insight", "media"), **broken) as house:
        status, found = await house.post("/api/system/start")
        assert (status, found["success"]) == (500, False)
        assert len(found["errors"]) == 1
        assert "query" in found["errors"][0]
        table = await rows(house.server)
        assert [table[app]["status"] for app in ("insight", "media")] == ["stopped", "stopped"]
        assert (await house.get("/api/system/status"))["started"] is False


async def test_system_start_without_programs_says_what_is_missing(tmp_path: Path) -> None:
    async with House.open(tmp_path, ()) as house:
        status, found = await house.post("/api/system/start")
        assert (status, found["success"]) == (500, False)
        assert "[process.insight]" in found["errors"][0]
        assert (await house.get("/api/status"))["insight"]["status"] == "stopped"


async def test_system_restart_and_shutdown(tmp_path: Path) -> None:
    async with House.open(tmp_path, ("insight",)) as house:
        await house.start_all()
        before = (await rows(house.server))["insight"]["pid"]
        status, found = await house.post("/api/system/restart")
        assert (status, found["success"]) == (200, True)
        assert (await rows(house.server))["insight"]["pid"] not in (None, before)
        status, found = await house.post("/api/system/shutdown", {})
        assert (status, found["success"]) == (200, True)
        assert (await rows(house.server))["insight"]["status"] == "stopped"
        assert (await house.get("/api/system/status"))["success"] is True  # the server goes on


async def test_no_get_changes_anything_but_from_our_own_page(tmp_path: Path) -> None:
    """Section 7: state-changing GET routes."""
    paths = ("/api/start/insight", "/api/stop/insight", "/api/test_log/insight", "/api/forum/start", "/api/forum/stop")
    async with House.open(tmp_path, ("insight",)) as house, house.http() as http:
        for headers in ({}, {"sec-fetch-site": "none"}, {"sec-fetch-site": "cross-site"}):
            for path in paths:
                assert (await http.get(path, headers=headers)).status_code == 403
        assert (await rows(house.server))["insight"]["status"] == "stopped"
        assert (await http.get("/api/start/insight", headers=SAME_ORIGIN)).json()["success"] is True
        assert (await rows(house.server))["insight"]["status"] == "running"
        assert (await http.post("/api/stop/insight")).json()["success"] is True
        assert (await rows(house.server))["insight"]["status"] == "stopped"


async def test_a_foreign_page_is_refused(tmp_path: Path) -> None:
    """Section 7: a wildcard origin."""
    async with House.open(tmp_path, ()) as house, house.http(headers={"origin": "https://evil.example"}) as http:
        for path in ("/api/status", "/api/config", "/api/forum/log", "/socket.io/?EIO=4&transport=polling"):
            assert (await http.get(path)).status_code == 403
        assert (await http.post("/api/system/start")).status_code == 403


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    return {"dialect.bettafish": {"env_file": "room.env"}}


async def test_config_has_every_key_as_text(tmp_path: Path) -> None:
    async with House.open(tmp_path, ()) as house:
        found = await house.get("/api/config")
        assert found["success"] is True
        config = found["config"]
        assert all(isinstance(value, str) for value in config.values())
        assert {"HOST", "PORT", "DB_PASSWORD", "DB_CHARSET", "TAVILY_API_KEY", "BOCHA_BASE_URL"} <= set(config)
        for name in ("INSIGHT_ENGINE", "MEDIA_ENGINE", "QUERY_ENGINE", "REPORT_ENGINE", "FORUM_HOST"):
            assert {f"{name}_API_KEY", f"{name}_BASE_URL", f"{name}_MODEL_NAME"} <= set(config)
        assert config["PORT"] == str(house.server.port)


async def test_config_cannot_be_stored_unless_a_file_is_set(tmp_path: Path) -> None:
    async with House.open(tmp_path, ()) as house:
        status, found = await house.post("/api/config", {"DB_HOST": "db"})
        assert (status, found["success"]) == (400, False)
        assert "env_file" in found["message"]
        assert (await house.post("/api/config", {"DB_HOST": ""}))[0] == 200  # nothing changes


async def test_secrets_are_masked_and_a_mask_changes_nothing(tmp_path: Path, kept: dict[str, Any]) -> None:
    """Section 7: secrets readable and writable through `/api/config`."""
    async with House.open(tmp_path, (), **kept) as house:
        given = {"QUERY_ENGINE_API_KEY": SECRET, "DB_PASSWORD": "p", "DB_HOST": "db", "DB_PORT": 5432, "UNKNOWN": "x"}
        status, found = await house.post("/api/config", given)
        assert (status, found["success"]) == (200, True)
        assert found == await house.get("/api/config")
        config = found["config"]
        assert [config[key] for key in ("QUERY_ENGINE_API_KEY", "DB_PASSWORD")] == [MASK, MASK]
        assert (config["DB_HOST"], config["DB_PORT"], config["MEDIA_ENGINE_API_KEY"]) == ("db", "5432", "")
        assert "UNKNOWN" not in config
        path = house.server.data / "room.env"
        before = path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await house.post("/api/config", config))[1] == found  # the whole dialog is sent back
        assert path.read_text() == before
        await house.server.kill()
        await house.server.start()
        assert await house.get("/api/config") == found
        await house.post("/api/config", {"DB_PASSWORD": ""})
        assert (await house.get("/api/config"))["config"]["DB_PASSWORD"] == ""


async def test_config_refuses_what_it_cannot_keep(tmp_path: Path, kept: dict[str, Any]) -> None:
    async with House.open(tmp_path, (), **kept) as house:
        for body in ({}, *({"DB_HOST": wrong} for wrong in ("a\nB=1", ["x"], True, "x" * 5000))):
            status, found = await house.post("/api/config", body)
            assert (status, found["success"]) == (400, False)
        assert not (house.server.data / "room.env").exists()


async def test_search_says_that_nothing_answers(tmp_path: Path) -> None:
    async with House.open(tmp_path, ()) as house:
        status, found = await house.post("/api/search", {"query": " tea "})
        assert (status, found["success"], found["query"]) == (200, False, "tea")
        assert set(found["results"]) == set(ENGINES)
        assert (await house.post("/api/search", {"query": ""}))[1]["success"] is False


async def test_users_and_their_grants(tmp_path: Path) -> None:
    """Section 7: no auth."""
    bob = {"authorization": "Bearer bob"}
    async with House.open(tmp_path, ("insight",), **USERS) as house, house.http() as http:
        assert (await http.get("/api/status")).status_code == 401
        assert (await http.get("/api/output/insight")).status_code == 401
        assert (await http.get("/api/status", headers=bob)).status_code == 403
        assert (await http.get("/api/output/insight", headers=bob)).status_code == 200
        assert (await http.get("/api/forum/log", headers=bob)).status_code == 200
        assert (await http.get("/api/config", headers=bob)).status_code == 403
        for path in ("/api/system/start", "/api/system/shutdown", "/api/start/insight", "/api/test_log/insight"):
            assert (await http.post(path, headers=bob)).status_code == 403
        ann = {"authorization": "Bearer ann"}
        assert (await http.post("/api/system/start", headers=ann)).status_code == 200
        async with Page.connect(house.server, additional_headers=bob) as page:  # hears only what he may read
            assert (await http.post("/api/stop/insight", headers=ann)).json()["success"] is True
            assert (await http.post("/api/test_log/insight", headers=ann)).json()["success"] is True
            await page.lines("insight", 1)
            assert [event for event, _ in page.heard if event == "status_update"] == []
