"""The agent engine in a real browser: a page that behaves as its test page, and our playground at its address."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from tests.browser.dashboard import OpenPage, marks
from tests.dialects.agent_engine.engine import go_on, newest_run, post, scripted_server, steps
from tests.live.real_server import RealServer, free_port

pytestmark = marks()
TEST_PAGE = "/static/test_websocket.html"


class Served(NamedTuple):
    server: RealServer
    own_port: int

    @property
    def pages(self) -> list[str]:
        """Where the page is opened from, and which socket it is told: its own port's, or the main one's."""
        own = f"127.0.0.1:{self.own_port}"
        return [f"ws://{own}/ws/agent", f"ws://127.0.0.1:{self.server.port}/ws/agent"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("engine")
    (folder / "pages" / "static").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("agent_engine_page.html"), folder / "pages" / TEST_PAGE[1:])
    port = free_port()
    server = scripted_server(folder, f'listen = "127.0.0.1:{port}"\npages = "pages"\n')
    await server.start()
    yield Served(server, port)
    await server.kill()


@pytest_asyncio.fixture(loop_scope="module", params=[0, 1], ids=["own port", "main port"])
async def page(request: pytest.FixtureRequest, served: Served, open_page: OpenPage) -> Page:
    """The page, connected."""
    found = await open_page(f"http://127.0.0.1:{served.own_port}{TEST_PAGE}")
    await found.locator("#url").fill(served.pages[request.param])
    await found.get_by_role("button", name="Connect").click()
    await expect(found.locator("#state")).to_have_text("connected")
    await expect(bubbles(found)).to_have_text([re.compile(r"^Connected to Agent WebSocket \([0-9a-f-]{36}\)$")])
    return found


def bubbles(page: Page, kind: str = "bubble") -> Locator:
    return page.locator(f".{kind}")


async def say(page: Page, button: str, query: str) -> None:
    await page.locator("#query").fill(query)
    await page.get_by_role("button", name=button, exact=True).click()


async def test_a_whole_answer(page: Page) -> None:
    await say(page, "Ask", "good morning")
    await expect(bubbles(page, "status")).to_have_text(["Status: processing"])
    await expect(bubbles(page, "received").last).to_have_text("good morning [unknown]")


async def test_a_stream_is_one_bubble(page: Page, served: Served) -> None:
    await say(page, "Stream", steps(["say", "one "], ["wait"], ["say", "two "], ["think", "hm"], ["say", "three"]))
    await expect(bubbles(page, "received").last).to_have_text("one ")
    await go_on(served.server, await newest_run(served.server))
    await expect(bubbles(page, "status")).to_have_text(["Stream started", "Stream ended"])
    await expect(bubbles(page, "received")).to_have_count(2)
    assert await bubbles(page, "received").last.text_content() == "one two \n\nthree"


async def test_a_tool_gives_a_number(page: Page) -> None:
    await page.get_by_role("button", name="Tool").click()
    await expect(bubbles(page, "received").last).to_have_text("calculator: 579")


async def test_a_ping_has_a_latency(page: Page) -> None:
    await page.get_by_role("button", name="Ping").click()
    await expect(bubbles(page, "received").last).to_have_text("pong")
    await expect(page.locator("#latency")).to_have_text(re.compile(r"^\d+ ms$"))


async def test_errors_are_shown_and_the_connection_stays(page: Page) -> None:
    await say(page, "Stream", steps(["say", "half"], ["fail", "no more tea"]))
    await expect(bubbles(page, "error")).to_have_text(["Error: Streaming failed: no more tea"])
    await say(page, "Ask", "")
    await expect(bubbles(page, "error").last).to_have_text("Error: Query is required")
    await expect(page.locator("#state")).to_have_text("connected")


async def test_the_text_of_a_stream_is_whole_around_a_ping(page: Page, served: Served) -> None:
    """Where the page draws a chunk is its own affair; a chunk behind a pong belongs to what is drawn after the pong."""
    await say(page, "Stream", steps(["say", "one "], ["wait"], ["say", "two"]))
    await expect(bubbles(page, "received").last).to_have_text("one ")
    await page.get_by_role("button", name="Ping").click()
    await expect(bubbles(page, "received").last).to_have_text("pong")
    await go_on(served.server, await newest_run(served.server))
    await expect(bubbles(page, "status").last).to_have_text("Stream ended")
    await expect(bubbles(page, "received")).to_have_text([re.compile("^Connected"), "one ", "pongtwo"])


async def test_nothing_unasked_is_drawn(page: Page, served: Served) -> None:
    """Questions, reasoning, a cancel by somebody else: only the error that ends the stream."""
    await say(page, "Stream", steps(["think", "hm"], ["say", "one"], ["call", "search"], ["wait"]))
    await expect(bubbles(page, "received").last).to_have_text("one")
    await post(served.server, f"/api/runs/{await newest_run(served.server)}/cancel", {})
    await expect(bubbles(page, "error")).to_have_text(["Error: Streaming failed: cancelled"])
    await expect(bubbles(page)).to_have_count(5)  # connected, what was sent, started, the text, the error


async def test_it_pings_by_itself(served: Served, open_page: OpenPage) -> None:
    page = await open_page("about:blank")
    await page.clock.install()
    await page.goto(f"http://127.0.0.1:{served.own_port}{TEST_PAGE}")
    await page.locator("#url").fill(served.pages[0])
    await page.get_by_role("button", name="Connect").click()
    await expect(page.locator("#state")).to_have_text("connected")
    await page.clock.fast_forward(31_000)
    await expect(bubbles(page, "received").last).to_have_text("pong")
    await expect(page.locator("#latency")).to_have_text("-")  # only a ping by hand is timed


async def test_the_playground_answers_at_the_test_pages_address(served: Served, open_page: OpenPage) -> None:
    page = await open_page(f"{served.server.url}{TEST_PAGE}")
    await expect(page.get_by_role("heading", name="Playground")).to_be_visible()
    await expect(page.get_by_label("Path or address of the socket")).to_have_value("/ws/agent")
    await page.get_by_role("button", name="Connect", exact=True).click()
    frames = page.get_by_role("log", name="Frames").get_by_role("button")
    await expect(frames.filter(has_text="connected")).to_be_visible()
    for name, answer in (
        ("streaming_query", "stream_end"),
        ("agent_query", "agent_response"),
        ("tool_call", "579"),
        ("ping", "pong"),
        ("cancel", "cancelled"),
    ):
        await page.get_by_role("button", name=name, exact=True).click()
        await page.get_by_role("button", name="Send").click()
        await expect(frames.filter(has_text=answer).last).to_be_visible()
    await page.get_by_role("button", name="Native", exact=True).click()
    await expect(page.get_by_label("Path or address of the socket")).to_have_value("/live")
