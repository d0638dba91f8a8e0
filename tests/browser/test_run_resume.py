"""The promise: reloads, killed servers and cut networks in mid-answer change nothing of what stands on the page."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Page, expect
from tests.browser.dashboard import OpenPage, expect_live, indicator, marks
from tests.browser.walking_agent import STEPS
from tests.client.cable import Cable
from tests.live.real_server import RealServer
from tests.live.running import story
from tests.live.workspace import ask, serving

pytestmark = marks()

AGENT = Path(__file__).with_name("walking_agent.py")
WIDE = {"width": 1440, "height": 900}


class Walk:
    """The agent in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def go_on(self) -> None:
        """It has a meeting, or will have: it need not wait there."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    async def over(self) -> None:
        assert await self._process.wait() == 0


@asynccontextmanager
async def walking(server: RealServer, run_id: str, meetings: int) -> AsyncIterator[Walk]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, AGENT, run_id, str(meetings)),
        env={**os.environ, "ANTIPHON_URL": server.url},
        stdin=asyncio.subprocess.PIPE,
    )
    try:
        yield Walk(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Shown(NamedTuple):
    """What stands on the page of a run."""

    text: str  # with its markup
    arguments: str
    state_hash: str
    log: list[str]
    end: str


READ = """() => {
    const one = selector => document.querySelector(selector);
    return {
        text: one('[data-kind=message] .md').innerHTML,
        arguments: one('[data-tool=survey] pre').textContent,
        state: one('aside [aria-label=State]').innerText,
        log: [...document.querySelectorAll('[data-kind=log] > div')].map(line => line.textContent),
        end: one('[data-kind=end] > div').textContent,
    };
}"""


async def read(page: Page) -> Shown:
    """Of a run that has ended."""
    await expect(page.locator('[data-kind="end"]')).to_contain_text("Succeeded")
    card = page.locator("[data-tool=survey]")
    if await card.locator("pre").count() == 0:
        await card.get_by_role("button").click()
    found = await page.evaluate(READ)
    state_hash = hashlib.sha256(found.pop("state").encode()).hexdigest()
    return Shown(**found, state_hash=state_hash)


async def kept(server: RealServer, run_id: str) -> dict[str, Any]:
    """What the server has of it, put together as a reader does."""
    told: dict[str, Any] = {"text": "", "arguments": "", "log": []}
    for kind, data in await story(server, run_id):
        if kind == "message.append":
            told["text"] += data["delta"]
        elif kind == "tool.args":
            told["arguments"] += data["delta"]
        elif kind == "log":
            told["log"].append(data)
    state = (await ask(server, "state", channel=f"run:{run_id}"))["value"]
    return told | {"state": hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()}


async def until_at(page: Page, number: int) -> None:
    """Wait until the page shows that the agent is at this step, or further."""
    await page.wait_for_function(
        "number => +document.querySelector('aside [aria-label=State]')?.innerText.match(/at (\\d+)/)?.[1] >= number",
        arg=number,
    )


class Trouble:
    """Everything that happens to the page, its network and its server."""

    def __init__(self, page: Page, server: RealServer, cable: Cable, walk: Walk) -> None:
        self._page, self._server, self._cable, self._walk = page, server, cable, walk

    async def reload(self) -> None:
        self._walk.go_on()
        await self._page.reload(wait_until="commit")

    async def kill(self) -> None:
        self._walk.go_on()
        await self._server.kill()
        await self._says("^Reconnecting")
        await self._server.start()
        await self._retry()

    async def cut(self) -> None:
        """Every connection breaks."""
        self._walk.go_on()
        self._cable.cut()
        await self._says("^Reconnecting")
        self._cable.mend()
        await self._retry()

    async def lose_the_network(self) -> None:
        """No byte passes, nobody says so; the device knows that it has no network."""
        self._walk.go_on()
        self._cable.hold()
        await self._page.context.set_offline(True)
        await self._says("^Offline$")
        self._cable.mend()
        await self._page.context.set_offline(False)
        await self._retry()

    async def _says(self, words: str) -> None:
        await expect(indicator(self._page)).to_have_text(re.compile(words))

    async def _retry(self) -> None:
        """As a person does who is in a hurry; the page itself may have been faster."""
        button = self._page.get_by_role("button", name="Retry now")
        await expect(
            button.or_(indicator(self._page).filter(has_text=re.compile("^(Live|Catching up)"))).first
        ).to_be_visible()
        await button.evaluate_all("buttons => buttons[0]?.click()")  # it may go at any moment
        await expect_live(self._page)


async def test_an_answer_goes_on_through_reloads_crashes_and_cuts(tmp_path: Path, open_page: OpenPage) -> None:
    """Five reloads, two servers killed, three times no network; one page, and an agent in another process."""
    async with serving(tmp_path, {}) as server, Cable(server.port) as cable:
        async with walking(server, "cut", 10) as walk:
            page = await open_page("about:blank", may_lose=True, viewport=WIDE)
            await page.goto(f"{cable.url}/runs/cut")
            trouble = Trouble(page, server, cable, walk)
            troubles: list[Callable[[], Awaitable[None]]] = [
                *(trouble.reload, trouble.cut, trouble.reload, trouble.kill, trouble.lose_the_network),
                *(trouble.reload, trouble.kill, trouble.reload, trouble.cut, trouble.reload),
            ]
            for number, happens in enumerate(troubles, 1):
                await until_at(page, STEPS * number - 1)
                await expect(page.locator('[data-kind="message"] .growing')).to_be_visible()
                await happens()
            await walk.over()
        cut = await read(page)
        await expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)
        async with walking(server, "uncut", 10) as walk:
            await page.goto(f"{cable.url}/runs/uncut")
            for _ in troubles:
                walk.go_on()
            await walk.over()
        assert cut == await read(page)
        assert await kept(server, "cut") == await kept(server, "uncut")
