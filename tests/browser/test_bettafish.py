"""BettaFish as its page sees it, with the stock Socket.IO client: it counts pushed lines, and polls what is beyond."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser.dashboard import marks
from tests.dialects.bettafish.room import House
from tests.live.real_server import free_port

pytestmark = marks()
STOCK = Path(__file__).parents[1] / "socket_io/node/node_modules"
LINES = 10_000
PARTS = (4000, 5500, LINES)
"""Lines: said while the page listens; while the server is dead; when the page is back."""


def pages_of(home: Path, client: str) -> Path:
    """What the system serves: its page, and the library beside it."""
    pages = home / "pages"
    (pages / "static").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("bettafish_page.html"), pages / "index.html")
    shutil.copy(STOCK / client / "dist/socket.io.min.js", pages / "static")
    return pages


async def shown(page: Page) -> list[int]:
    """The numbers of the lines in the console, in order."""
    lines: str = await page.locator("#console").inner_text()
    return [int(line.split()[-1]) for line in lines.splitlines() if "] line " in line]


async def until_shown(page: Page, count: int) -> None:
    await page.wait_for_function(
        "upto => document.querySelector('#console').textContent.includes(` line ${upto}\\n`)", arg=count - 1
    )


@pytest.mark.parametrize("client", ["socket.io-client", "socket.io-client-first"])
async def test_ten_thousand_lines_exactly_once_over_a_kill(browser: Browser, tmp_path: Path, client: str) -> None:
    port = free_port()
    room = {"dialect.bettafish": {"listen": f"127.0.0.1:{port}", "pages": str(pages_of(tmp_path, client))}}
    async with House.open(tmp_path, ("insight",), **room) as house:
        await speak(house, "Said before the page was opened.")
        context = await browser.new_context()
        page = await context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(f"http://127.0.0.1:{port}/")
        await expect(page.locator("#transport")).to_have_text("websocket")
        await expect(page.locator("#insight")).to_have_text("stopped")
        await house.start_all()
        await expect(page.locator("#insight")).to_have_text("running")
        await house.write("insight", f"count 0 {PARTS[0]}\n".encode())
        await until_shown(page, PARTS[0])
        await expect_chat(page, "Said before the page was opened.")

        await house.server.kill()
        await expect(page.locator("#state")).to_have_text("disconnected")
        await house.write("insight", f"count {PARTS[0]} {PARTS[1]}\n".encode())
        await house.server.start()
        await until_shown(page, PARTS[1])  # by polling: nobody pushed them
        await expect(page.locator("#state")).to_have_text("connected", timeout=15_000)
        await house.write("insight", f"count {PARTS[1]} {LINES}\n".encode())
        await until_shown(page, LINES)
        await speak(house, "Said to a page\nthat came back.")
        await expect_chat(page, "Said before the page was opened.", "Said to a page that came back.")

        assert await shown(page) == list(range(LINES))
        assert await page.evaluate("greetings") == ["Connected to Flask server"] * 2
        earlier: list[str] = await page.evaluate("earlier")
        assert any("[INSIGHT]" in record and "Said before" in record for record in earlier)
        pushed: list[dict[str, Any]] = await page.evaluate("pushed")
        assert [(message["source"], message["content"]) for message in pushed] == [
            ("INSIGHT", "Said to a page\nthat came back.")
        ]
        assert problems == []
        await context.close()


async def speak(house: House, text: str) -> None:
    status, found = await house.post("/api/forums/main/speeches", {"text": text, "source": "insight"})
    assert status == 201, found


async def expect_chat(page: Page, *texts: str) -> None:
    await expect(page.locator("#chat p")).to_have_text([f"Insight Engine: {text}" for text in texts])
