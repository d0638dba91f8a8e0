"""The dashboard below a prefix, in somebody's own app under plain uvicorn: every page, deep links, live lines."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.browser.dashboard import OpenPage, expect_live, line, marks
from tests.live.workspace import python, write_settings

pytestmark = marks()

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "embed" / "main.py"
TALKER = "import sys\nfor text in sys.stdin: print('said', text.strip(), flush=True)"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the example, as its own users start it."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copy(EXAMPLE, folder)
    write_settings(folder / "antiphon.toml", {"process.talker": python(TALKER, stdin=True, autostart=True)})
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", "0"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            found = (re.search(r"running on (http://[\d.:]+)", text) for text in server.stderr)
            yield next(match[1] for match in found if match)
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate()


async def test_lines_come_live(app: str, open_page: OpenPage) -> None:
    page = await open_page(f"{app}/antiphon/")
    await expect(page.get_by_role("heading", name="talker")).to_be_visible()
    await expect_live(page)
    await page.get_by_role("button", name="Write").click()
    await page.get_by_role("textbox", name="standard input").fill("Assam")
    await page.keyboard.press("Enter")
    await expect(line(page, "said Assam")).to_be_visible()


async def test_every_page_can_be_opened_by_its_address(app: str, open_page: OpenPage) -> None:
    for path, heading in (("logs/talker?at=1", "talker"), ("connections", "Connections"), ("playground", "Playground")):
        page = await open_page(f"{app}/antiphon/{path}")
        await expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        await expect_live(page)
    await page.get_by_role("button", name="Connect", exact=True).click()
    await expect(page.get_by_role("log", name="Frames")).to_contain_text(f"{app[5:]}/antiphon/live")
    await expect(page.get_by_role("log", name="Frames")).to_contain_text("welcome")


async def test_links_stay_below_the_prefix(app: str, open_page: OpenPage) -> None:
    page = await open_page(f"{app}/antiphon/connections")
    await page.get_by_role("navigation").get_by_role("link", name="Logs").click()
    await page.get_by_role("link", name="talker").click()
    assert page.url == f"{app}/antiphon/logs/talker"
    await page.go_back()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Connections")).to_be_visible()


async def test_the_api_page_calls_the_mounted_api(app: str, open_page: OpenPage) -> None:
    page = await open_page(f"{app}/antiphon/docs")
    server = page.locator(".opblock-get", has=page.locator('[data-path="/api/server"]'))
    await server.locator(".opblock-summary-control").click()
    await server.get_by_role("button", name="Execute").click()
    await expect(server.locator(".request-url")).to_contain_text(f"{app}/antiphon/api/server")
    await expect(server.locator(".live-responses-table")).to_contain_text('"protocol": 1')


async def test_two_windows_see_what_either_orders(app: str, open_page: OpenPage) -> None:
    one, other = await asyncio.gather(open_page(app), open_page(app))
    await one.get_by_placeholder("Which tea?").fill("Ceylon")
    await one.get_by_role("button", name="Order").click()
    await expect(other.get_by_role("listitem")).to_have_text("Ceylon")
