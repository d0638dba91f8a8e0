"""The promise: the server is killed while programs write and pages watch; no line is missing, none comes twice."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect
from tests.browser.dashboard import READ_ROWS, OpenPage, expect_live, indicator, marks, read_from_the_start
from tests.live.real_server import RealServer
from tests.live.workspace import python, serving, until_row, whole_log

pytestmark = marks()

LINES = 3000
# Writes its lines without a break, except at two of them, where it waits for somebody to look into a FIFO.
WRITER = """
import sys, time
name, many, meetings = sys.argv[1], int(sys.argv[2]), dict(zip((1000, 2000), sys.argv[3:]))
for number in range(1, many + 1):
    print(name, number, flush=True)
    time.sleep(0.001)
    if number in meetings:
        open(meetings[number], "w").close()
"""
# Every frame: what is drawn, and whether it is one unbroken piece in which each line is what it was before.
WATCH = f"""
    window.watched = {{texts: new Map(), broken: [], said: []}};
    const look = () => {{
        const drawn = ({READ_ROWS})(), {{texts, broken, said}} = window.watched;
        drawn.forEach(([offset, text], i) => {{
            if (i > 0 && offset !== drawn[i - 1][0] + 1) broken.push(`${{offset}} after ${{drawn[i - 1][0]}}`);
            if (texts.has(offset) && texts.get(offset) !== text) broken.push(`${{offset}} changed`);
            texts.set(offset, text);
        }});
        const words = document.querySelector('header [role=status] ~ span')?.textContent;
        if (words && words !== said.at(-1)) said.push(words);
        requestAnimationFrame(look);
    }};
    document.addEventListener('DOMContentLoaded', look);
"""


class Writers:
    """The settings of two programs, and the FIFOs at which they are met."""

    def __init__(self, home: Path) -> None:
        self._fifos = {name: [home / f"{name}-{n}" for n in (1, 2)] for name in ("red", "blue")}
        for fifos in self._fifos.values():
            for fifo in fifos:
                os.mkfifo(fifo)

    def settings(self) -> dict[str, Any]:
        return {f"process.{name}": python(WRITER, name, LINES, *fifos) for name, fifos in self._fifos.items()}

    async def meet(self, which: int) -> None:
        """Wait until both have come so far; they go on at once."""
        async with asyncio.timeout(60), asyncio.TaskGroup() as meeting:
            for fifos in self._fifos.values():
                meeting.create_task(asyncio.to_thread(fifos[which].read_bytes))


async def until_shown(page: Page, number: int) -> None:
    """Wait until this line of the program, or a later one, is on the page."""
    await page.wait_for_function(
        "number => Math.max(...[...document.querySelectorAll('.log-text')].map(e => +e.textContent.split(' ')[1]))"
        " >= number",
        arg=number,
    )


async def check(page: Page, server: RealServer, name: str) -> None:
    """The page shows what the server has, and that is what the program wrote."""
    events = await whole_log(server, f"log:{name}")
    texts = [event["data"].get("text") for event in events]
    assert texts == [None, *(f"{name} {number}" for number in range(1, LINES + 1)), None]
    read = await read_from_the_start(page)
    assert [seen.offset for seen in read] == list(range(1, LINES + 3))
    assert [seen.text for seen in read[1:-1]] == texts[1:-1]
    watched = await page.evaluate("() => ({...window.watched, texts: [...window.watched.texts]})")
    assert watched["broken"] == []
    assert [
        (offset, text) for offset, text in watched["texts"] if text != texts[offset - 1] and texts[offset - 1]
    ] == []


async def test_nothing_is_missing_and_nothing_comes_twice(tmp_path: Path, open_page: OpenPage) -> None:
    writers = Writers(tmp_path)
    async with serving(tmp_path, writers.settings()) as server:
        red = await open_page("about:blank", may_lose=True)
        blue = await open_page("about:blank", may_lose=True)
        for page, name in ((red, "red"), (blue, "blue")):
            await page.add_init_script(WATCH)
            await page.goto(f"{server.url}/logs/{name}")
            await page.get_by_role("button", name="Start", exact=True).click()
        await until_shown(red, 300)
        await until_shown(blue, 300)

        await server.kill()
        await writers.meet(0)  # they go on writing while nobody takes it
        for page in (red, blue):
            await expect(indicator(page)).to_have_text(re.compile("^Reconnecting"))
        await server.start()
        await until_shown(blue, 1200)
        await blue.reload()

        await until_shown(red, 1500)
        await server.kill()
        await writers.meet(1)
        await server.start()
        for page, name in ((red, "red"), (blue, "blue")):
            await expect_live(page)
            await until_row(server, name, status="exited", exit_code=0)
            await expect(page.get_by_role("heading", name=name).locator("..")).to_contain_text("exited with 0")
            await check(page, server, name)
        said = await red.evaluate("window.watched.said")  # the same page from the beginning, without a reload
        assert any(words.startswith("Reconnecting in") for words in said)
        assert said[-1].startswith("Live")


PATIENT = "Math.random = () => 0.99;"  # attempts as far apart as they can be


async def test_the_indicator_counts_down(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path, {}) as server:
        page = await open_page("about:blank", may_lose=True)
        await page.add_init_script(PATIENT)
        await page.clock.install()
        await page.goto(server.url)
        await expect_live(page)
        await expect(page.get_by_text("No process and no log yet")).to_be_visible()  # all of the page has come
        await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
        await server.kill()
        await expect(indicator(page)).to_have_text("Reconnecting in 1 s")
        for waited_ms, words in (
            (300, "Reconnecting in 1 s"),
            (600, "Reconnecting in 2 s"),
            (1200, "Reconnecting in 3 s"),
        ):
            await page.clock.run_for(waited_ms)
            await expect(indicator(page)).to_have_text(words)
        await page.clock.run_for(1000)
        await expect(indicator(page)).to_have_text("Reconnecting in 2 s")
        await server.start()
        await page.get_by_role("button", name="Retry now").click()
        await expect_live(page)
