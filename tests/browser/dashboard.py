"""Reading the dashboard the way a person does: what stands in its rows, its list and its indicator."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, expect

CHROMIUM = Path("/usr/bin/chromium")
WITHIN_MS = 20_000
LOST = "net::ERR_|WebSocket connection"
REFUSED = "status of 401"

expect.set_options(timeout=WITHIN_MS)

OpenPage = Callable[..., Awaitable[Page]]


def marks() -> list[pytest.MarkDecorator]:
    """Marks of a module: its tests share a browser, a server and an event loop."""
    return [
        pytest.mark.browser,
        pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium"),
        pytest.mark.asyncio(loop_scope="module"),
    ]


class Seen(NamedTuple):
    """A line as it stands on the page."""

    offset: int
    text: str


@asynccontextmanager
async def opening(browser: Browser) -> AsyncIterator[OpenPage]:
    """Gives a function that opens an address in a fresh context.

    `may_lose=True` lets the page's requests fail, as they do while the server is killed; `may_refuse=True` lets them be
    answered by 401. Anything else that its console complains about fails the test.
    """
    complaints: list[str] = []
    async with AsyncExitStack() as stack:

        async def open_page(url: str, *, may_lose: bool = False, may_refuse: bool = False, **options: Any) -> Page:
            context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(WITHIN_MS)
            allowed = [LOST] * may_lose + [REFUSED] * may_refuse
            _watch(page, complaints, re.compile("|".join(allowed) or "(?!)"))
            # Whose server will die has come whole before: its parts are loaded as they are needed.
            await page.goto(url, wait_until="networkidle" if may_lose else "load")
            return page

        yield open_page
    while complaints and re.search(LOST, complaints[-1]):
        complaints.pop()  # the server's fixture may have ended before this one closed its pages
    if complaints:
        pytest.fail("the console complained:\n" + "\n".join(complaints))


def _watch(page: Page, complaints: list[str], allowed: re.Pattern[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        is_ours = not message.location["url"].endswith("/favicon.ico")  # asked for by the browser itself
        if message.type in ("error", "warning") and is_ours and not allowed.search(message.text):
            complaints.append(f"{message.type}: {message.text}")

    def on_request(request: Request) -> None:
        own = page.url.split("/")[2] if "/" in page.url else ""
        if request.url.startswith("http") and own and request.url.split("/")[2] != own:
            complaints.append(f"asked another host: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("request", on_request)


# The log


def log(page: Page) -> Locator:
    """The box with the lines."""
    return page.get_by_role("log", name="Lines")


def line(page: Page, text: str) -> Locator:
    """The row with exactly this text."""
    return page.locator(".log-row", has=page.locator(".log-text").get_by_text(text, exact=True))


async def rows(page: Page) -> list[Seen]:
    """The lines that are drawn, in order; marks of lives included with their words."""
    drawn = await page.evaluate(f"() => ({READ_ROWS})()")
    return [Seen(offset, text) for offset, text in drawn]


async def read_from_the_start(page: Page) -> list[Seen]:
    """Scroll through the whole log as a person would, from its first line to its end."""
    await log(page).press("Home")
    await expect(page.locator('.log-row[data-offset="1"]')).to_be_visible()
    read = await page.evaluate(READ_ON)
    assert read["broken"] == []
    return [Seen(offset, text) for offset, text in read["lines"]]


READ_ROWS = """() => [...document.querySelectorAll('.log-row')]
    .map(row => [+row.dataset.offset, row.querySelector('.log-text, .log-divider').textContent])
    .sort((a, b) => a[0] - b[0])"""

# Screen by screen to the end. What is drawn must always be one piece, and connect to what was read before.
READ_ON = f"""async () => {{
    const box = document.querySelector('[role=log]'), lines = [], broken = [];
    const isAtEnd = () => [...document.querySelectorAll('button')].some(button => button.textContent === 'following');
    for (let over = false; !over;) {{
        over = isAtEnd();
        const drawn = ({READ_ROWS})(), last = lines.at(-1)?.[0] ?? 0;
        if (drawn.some(([offset], i) => offset !== drawn[0][0] + i)) broken.push(`a hole after ${{last}}`);
        if (drawn[0][0] > last + 1) broken.push(`${{drawn[0][0]}} after ${{last}}`);
        lines.push(...drawn.filter(([offset]) => offset > last));
        box.scrollTop += box.clientHeight;
        box.dispatchEvent(new WheelEvent('wheel', {{deltaY: 1, bubbles: true}}));
        await new Promise(requestAnimationFrame);
    }}
    return {{lines, broken}};
}}"""


# The shell


def indicator(page: Page) -> Locator:
    """What the connection is doing."""
    return page.locator("header [role=status] ~ span")


async def expect_live(page: Page) -> None:
    await expect(indicator(page)).to_have_text(re.compile(r"^Live"))


def status_line(page: Page) -> Locator:
    """Where one is in the log."""
    return page.get_by_text(re.compile(r"^line [\d\u202f]+ of [\d\u202f]+"))
