"""The page that documents the HTTP API: readable, usable, and nothing of it from elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from tests.browser.dashboard import OpenPage, marks
from tests.live.real_server import RealServer
from tests.live.workspace import ask, serving

pytestmark = marks()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with serving(tmp_path_factory.mktemp("api"), {}) as server:
        yield server


def operation(page: Page, method: str, path: str) -> Locator:
    return page.locator(f".opblock-{method}", has=page.locator(f'[data-path="{path}"]'))


async def test_every_operation_can_be_read(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/docs")
    await expect(page).to_have_title("HTTP API · Antiphon")
    publish = operation(page, "post", "/api/channels/{channel}/events")
    await expect(publish).to_contain_text("Append an event; answered after its commit")
    for method, path in (("post", "/api/processes/{name}/{action}"), ("delete", "/api/session"), ("get", "/metrics")):
        await expect(operation(page, method, path)).to_be_visible()


async def test_it_can_be_tried_out(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/docs")
    publish = operation(page, "post", "/api/channels/{channel}/events")
    await publish.locator(".opblock-summary-control").click()
    await publish.get_by_placeholder("channel").fill("news:tea")
    await publish.locator("textarea").fill('{"type": "speech", "data": {"text": "hello"}}')
    await publish.get_by_role("button", name="Execute").click()
    await expect(publish.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("201")
    (event,) = (await ask(server, "history", channel="news:tea"))["events"]
    assert (event["type"], event["data"]) == ("speech", {"text": "hello"})


async def test_a_link_to_an_operation(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/docs")
    await operation(page, "get", "/api/channels").locator(".opblock-summary-control").click()
    await expect(operation(page, "get", "/api/channels").get_by_role("button", name="Execute")).to_be_visible()
    other = await open_page(page.url)
    await expect(operation(other, "get", "/api/channels").get_by_role("button", name="Execute")).to_be_visible()


@pytest.mark.parametrize(("scheme", "colour"), [("dark", "rgb(15, 16, 18)"), ("light", "rgb(251, 251, 250)")])
async def test_it_is_as_dark_as_the_dashboard(
    server: RealServer, open_page: OpenPage, scheme: str, colour: str
) -> None:
    page = await open_page(f"{server.url}/docs", color_scheme=scheme)
    await expect(page.locator("body")).to_have_css("background-color", colour)
    await expect(page.locator(".swagger-ui").first).to_have_css("background-color", colour)


async def test_it_leads_back(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/docs")
    await page.get_by_role("link", name="Antiphon").click()
    await expect(page.get_by_role("heading", name="No process and no log yet")).to_be_visible()
    await page.keyboard.press("?")
    await page.get_by_role("link", name="HTTP API").click()
    await expect(page).to_have_title("HTTP API · Antiphon")
