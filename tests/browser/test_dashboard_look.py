"""At 380 px, in the dark, by keyboard, and without movement."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, ViewportSize, expect
from tests.browser.dashboard import OpenPage, line, marks
from tests.live.real_server import RealServer
from tests.live.workspace import python, serving, until_lines, until_row

pytestmark = marks()

NARROW: ViewportSize = {"width": 380, "height": 780}
LONG_NAME = "a-process-whose-name-is-really-longer-than-anybody-would-like"
WORDY = "import signal\nprint('word ' * 100)\nprint('x' * 500, flush=True)\nsignal.pause()"
SETTINGS = {
    f"process.{LONG_NAME}": python(WORDY, autostart=True, stdin=True),
    "process.broken": python("import sys; sys.exit('no ' * 40)", autostart=True),
    "process.tea": python("print('kettle')", autostart=True),
    "log.far": {"path": "a/path/to/a/file/that/lies/in/many/folders/" * 3 + "far.log"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with serving(tmp_path_factory.mktemp("look"), SETTINGS) as server:
        await until_lines(server, LONG_NAME, "x" * 500)
        await until_row(server, "broken", status="failed")
        yield server


# What stands beyond the edge, except in boxes that are there to be scrolled sideways.
BEYOND = """() => {
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) return [`the page is ${root.scrollWidth} px wide`];
    const scrolls = e => e && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
    return [...document.querySelectorAll('a, button, input, textarea, h1, h2, [role=status], [role=alert]')]
        .filter(e => e.checkVisibility() && !e.closest('.sr-only') && !e.matches('.sr-only') && !scrolls(e))
        .map(e => [e, e.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0 && (box.left < 0 || box.right > root.clientWidth))
        .map(([e, box]) => `${e.tagName} ${e.textContent.slice(0, 40)}: ${box.left} to ${box.right}`);
}"""


async def expect_nothing_beyond(page: Page) -> None:
    assert await page.evaluate(BEYOND) == []


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("logs", "broken"),
        (f"logs/{LONG_NAME}", "Write"),
        ("logs/broken", "exit code 1"),
        ("logs/far", "waiting"),
        ("logs/nothing", "There is no log called nothing"),
        ("connections", "this page"),
        ("playground", "unsubscribe"),
    ],
    ids=["list", "log", "failed", "file", "none", "connections", "playground"],
)
async def test_nothing_lies_beyond_the_edge(server: RealServer, open_page: OpenPage, path: str, there: str) -> None:
    page = await open_page(f"{server.url}/{path}", viewport=NARROW)
    for width in (380, 760, 1100, 1440):
        await page.set_viewport_size({"width": width, "height": 780})
        await expect(page.get_by_text(there).first).to_be_visible()
        await expect_nothing_beyond(page)


async def test_on_a_phone_the_list_leads_to_the_log_and_back(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(server.url, viewport=NARROW, has_touch=True)
    names = page.get_by_role("region", name="Processes and logs")
    await names.get_by_role("link", name="tea").tap()
    await expect(line(page, "kettle")).to_be_visible()
    await expect(names).to_have_count(0)
    await page.get_by_role("button", name="Start", exact=True).tap()
    await expect(line(page, "kettle")).to_have_count(2)
    await page.get_by_placeholder("Search the whole log").fill("kettle")
    await expect(page.get_by_text("2 hits")).to_be_visible()
    await expect_nothing_beyond(page)
    await page.get_by_role("link", name="All logs").tap()
    await expect(names).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", name="tea")).to_be_visible()
    rail = page.get_by_role("navigation", name="Pages")
    if await rail.get_by_role("button", name="More").count() > 0:  # with agents there are too many for a bar
        await rail.get_by_role("button", name="More").tap()
        await expect_nothing_beyond(page)
    await rail.get_by_role("link", name="Playground").tap()
    await page.get_by_role("button", name="Connect", exact=True).tap()
    await expect(page.get_by_role("log", name="Frames")).to_contain_text("welcome")
    await expect_nothing_beyond(page)


async def test_dark_and_light(server: RealServer, open_page: OpenPage) -> None:
    dark, light = "rgb(15, 16, 18)", "rgb(251, 251, 250)"
    page = await open_page(server.url, color_scheme="dark")
    body, toggle = page.locator("body"), page.get_by_role("button", name=re.compile("^Theme"))
    await expect(body).to_have_css("background-color", dark)
    await page.emulate_media(color_scheme="light")
    await expect(body).to_have_css("background-color", light)
    await toggle.click()
    await expect(body).to_have_css("background-color", dark)
    await page.reload(wait_until="commit")
    await expect(body).to_have_css("background-color", dark)  # from the first moment
    await toggle.click()
    await expect(body).to_have_css("background-color", light)
    await page.emulate_media(color_scheme="dark")
    await expect(body).to_have_css("background-color", light)  # chosen is chosen
    await toggle.click()
    await expect(body).to_have_css("background-color", dark)  # as the system again


async def test_by_keyboard(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/tea")
    await expect(line(page, "kettle").first).to_be_visible()
    search = page.get_by_placeholder("Search the whole log")
    await page.keyboard.press("/")
    await expect(search).to_be_focused()
    await page.keyboard.type("f?/kettle")  # in a field they are letters
    await expect(search).to_have_value("f?/kettle")
    await page.keyboard.press("Escape")
    await expect(search).to_have_value("")
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name="paused", exact=True)).to_be_visible()
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name="following", exact=True)).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard help")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("heading", level=1)).to_have_text("broken")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("heading", level=1)).to_have_text("tea")
    for keys, heading in (("gc", "Connections"), ("gp", "Playground"), ("gl", "tea")):
        for key in keys:
            await page.keyboard.press(key)
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)


async def test_nothing_moves_where_that_is_asked_for(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(server.url, reduced_motion="reduce")
    await page.locator("body").evaluate("body => body.insertAdjacentHTML('beforeend', '<i class=\"dot pulse\"></i>')")
    await expect(page.locator(".pulse").last).to_have_css("animation-name", "none")
    await page.emulate_media(reduced_motion="no-preference")
    await expect(page.locator(".pulse").last).to_have_css("animation-name", "pulse")
