"""Questions answered in a real browser: on a phone, by keyboard, and by two people at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from tests.browser.dashboard import OpenPage, expect_live, marks
from tests.browser.scripted_agent import Agent
from tests.browser.test_dashboard_look import NARROW, expect_nothing_beyond
from tests.live.real_server import RealServer
from tests.live.workspace import ask, serving

pytestmark = marks()

DEPLOY = {
    "title": "Deploy",
    "type": "object",
    "required": ["where", "copies"],
    "properties": {
        "where": {"enum": ["staging", "production"]},
        "copies": {"type": "integer", "minimum": 1, "maximum": 5},
        "dry": {"type": "boolean", "default": True, "description": "Only say what would be done"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "owner": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with serving(tmp_path_factory.mktemp("inbox"), {}) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def agent(server: RealServer) -> AsyncIterator[Agent]:
    agent = await Agent.open(server, "research")
    yield agent
    await agent.finish()


def card(page: Page, question_id: str) -> Locator:
    return page.locator(f'section[data-question="{question_id}"]')


async def test_a_form_is_answered_with_a_thumb(server: RealServer, agent: Agent, open_page: OpenPage) -> None:
    asked = await agent.ask("How shall I deploy?", schema=DEPLOY, details="The **blue** cluster.", timeout_s=3600)
    page = await open_page(f"{server.url}/inbox", viewport=NARROW, has_touch=True)
    await expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Inbox")).to_contain_text("1")
    form = card(page, asked)
    await expect(form).to_contain_text(re.compile(r"Withdrawn in (59:\d\d|1 h)"))
    await form.get_by_role("button", name="Answer").tap()
    await expect(form.get_by_text("Choose one")).to_be_visible()
    await expect(form.get_by_text("Required")).to_be_visible()
    await form.get_by_text("production").tap()
    await form.get_by_label("Copies").fill("9")
    await form.get_by_role("button", name="Add").tap()
    await form.get_by_role("group", name="Tags").get_by_role("textbox").fill("tea")
    await form.get_by_label("Dry").uncheck()
    await form.get_by_label("Name").fill("Ada")
    await expect_nothing_beyond(page)
    sizes = await form.locator("button.thumb, input.thumb, label.thumb").evaluate_all(
        "elements => elements.map(element => element.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 40
    await form.get_by_role("button", name="Answer").tap()
    await expect(form.get_by_text("At most 5")).to_be_visible()
    await form.get_by_label("Copies").fill("3")
    await form.get_by_role("button", name="Answer").tap()
    await expect(form).to_contain_text("Answered by you")
    answered = await agent.until("question.answered")
    assert answered["answer"] == {
        "where": "production",
        "copies": 3,
        "dry": False,
        "tags": ["tea"],
        "owner": {"name": "Ada"},
    }
    await expect(page.get_by_text("No question is open.")).to_be_visible()


# Whether its words stand out from what they stand on.
LEGIBLE = """button => {
    const {color, backgroundColor} = getComputedStyle(button);
    const paint = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const light = name => {
        paint.fillStyle = name;
        paint.fillRect(0, 0, 1, 1);
        return Math.max(...paint.getImageData(0, 0, 1, 1).data.slice(0, 3));
    };
    return Math.abs(light(color) - light(backgroundColor)) > 128;
}"""


async def test_by_keyboard(server: RealServer, agent: Agent, open_page: OpenPage) -> None:
    first = await agent.ask("One?", kind="approval", value={"usd": 2}, timeout_s=600, default="reject")
    second = await agent.ask("Two?", kind="approval", value={"usd": 2}, timeout_s=1200)
    third = await agent.ask("Three?", kind="approval", timeout_s=1800)
    page = await open_page(f"{server.url}/runs")
    await expect_live(page)
    await page.keyboard.press("g")
    await page.keyboard.press("i")
    await expect(card(page, first)).to_contain_text(re.compile("Default reject in (9:|10:00)"))
    approve = card(page, first).get_by_role("button", name="Approve")
    await approve.hover()
    assert await approve.evaluate(LEGIBLE)
    await page.keyboard.press("a")
    await expect(card(page, first)).to_contain_text("Approved by you")
    await page.keyboard.press("j")
    await expect(card(page, second)).to_be_visible()
    await page.keyboard.press("e")
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type('{"usd": 1}')
    await page.keyboard.press("ControlOrMeta+Enter")
    await expect(card(page, second)).to_contain_text('Approved with changes by you: {"usd":1}')
    await page.keyboard.press("j")
    await page.keyboard.press("r")
    await page.keyboard.type("too dear")
    await page.keyboard.press("ControlOrMeta+Enter")
    await expect(card(page, third)).to_contain_text("Rejected by you: too dear")
    await page.keyboard.press("k")
    await expect(card(page, second)).to_be_visible()


async def test_options_have_keys(server: RealServer, agent: Agent, open_page: OpenPage) -> None:
    asked = await agent.ask("Which tea?", options=[{"value": "white"}, {"value": "green"}])
    page = await open_page(f"{server.url}/inbox?question={asked}")
    await expect(card(page, asked).get_by_role("button", name="green")).to_be_enabled()
    await page.keyboard.press("2")
    await expect(card(page, asked)).to_contain_text("Answered by you: green")
    asked = await agent.ask("What is it called?")
    await page.goto(f"{server.url}/inbox?question={asked}")
    await expect(card(page, asked).get_by_role("textbox")).to_be_visible()
    await page.keyboard.press("e")
    await expect(card(page, asked).get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("Antiphon")
    await page.keyboard.press("ControlOrMeta+Enter")
    await expect(card(page, asked)).to_contain_text("Answered by you: Antiphon")


# Waits, with the page standing still, until the server has another answer; then presses the button.
TOO_LATE = """([button, address]) => {
    for (;;) {
        const asking = new XMLHttpRequest();
        asking.open('GET', address, false);
        asking.send();
        if (JSON.parse(asking.responseText).question.status !== 'open') return button.click();
    }
}"""


async def test_who_comes_second_learns_who_was_first(server: RealServer, agent: Agent, open_page: OpenPage) -> None:
    asked = await agent.ask("Which tea?", options=[{"value": "white", "label": "White"}, {"value": "green"}])
    page = await open_page(f"{server.url}/inbox")
    button = await card(page, asked).get_by_role("button", name="green").element_handle()
    address = f"{server.url}/api/questions/{asked}"
    async with page.expect_request(address):  # from here on the page is busy, and hears of nothing
        pressing = asyncio.ensure_future(page.evaluate(TOO_LATE, [button, address]))
    await ask(server, "question.answer", question_id=asked, answer="white")
    await pressing
    await expect(card(page, asked)).to_contain_text("Answered by local: White")
    await expect(card(page, asked)).to_contain_text("Your answer came later and did not count.")


async def test_an_open_question_goes_with_its_run(server: RealServer, open_page: OpenPage) -> None:
    agent = await Agent.open(server, "short")
    asked = await agent.ask("Anything?")
    page = await open_page(agent.page)
    await card(page, asked).get_by_role("textbox").fill("half a sen")
    await agent.finish()
    await expect(card(page, asked)).to_contain_text("Withdrawn")
    await expect(card(page, asked).get_by_role("textbox")).to_have_count(0)


async def test_a_text_is_answered_where_it_was_asked(server: RealServer, agent: Agent, open_page: OpenPage) -> None:
    asked = await agent.ask("What is it called?")
    page = await open_page(agent.page)
    await card(page, asked).get_by_role("textbox").fill("Antiphon")
    await card(page, asked).get_by_role("button", name="Answer").click()
    await expect(card(page, asked)).to_contain_text("Answered by you: Antiphon")
    await expect(page.get_by_role("region", name="Run", exact=True)).to_contain_text("Running")


async def test_a_question_outlives_a_crash(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path, {}) as server:
        agent = await Agent.open(server, "patient")
        asked = await agent.ask("Still there?", options=[{"value": "yes"}], timeout_s=3600, default="yes")
        page = await open_page(f"{server.url}/inbox?question={asked}", may_lose=True, viewport=NARROW, has_touch=True)
        await expect(card(page, asked)).to_contain_text("Still there?")
        await server.kill()
        await server.start()
        await page.reload()
        await expect(card(page, asked)).to_contain_text("Default yes in")
        await card(page, asked).get_by_role("button", name="yes").tap()
        await expect(card(page, asked)).to_contain_text("Answered by you: yes")


async def test_an_empty_inbox_says_how_one_asks(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path, {}) as server:
        page = await open_page(f"{server.url}/inbox", viewport=NARROW)
        await expect(page.get_by_text("run.ask(")).to_be_visible()
        await expect_nothing_beyond(page)
