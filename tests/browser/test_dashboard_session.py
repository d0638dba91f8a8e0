"""Signing in with the address that the server prints, or with a token; staying signed in; signing out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.browser.dashboard import OpenPage, expect_live, line, marks
from tests.live.real_server import RealServer
from tests.live.workspace import python, serving

pytestmark = marks()

TOKEN = "anna-s-token-for-the-tests"
FEW = {"reader": ["read log:*"], "nobody": []}


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


SETTINGS = {
    "users.anna": {"token_sha256": digest(TOKEN), "grants": ["read *"]},
    "process.tea": python("pass"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with serving(tmp_path_factory.mktemp("session"), SETTINGS) as server:
        yield server


def printed_address(server: RealServer) -> str:
    """What the server tells to open."""
    match = re.search(r"http://\S+#token=\S+", "\n".join(server.printed))
    assert match is not None
    return match[0]


async def test_the_printed_address_signs_in(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(printed_address(server))
    await expect_live(page)
    assert page.url == f"{server.url}/"
    assert "token" not in await page.evaluate("location.href + JSON.stringify(history.state) + document.cookie")
    (cookie,) = await page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    await page.reload()
    await expect_live(page)


async def test_a_link_with_a_token_keeps_its_place(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/tea?at=3#token={TOKEN}")
    await expect(page.get_by_role("heading", name="tea", exact=True)).to_be_visible()
    assert page.url == f"{server.url}/logs/tea?at=3"


async def test_a_session_outlives_the_server(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path, SETTINGS) as server:
        page = await open_page(printed_address(server), may_lose=True)
        await expect_live(page)
        await server.kill()
        await server.start()
        await expect_live(page)
        await page.reload()
        await expect_live(page)


async def test_a_wrong_token_is_refused_in_words(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/connections#token=wrong", may_refuse=True)
    heading = page.get_by_role("heading", name="Sign in to Antiphon")
    await expect(heading).to_be_visible()
    assert page.url == f"{server.url}/connections"
    problem = page.get_by_role("alert")
    await expect(problem).to_contain_text(re.compile("token", re.IGNORECASE))
    await page.get_by_label("Token").fill("also wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(problem).to_be_visible()
    await page.get_by_label("Token").fill(f" {TOKEN} ")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Connections")).to_be_visible()  # where one wanted to go
    await expect_live(page)


async def test_signing_out(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/#token={TOKEN}", may_refuse=True)
    await expect_live(page)
    await page.keyboard.press("?")
    help_ = page.get_by_role("dialog")
    await expect(help_).to_contain_text("anna")
    await help_.get_by_role("button", name="Sign out").click()
    heading = page.get_by_role("heading", name="Sign in to Antiphon")
    await expect(heading).to_be_visible()
    await page.reload()
    await expect(heading).to_be_visible()
    assert await page.evaluate("async () => (await fetch('api/channels')).status") == 401
    assert await page.context.cookies() == []


async def test_what_one_may_not_do_is_said(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/logs/tea#token={TOKEN}")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("lacks the grant 'control process:tea'")


async def test_who_may_only_read_logs_reads_them(tmp_path: Path, open_page: OpenPage) -> None:
    users = {f"users.{name}": {"token_sha256": digest(name), "grants": grants} for name, grants in FEW.items()}
    async with serving(tmp_path, users | {"process.tea": python("print('kettle')", autostart=True)}) as server:
        page = await open_page(f"{server.url}/#token=reader")
        await expect(line(page, "kettle")).to_be_visible()
        page = await open_page(f"{server.url}/#token=nobody")
        await expect(page.get_by_role("alert")).to_contain_text("lacks the grant 'read ")
        await page.goto(f"{server.url}/connections")
        await expect(page.get_by_role("alert")).to_contain_text("lacks the grant 'control server:connections'")


async def test_the_api_page_is_for_users(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/docs", may_refuse=True)
    await expect(page.locator("body")).to_contain_text("unauthenticated")
    await page.goto(printed_address(server))
    await expect_live(page)
    await page.goto(f"{server.url}/docs")
    who = page.locator(".opblock-get", has=page.locator('[data-path="/api/session"]'))
    await who.locator(".opblock-summary-control").click()
    await who.get_by_role("button", name="Execute").click()
    await expect(who.locator(".live-responses-table")).to_contain_text('"operator"')


async def test_without_log_in_nobody_is_asked(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path, {}) as server:
        page = await open_page(f"{server.url}/#token=whatever")
        await expect_live(page)
        assert page.url == f"{server.url}/"
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_contain_text("local")
        await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
