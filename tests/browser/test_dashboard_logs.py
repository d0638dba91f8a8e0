"""Reading logs: back to the first line, to a linked line, through a search, by stream; following and pausing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, WebSocketRoute, expect
from tests.browser.dashboard import (
    WITHIN_MS,
    OpenPage,
    line,
    log,
    marks,
    read_from_the_start,
    rows,
    status_line,
)
from tests.live.real_server import RealServer
from tests.live.workspace import ask, python, serving, until_lines, until_row

pytestmark = marks()

LINES = 100_000
BIG = """
for number in range(1, 100_001):
    print("line", number, "needle" if number % 25_000 == 0 else "")
"""
MIXED = """
import sys
for number in range(1, 201):
    print("out", number, flush=True)
    if number % 4 == 0:
        print("err", number, file=sys.stderr, flush=True)
"""
COLOURS = r"""
print("\x1b[31mred\x1b[0m plain \x1b[1;32mbold green\x1b[0m")
print("\x1b[38;2;10;200;30mown colour\x1b[0m \x1b[44mon blue\x1b[0m")
print("before\x1b[2Jafter \x1b]0;a title\x07end")
"""
TALKER = """
import sys
said = 0
for line in sys.stdin:
    for _ in range(int(line)):
        said += 1
        print("said", said)
    sys.stdout.flush()
"""
PROGRAMS = {
    "process.big": python(BIG, autostart=True),
    "process.mixed": python(MIXED, autostart=True),
    "process.colours": python(COLOURS, autostart=True),
    "process.talker": python(TALKER, autostart=True, stdin=True),
}
FIRST_LINE = 2  # its offset; 1 is the start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with serving(tmp_path_factory.mktemp("logs"), PROGRAMS) as server:
        for name in ("big", "mixed", "colours"):
            await until_row(server, name, status="exited", exit_code=0)
        yield server


def text_of(offset: int) -> str:
    """What the big program wrote at this offset."""
    number = offset - FIRST_LINE + 1
    return f"line {number} " + ("needle" if number % 25_000 == 0 else "")


def is_exact(seen: list[Any]) -> bool:
    """Whether these are lines of the big program, none missing between them."""
    lines = [one for one in seen if FIRST_LINE <= one.offset < FIRST_LINE + LINES]
    offsets = [one.offset for one in lines]
    return offsets == list(range(offsets[0], offsets[-1] + 1)) and all(one.text == text_of(one.offset) for one in lines)


PAGE_BACK = """async () => {
    const box = document.querySelector('[role=log]');
    const top = () => Math.min(...[...box.querySelectorAll('.log-row')].map(row => +row.dataset.offset));
    const from = top();
    while (top() === from && from > 1) {
        box.scrollTop = 0;
        await new Promise(requestAnimationFrame);
    }
    return box.querySelectorAll('.log-row').length;
}"""


async def test_back_to_the_first_line(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/big")
    await expect(line(page, text_of(LINES + 1))).to_be_visible()
    steps = 0
    while (seen := await rows(page))[0].offset > 1:
        assert is_exact(seen)
        assert await page.evaluate(PAGE_BACK) < 150  # however much is loaded, few rows are drawn
        steps += 1
    assert is_exact(seen)
    assert steps > LINES / 1000
    await expect(line(page, "line 1 ")).to_be_visible()
    await log(page).press("End")
    await expect(line(page, text_of(LINES + 1))).to_be_visible()


async def test_a_link_to_a_line(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/big?at=50001")
    target = page.locator(".log-row.target")
    await expect(target).to_have_text(re.compile("line 50000 needle$"))
    await expect(target).to_be_in_viewport()
    assert is_exact(await rows(page))
    await expect(page.get_by_role("button", name="paused", exact=True)).to_be_visible()
    await target.hover()
    while (seen := await rows(page))[-1].offset < 53_000:  # several pages on
        assert is_exact(seen)
        await page.mouse.wheel(0, 20_000)
    assert is_exact(seen)
    await expect(status_line(page)).to_have_text(re.compile("^line 5[34]"))


async def test_a_search_counts_lists_and_jumps(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/big")
    await expect(line(page, text_of(LINES + 1))).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("NEEDLE")
    results = page.get_by_role("complementary", name="Search results")
    await expect(results).to_contain_text("4 hits")
    await expect(results).to_contain_text("all 100\u202f002 lines scanned")
    await page.keyboard.press("Enter")
    await expect(results).to_contain_text("1 of 4 hits")
    await page.keyboard.press("Enter")
    await expect(results).to_contain_text("2 of 4 hits")
    target = page.locator(".log-row.target")
    await expect(target).to_have_text(re.compile("line 75000 needle$"))
    await expect(target.locator("mark")).to_have_text("needle")
    await expect(line(page, "line 74999 ")).to_be_visible()  # the hit stands in its context
    await expect(line(page, "line 75001 ")).to_be_visible()
    await results.get_by_role("button", name="line 25000 needle").click()
    await expect(target).to_have_text(re.compile("line 25000 needle$"))
    await results.get_by_role("button", name="Newer hit").click()
    await expect(target).to_have_text(re.compile("line 50000 needle$"))
    await page.get_by_role("button", name="Distinguish capital letters").click()
    await expect(results).to_contain_text("No line contains this")
    await results.get_by_role("button", name="Close the search").click()
    await expect(results).not_to_be_visible()


class Held:
    """Stands between the page and the server: lets the answers to searches through when it is told to."""

    def __init__(self) -> None:
        self._page: WebSocketRoute | None = None
        self._answers: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._holding = True

    def between(self, page: WebSocketRoute) -> None:
        self._page = page
        page.connect_to_server().on_message(self._on_message)

    def _on_message(self, text: str | bytes) -> None:
        assert self._page is not None
        if self._holding and '"scanned_to"' in str(text):
            self._answers.put_nowait(text)
        else:
            self._page.send(text)

    async def pass_one(self) -> None:
        assert self._page is not None
        async with asyncio.timeout(WITHIN_MS / 1000):
            self._page.send(await self._answers.get())

    def pass_all(self) -> None:
        assert self._page is not None
        self._holding = False
        while not self._answers.empty():
            self._page.send(self._answers.get_nowait())


async def test_the_count_of_a_search_runs(server: RealServer, open_page: OpenPage) -> None:
    held = Held()
    page = await open_page(f"{server.url}/connections")
    await page.route_web_socket(re.compile("/live"), held.between)
    await page.goto(f"{server.url}/logs/big")
    await page.get_by_placeholder("Search the whole log").fill("line")
    results = page.get_by_role("complementary", name="Search results")
    await expect(results).to_contain_text("scanned 0 of 100\u202f002")
    for counted in (200, 400, 600):
        await held.pass_one()
        await expect(results).to_contain_text(f"{counted} hits")
        await expect(results).to_contain_text(f"scanned {counted + 1} of 100\u202f002")  # and the mark of the end
    await page.keyboard.press("Enter")  # what is there can be used already
    await expect(page.locator(".log-row.target")).to_have_text(re.compile("line 100000 needle$"))
    held.pass_all()
    await expect(results).to_contain_text("1 of 100\u202f000 hits")
    await expect(results).to_contain_text("all 100\u202f002 lines scanned")


async def test_one_stream_only(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/mixed")
    streams = page.get_by_role("group", name="Streams")
    await streams.get_by_role("button", name="stderr").click()
    await expect(line(page, "err 200")).to_be_visible()
    await expect(page.locator(".log-text", has_text="out")).to_have_count(0)
    shown = [seen.text for seen in await rows(page) if seen.text.startswith("err")]
    assert shown[-30:] == [f"err {number}" for number in range(84, 201, 4)]
    await streams.get_by_role("button", name="stdout").click()
    await expect(line(page, "out 200")).to_be_visible()
    await expect(page.locator(".log-text", has_text="err")).to_have_count(0)
    await streams.get_by_role("button", name="All").click()
    read = [seen.text for seen in await read_from_the_start(page)]
    assert [text for text in read if text.startswith("out")] == [f"out {number}" for number in range(1, 201)]
    assert [text for text in read if text.startswith("err")] == [f"err {number}" for number in range(4, 201, 4)]


async def test_times_and_wrapping(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/mixed")
    mark = page.locator(".log-row", has_text="err 200").locator(".log-mark")
    times = page.get_by_role("group", name="Times")
    errors = page.get_by_role("group", name="Streams").get_by_role("button", name="stderr")
    await errors.click()  # two pipes have no common order: only so is it the last one
    await expect(mark).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    await times.get_by_role("button", name="No time").click()
    await expect(mark).to_have_text("·")
    await times.get_by_role("button", name="Since start").click()
    await expect(mark).to_have_text(re.compile(r"^\d+:\d\d\.\d{3}$"))
    await page.get_by_role("button", name="Wrap").click()
    await expect(page.locator(".log-row.wrap").first).to_be_visible()
    await page.reload()  # both choices are kept
    await errors.click()
    await expect(mark).to_have_text(re.compile(r"^\d+:\d\d\.\d{3}$"))
    await expect(page.locator(".log-row.wrap").first).to_be_visible()


async def say(server: RealServer, many: int) -> None:
    """Let the talker say more lines."""
    await ask(server, "process.write", name="talker", text=f"{many}\n")


async def test_pausing_counts_what_comes(server: RealServer, open_page: OpenPage) -> None:
    await say(server, 100)
    page = await open_page(f"{server.url}/logs/talker")
    await expect(line(page, "said 100")).to_be_visible()
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name="paused", exact=True)).to_be_visible()
    before = await rows(page)
    await say(server, 5)
    await expect(page.get_by_role("button", name="5 new lines")).to_be_visible()
    assert await rows(page) == before  # paused is paused
    await page.get_by_role("button", name="5 new lines").click()
    await expect(line(page, "said 105")).to_be_visible()
    await say(server, 1)
    await expect(line(page, "said 106")).to_be_visible()  # and it follows again
    await log(page).hover()
    await page.mouse.wheel(0, -400)
    await expect(page.get_by_role("button", name="paused", exact=True)).to_be_visible()
    await say(server, 2000)
    await expect(page.get_by_role("button", name="2\u202f000 new lines")).to_be_visible()
    await page.keyboard.press("f")
    await expect(line(page, "said 2106")).to_be_visible()
    await until_lines(server, "talker", "said 2106")


async def test_colours(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/colours", color_scheme="dark")
    red = page.locator(".log-text span", has_text="red")
    await expect(red).to_have_css("color", "rgb(255, 122, 122)")
    await expect(page.get_by_text("bold green")).to_have_css("font-weight", "700")
    await expect(page.get_by_text("bold green")).to_have_css("color", "rgb(95, 207, 151)")
    own, blue = page.get_by_text("own colour"), page.get_by_text("on blue")
    assert await colour(own, "color") != await colour(log(page), "color")
    assert await colour(blue, "background-color") != "rgba(0, 0, 0, 0)"
    await expect(line(page, "beforeafter end")).to_be_visible()  # what only a terminal can do is left out
    await page.emulate_media(color_scheme="light")
    await expect(red).to_have_css("color", "rgb(180, 35, 35)")


async def colour(of: Locator, name: str) -> Any:
    return await of.evaluate("(element, name) => getComputedStyle(element).getPropertyValue(name)", name)


async def test_lines_and_links_are_copied(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/big?at=50001", permissions=["clipboard-read", "clipboard-write"])
    await page.locator('[data-offset="50001"] .log-mark').click()
    await page.get_by_role("button", name="Copy link").click()
    await expect(page.get_by_text("copied")).to_be_visible()
    link = await pasted(page)
    assert link == f"{server.url}/logs/big?at=50001"
    await page.locator('[data-offset="50003"] .log-mark').click(modifiers=["Shift"])
    await page.get_by_role("button", name="Copy", exact=True).click()
    await page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('line')")
    assert await pasted(page) == "\n".join(text_of(offset) for offset in (50001, 50002, 50003))
    other = await open_page(link)
    await expect(other.locator(".log-row.target")).to_have_text(re.compile("line 50000 needle$"))


async def pasted(page: Page) -> Any:
    return await page.evaluate("() => navigator.clipboard.readText()")
