"""The pages under Tools: who is connected and why others left; a socket to talk to by hand."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
import websockets
from playwright.async_api import Locator, Page, expect
from tests.browser.dashboard import OpenPage, marks
from tests.live.peers import Rpc
from tests.live.real_server import RealServer
from tests.live.workspace import serving

pytestmark = marks()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with serving(tmp_path_factory.mktemp("tools"), {}) as server:
        yield server


# Connections


def row(page: Page, agent: str) -> Locator:
    return page.get_by_role("row").filter(has_text=agent)


async def test_who_reads_what(server: RealServer, open_page: OpenPage) -> None:
    async with Rpc.connect(server.live, user_agent_header="reader/7") as rpc:
        for channel in ("news:tea", "news:coffee"):
            await rpc.call("subscribe", channel=channel)
            await rpc.call("publish", channel=channel, type="speech", data={})
        page = await open_page(f"{server.url}/connections")
        own = row(page, "this page")
        await expect(own).to_contain_text("Chrome")
        await expect(own).to_contain_text("WebSocket")
        reader = row(page, "reader 7")
        await expect(reader).to_contain_text("local")
        await expect(reader).to_contain_text("live")
        await expect(reader).to_contain_text("/live")
        for label in ("Sent", "Received"):
            await expect(reader.locator(f'[data-label="{label}"]')).to_have_text(re.compile("^[1-9].* (B|KB)$"))
        await reader.get_by_role("button", name="2 channels").click()
        await expect(page.get_by_role("list").filter(has_text="news:tea")).to_contain_text("up to date")


async def test_streams_are_connections_too(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/connections")
    async with httpx2.AsyncClient(base_url=server.url, headers={"user-agent": "streamer/2"}, trust_env=False) as http:
        async with http.stream("GET", "/api/stream", params={"channel": "news:milk"}) as answer:
            await anext(answer.aiter_lines())
            await expect(row(page, "streamer 2")).to_contain_text("SSE")
            await expect(row(page, "streamer 2")).to_contain_text("/api/stream")
        await expect(row(page, "streamer 2")).to_contain_text("no close code")


async def test_why_the_last_ones_left(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/connections")
    async with websockets.connect(server.live, user_agent_header="polite/1") as polite:
        await polite.recv()
        await expect(row(page, "polite 1")).to_contain_text("idle")
        await polite.close(4001, "enough")
    await expect(row(page, "polite 1")).to_contain_text("code 4001")
    async with websockets.connect(server.live, user_agent_header="loud/1", max_size=None) as loud:
        await loud.recv()
        await loud.send("x" * 2_000_000)
        await loud.wait_closed()
    await expect(row(page, "loud 1")).to_contain_text("code 1009")
    await expect(row(page, "loud 1").locator('[data-label="Why it ended"]')).not_to_be_empty()
    ended = page.get_by_role("table").nth(1)
    await expect(ended.get_by_role("row").nth(1)).to_contain_text("loud 1")  # the last one first


# Playground


def frames(page: Page) -> Locator:
    return page.get_by_role("log", name="Frames")


async def test_a_socket_by_hand(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/playground")
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await page.get_by_role("button", name="Connect", exact=True).click()
    await expect(frames(page)).to_contain_text(f"Connecting to {server.live}")
    await expect(frames(page).get_by_role("button").filter(has_text="welcome")).to_be_visible()

    message = page.get_by_role("textbox", name="Message to send, JSON")
    await page.get_by_role("button", name="publish", exact=True).click()
    await message.fill((await message.input_value()).replace("hello", "good morning"))
    await message.press("Control+Enter")
    sent = frames(page).get_by_role("button").filter(has=page.get_by_label("sent", exact=True))
    await expect(sent).to_contain_text("good morning")
    reply = frames(page).get_by_role("button").filter(has_text="result")
    await expect(reply).to_have_text(re.compile(r"\d m?s\d+ B$"))  # its latency and size
    await reply.click()
    await expect(frames(page).locator("pre")).to_contain_text(re.compile('"offset": [0-9]+'))

    await page.get_by_role("button", name="subscribe", exact=True).click()
    await page.get_by_role("button", name="Send").click()
    await expect(frames(page)).to_contain_text("caught_up")
    await page.get_by_role("searchbox", name="Filter frames").fill("good morning")
    await expect(frames(page).get_by_role("button")).to_have_count(2)  # what was sent, and the event
    await page.get_by_role("searchbox", name="Filter frames").fill("")
    await page.get_by_role("button", name="Disconnect").click()
    await expect(frames(page)).to_contain_text("Closed, code 1000 (normal)")


async def test_what_is_wrong_is_named(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/playground")
    await page.get_by_role("button", name="Connect", exact=True).click()
    message = page.get_by_role("textbox", name="Message to send, JSON")
    await message.fill('{"jsonrpc": "2.0", ')
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await message.fill('{"jsonrpc": "2.0", "id": 1, "method": "brew"}')
    await page.get_by_role("button", name="Send").click()
    await expect(frames(page)).to_contain_text("error unknown_method")
    await message.fill('"' + "x" * 1_100_000 + '"')
    await page.get_by_role("button", name="Send").click()
    await expect(frames(page)).to_contain_text("Closed, code 1009 (message too big)")
    await page.get_by_label("Path or address of the socket").fill("http://elsewhere.example/")
    await expect(page.get_by_text("Only 127.0.0.1 can be reached from here.")).to_be_visible()


async def test_no_socket_at_this_path(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/playground", may_lose=True)
    await page.get_by_label("Path or address of the socket").fill("/nothing")
    await page.get_by_role("button", name="Connect", exact=True).click()
    await expect(frames(page)).to_contain_text("Closed, code 1006 (connection lost or refused)")
    await expect(page.get_by_role("button", name="Connect", exact=True)).to_be_visible()
