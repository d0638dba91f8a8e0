"""Starting, stopping and restarting programs from the page, and writing to them."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from tests.browser.dashboard import OpenPage, line, marks
from tests.live.real_server import RealServer
from tests.live.workspace import ask, python, rows, serving, until_row

pytestmark = marks()

SLEEPER = "import signal; print('up', flush=True); signal.pause()"
ENDS = "import sys; print('done'); sys.exit(3)"
ECHO = "import sys\nfor text in sys.stdin: print('heard', text.rstrip(), flush=True)"
# Told to end, it says so and waits until somebody opens the FIFO.
SLOW = """
import signal, sys
def end(*_):
    print("ending", flush=True)
    open(sys.argv[1]).read()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gate") / "fifo"
    os.mkfifo(path)
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(gate: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    settings = {
        "process.absent": {"command": ["./no-such-program"]},
        "process.echo": python(ECHO, stdin=True),
        "process.ends": python(ENDS),
        "process.needy": python(SLEEPER, depends_on=["absent"]),
        "process.sleeper": python(SLEEPER),
        "process.slow": python(SLOW, gate, grace_s=60),
    }
    async with serving(tmp_path_factory.mktemp("processes"), settings) as server:
        yield server


def head(page: Page) -> Locator:
    """Name, state and buttons above the log."""
    return page.locator("section", has=page.get_by_role("heading", level=1)).locator("> div").first


def button(page: Page, name: str) -> Locator:
    return head(page).get_by_role("button", name=name, exact=True)


async def test_a_life(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/sleeper")
    await expect(page.get_by_text("Start the program to see what it writes.")).to_be_visible()
    await button(page, "Start").click()
    await expect(line(page, "up")).to_be_visible()
    await expect(head(page)).to_contain_text(re.compile("running.*pid"))
    item = page.get_by_role("listitem").filter(has_text="sleeper")
    await expect(item).to_contain_text("running")
    before = (await rows(server))["sleeper"]
    await button(page, "Restart").click()
    await expect(line(page, "up")).to_have_count(2)
    after = await until_row(server, "sleeper", status="running")
    assert after["pid"] != before["pid"]
    await expect(head(page)).to_contain_text(f"pid {after['pid']}")
    await button(page, "Stop").click()
    await expect(head(page)).to_contain_text("stopped")
    await expect(page.locator(".log-divider", has_text="ended by SIGTERM")).to_have_count(2)
    await expect(button(page, "Start")).to_be_enabled()
    await item.get_by_role("button", name="Start sleeper").click()  # the list has the same buttons
    await expect(head(page)).to_contain_text("running")
    await item.get_by_role("button", name="Stop sleeper").click()
    await expect(head(page)).to_contain_text("stopped")


async def test_what_is_under_way_is_seen(server: RealServer, open_page: OpenPage, gate: Path) -> None:
    page = await open_page(f"{server.url}/logs/slow")
    other = await open_page(f"{server.url}/logs/slow")
    await button(page, "Start").click()
    await expect(line(page, "up")).to_be_visible()
    await button(page, "Stop").click()
    await expect(button(page, "Stopping")).to_be_disabled()
    await expect(button(page, "Restart")).to_be_disabled()
    await expect(line(page, "ending")).to_be_visible()
    await expect(head(page)).to_contain_text("stopping")
    await expect(head(other)).to_contain_text("stopping")  # others see it too
    await asyncio.to_thread(gate.write_bytes, b"")
    await expect(head(page)).to_contain_text("stopped")
    await expect(head(other)).to_contain_text("stopped")
    await expect(button(page, "Start")).to_be_enabled()


async def test_exit_codes_are_shown(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/ends")
    await button(page, "Start").click()
    await expect(head(page)).to_contain_text("failed")
    await expect(head(page)).to_contain_text("exit code 3")
    await expect(page.locator(".log-divider", has_text="exited with 3")).to_be_visible()


async def test_what_cannot_start_says_why(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/absent")
    await button(page, "Start").click()
    await expect(head(page)).to_contain_text("failed")
    await expect(head(page)).to_contain_text("No such file or directory: './no-such-program'")
    await page.goto(f"{server.url}/logs/needy")
    await button(page, "Start").click()
    problem = head(page).get_by_role("alert")
    await expect(problem).to_contain_text("needy was not started: ")
    await problem.get_by_role("button", name="Dismiss").click()
    await expect(problem).to_have_count(0)


async def test_lines_are_written_where_somebody_reads(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/echo")
    await expect(button(page, "Start")).to_be_visible()
    await expect(button(page, "Write")).to_have_count(0)  # it does not run
    await button(page, "Start").click()
    await button(page, "Write").click()
    field = page.get_by_placeholder("A line for the standard input of echo")
    await field.fill("grüße 🫖")
    await field.press("Enter")
    await expect(line(page, "heard grüße 🫖")).to_be_visible()
    await expect(field).to_have_value("")
    await field.press("ArrowUp")
    await expect(field).to_have_value("grüße 🫖")
    await field.fill("x" * 300_000)
    await field.press("Enter")
    await expect(head(page).get_by_role("alert")).to_be_visible()
    await field.press("Escape")
    await expect(field).to_have_count(0)
    await ask(server, "process.start", name="sleeper")
    await page.goto(f"{server.url}/logs/sleeper")
    await expect(button(page, "Stop")).to_be_visible()
    await expect(button(page, "Write")).to_have_count(0)  # nobody reads what is written to it
    await ask(server, "process.stop", name="sleeper")


async def test_the_first_page_shows_what_runs(server: RealServer, open_page: OpenPage) -> None:
    await ask(server, "process.stop", name="echo")
    await ask(server, "process.start", name="sleeper")
    page = await open_page(server.url)
    await expect(page.get_by_role("heading", name="sleeper")).to_be_visible()
    await ask(server, "process.stop", name="sleeper")
    await expect(head(page)).to_contain_text("stopped")  # and does not change by itself
    await page.get_by_role("link", name="ends").click()
    await expect(page.get_by_role("heading", name="ends")).to_be_visible()
    await page.get_by_role("navigation").get_by_role("link", name="Connections").click()
    await page.get_by_role("navigation").get_by_role("link", name="Logs").click()
    await expect(page.get_by_role("heading", name="ends")).to_be_visible()
