"""The small page of ours, in a real browser: statuses, consoles and the chat, also after a restart of the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect
from tests.browser.dashboard import CHROMIUM
from tests.dialects.bettafish.room import House
from tests.live.real_server import free_port

pytestmark = pytest.mark.browser


async def test_the_page_shows_the_room(tmp_path: Path) -> None:
    port = free_port()
    room = {"dialect.bettafish": {"listen": f"127.0.0.1:{port}"}}
    async with House.open(tmp_path, ("insight",), **room) as house, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(f"http://127.0.0.1:{port}/")
        await expect(page.get_by_role("status")).to_have_text("connected")
        button = page.get_by_role("button", name="insight")
        await expect(button).to_have_text("insight: stopped")
        await house.start_all()
        await expect(button).to_have_text("insight: running")
        console = page.locator("#console")
        await house.write("insight", b"count 0 1000\n")
        await expect(console).to_contain_text("line 999")
        await house.server.kill()
        await expect(page.get_by_role("status")).to_have_text("not connected")
        await house.write("insight", b"count 1000 1500\n")
        await house.server.start()
        await expect(console).to_contain_text("line 1499", timeout=30_000)
        await house.post("/api/forums/main/speeches", {"text": "<b>tea</b>", "source": "insight"})
        await expect(page.locator("#chat")).to_contain_text("<b>tea</b>")
        shown = [int(line.split()[-1]) for line in (await console.inner_text()).splitlines() if "] line " in line]
        assert shown == list(range(1500))
        assert problems == []
        await browser.close()
