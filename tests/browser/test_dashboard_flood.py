"""A program that writes 5 000 lines a second: the page stays usable, bounded, and ends with the last line."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.browser.dashboard import READ_ROWS, OpenPage, line, log, marks, rows
from tests.live.real_server import RealServer
from tests.live.workspace import ask, python, serving, until_log

pytestmark = marks()

# Pours until it is told that it is enough, then says how much it was.
FLOOD = """
import sys, threading, time
enough = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), enough.set()), daemon=True).start()
begun, number = time.monotonic(), 0
while not enough.is_set():
    for _ in range(50):
        number += 1
        print("drop", number)
    time.sleep(max(0, begun + number / 5000 - time.monotonic()))
print("all of", number)
"""
# How many rows there are at most, counted whenever some are drawn.
COUNT_ROWS = """
    window.most = 0;
    const count = () => {
        window.most = Math.max(window.most, document.querySelectorAll('.log-row').length);
        requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with serving(tmp_path_factory.mktemp("flood"), {"process.flood": python(FLOOD, stdin=True)}) as server:
        yield server


def is_over(events: list[Any]) -> bool:
    return bool(events) and events[-1]["type"] == "process.exited"


async def test_a_flood(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/flood")
    await page.evaluate(COUNT_ROWS)
    await ask(server, "process.start", name="flood")
    await expect(page.locator(".log-text").first).to_have_text(re.compile("^drop"))

    # While it pours: typing, a dialog, pausing, looking back, and following again.
    await page.get_by_placeholder("Search the whole log").fill("drop 77")
    await expect(page.get_by_role("complementary", name="Search results")).to_contain_text("hit")
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name=re.compile("new lines?$"))).to_be_visible()
    still = await rows(page)
    await page.get_by_role("group", name="Times").get_by_role("button", name="No time").click()
    assert await rows(page) == still
    await log(page).press("Home")
    await expect(line(page, "drop 1")).to_be_visible()
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name="following", exact=True)).to_be_visible()
    await page.wait_for_function(f"() => ({READ_ROWS})().some(row => +row[1].split(' ')[1] > 15000)")

    await ask(server, "process.write", name="flood", text="enough\n")
    number = (await until_log(server, "flood", is_over))[-1]["offset"] - 3  # start, sum and end
    assert number > 15_000
    await expect(line(page, f"all of {number}")).to_be_visible()
    assert [seen.text for seen in await rows(page)][-3:-1] == [f"drop {number}", f"all of {number}"]
    assert 0 < await page.evaluate("window.most") < 150
