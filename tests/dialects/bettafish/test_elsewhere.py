"""A port of its own: the system's pages at the root, or a small one of ours; long-polling, then WebSocket."""

from __future__ import annotations

import json
from pathlib import Path

from tests.dialects.bettafish.room import House, Page
from tests.live.real_server import free_port

PAGE = "<!doctype html><title>Their page</title>"


def own(port: int, **more: str) -> dict[str, dict[str, str]]:
    return {"dialect.bettafish": {"listen": f"127.0.0.1:{port}", **more}}


async def test_its_pages_are_served_at_the_root(tmp_path: Path) -> None:
    port, pages = free_port(), tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text(PAGE)
    async with House.open(tmp_path, ("insight",), **own(port, pages="pages")) as house, house.http(port) as http:
        assert (await http.get("/")).text == PAGE
        assert (await http.get("/api/system/status")).json()["success"] is True
        assert (await http.get("/api/output/insight")).json()["output"] == []
        assert (await http.get("/api/runs")).status_code == 404
        async with Page.connect(house.server, port) as page:
            assert (await page.statuses())["insight"]["status"] == "stopped"
            await house.post("/api/system/start")
            await page.until_status(insight="running")
        async with house.http() as main:
            assert (await main.get("/")).text != PAGE


async def test_a_page_of_ours_where_none_is_given(tmp_path: Path) -> None:
    port = free_port()
    async with House.open(tmp_path, (), **own(port)) as house, house.http(port) as http:
        page = await http.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        for path in ("/assets/room.js", "/assets/room.css"):
            assert f'"{path[1:]}"' in page.text
            assert (await http.get(path)).status_code == 200
        assert (await http.get("/nothing")).status_code == 404


async def test_polling_comes_first_then_the_upgrade(tmp_path: Path) -> None:
    """Section 1: the library's default order; handshake numbers are its defaults."""
    import websockets

    async with House.open(tmp_path, ()) as house, house.http() as http:
        path = "/socket.io/?EIO=4&transport=polling"
        facts = json.loads((await http.get(path)).text[1:])
        sid = facts.pop("sid")
        assert facts == {"upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 1000000}
        assert (await http.post(f"{path}&sid={sid}", content="40")).text == "ok"
        heard = ""
        while '42["status","Connected to Flask server"]' not in heard:
            heard += (await http.get(f"{path}&sid={sid}")).text + "\x1e"
        address = f"ws://127.0.0.1:{house.server.port}/socket.io/?EIO=4&transport=websocket&sid={sid}"
        async with websockets.connect(address, ping_interval=None) as socket:
            await socket.send("2probe")
            assert await socket.recv() == "3probe"
            await socket.send("5")
            await socket.send('42["request_status"]')
            message = str(await socket.recv())
            assert message.startswith('42["status_update",{"insight":{"status":"stopped"')


async def test_what_is_turned_off_is_not_there(tmp_path: Path) -> None:
    async with House.open(tmp_path, (), **{"dialect.bettafish": {"enabled": False}}) as house, house.http() as http:
        for path in ("/api/status", "/api/output/insight", "/api/config", "/api/report/status"):
            assert (await http.get(path)).status_code == 404


async def test_a_slow_page_delays_nobody(tmp_path: Path) -> None:
    """Section 7: threads beside an event loop that does not know of them. Here nobody waits for a page."""
    async with (
        House.open(tmp_path, ("insight",)) as house,
        Page.connect(house.server) as slow,  # does not read
        Page.connect(house.server) as quick,
    ):
        await house.start_all()
        await house.write("insight", b"count 0 20000\n")
        assert (await quick.until_line("insight", "line 19999"))[-1].endswith("line 19999")
        found = await slow.until_line("insight", "line 19999")
        assert [line for line in found if "] line " in line] == found[1:]
        assert len(found) == 20001
