"""Agents in a real browser: asked, watched, stopped, asked while they answer; an honest model server answers them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from tests.agents.kit import script
from tests.agents.model_server import ModelServer
from tests.browser.dashboard import OpenPage, expect_live, indicator, marks
from tests.browser.test_dashboard_look import NARROW, expect_nothing_beyond
from tests.live.real_server import RealServer
from tests.live.workspace import serving

pytestmark = marks()

THREAD = re.compile(r"/agents/writer/thread_\w+$")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as models:
        yield models


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, models: ModelServer) -> AsyncIterator[RealServer]:
    settings = {
        "model.small": {"name": "small", "base_url": models.url},
        "model.large": {"name": "large", "base_url": models.url},
        "agent.assistant": {"tools": ["calculator", "clock"]},
        "agent.writer": {
            "title": "Writer",
            "description": "Says what it is told to.",
            "model": "small",
            "models": ["large"],
            "tools": ["calculator", "clock"],
            "needs_approval": ["clock"],
        },
        "agent.strict": {"model": "small", "tools": [], "if_busy": "reject"},
    }
    async with serving(tmp_path_factory.mktemp("agents"), settings) as server:
        yield server


def field(page: Page) -> Locator:
    return page.get_by_role("form", name="Ask").get_by_role("textbox")


def answers(page: Page) -> Locator:
    """What the agent said."""
    return page.locator("[data-message][data-status] .md")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("form", name="Ask").get_by_role("button", name=name, exact=True)


def timeline(page: Page) -> Locator:
    return page.get_by_role("list", name="Timeline")


def threads(page: Page) -> Locator:
    return page.get_by_role("list", name="Threads").get_by_role("link")


async def ask(page: Page, prompt: str) -> None:
    await field(page).fill(prompt)
    await field(page).press("Enter")


async def test_an_agent_without_a_model_says_so_and_answers_with_its_tools(
    server: RealServer, open_page: OpenPage
) -> None:
    page = await open_page(server.url)
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name="Agents").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("assistant")
    await expect(page.get_by_role("region", name="Offline")).to_contain_text("This agent has no model.")
    await expect(page.get_by_text("No thread yet.")).to_be_visible()
    await page.get_by_text("Give it a model").click()
    await expect(page.get_by_text("[agent.assistant]")).to_be_visible()
    await page.get_by_role("button", name="What is 17 * 23?").click()
    await expect(page).to_have_url(re.compile(r"/agents/assistant/thread_\w+$"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("What is 17 * 23?")
    await expect(page.locator("[data-tool]")).to_contain_text("calculator")
    await expect(answers(page).last).to_contain_text("391")
    await expect(threads(page)).to_have_text([re.compile("What is 17")])
    await expect(page.get_by_text("offline, no model")).to_be_visible()
    await page.reload()
    await expect(answers(page).last).to_contain_text("391")
    await page.get_by_role("link", name="Run", exact=True).click()
    await expect(page.get_by_role("region", name="Run", exact=True)).to_contain_text("Succeeded")
    await page.get_by_role("link", name="thread What is 17").click()
    await expect(answers(page).last).to_contain_text("391")


async def test_an_answer_goes_on_through_a_reload(server: RealServer, models: ModelServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/agents/writer")
    await ask(
        page,
        script(
            [{"think": "Which of them?"}, {"text": "It **begins"}, {"wait": "reload"}, {"text": "** and `goes on`."}]
        ),
    )
    await expect(page).to_have_url(THREAD)
    await expect(answers(page)).to_have_text("It **begins")
    await expect(button(page, "Stop")).to_be_enabled()
    await expect(page.get_by_role("button", name="Show the reasoning")).to_be_visible()
    await expect(threads(page).first).to_contain_text("Answering")
    await page.reload()
    await expect(answers(page)).to_have_text("It **begins")
    await expect(button(page, "Stop")).to_be_enabled()
    models.open("reload")
    await expect(answers(page)).to_have_text("It begins and goes on.")
    await expect(answers(page).locator("strong")).to_have_text("begins")
    await expect(button(page, "Send")).to_be_visible()
    await expect(page.locator('[data-kind="end"]')).to_contain_text("18 tokens")
    await page.get_by_role("button", name="Show the reasoning").click()
    await expect(page.get_by_text("Which of them?", exact=True)).to_be_visible()


async def test_stopped_after_a_reload_and_from_another_tab(
    server: RealServer, models: ModelServer, open_page: OpenPage
) -> None:
    first = await open_page(f"{server.url}/agents/writer")
    before = len(models.requests)
    await ask(first, script([{"text": "It begins"}, {"wait": "never"}, {"text": " and never ends"}]))
    await expect(answers(first)).to_have_text("It begins")
    second = await open_page(first.url)
    await expect(answers(second)).to_have_text("It begins")
    await second.reload()
    await button(second, "Stop").click()
    for page in (first, second):
        await expect(page.locator('[data-kind="end"]')).to_contain_text("Stopped by local")
        await expect(page.get_by_text("Cut off: cancelled")).to_be_visible()
        await expect(answers(page)).to_have_text("It begins")
        await expect(button(page, "Send")).to_be_visible()
    request = await models.until(before + 1)
    await request.over.wait()
    assert request.closed_by == "client"


async def test_by_keyboard(server: RealServer, models: ModelServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/agents/writer")
    await expect(field(page)).to_be_focused()
    await field(page).press_sequentially("one")
    await field(page).press("Shift+Enter")
    await field(page).press_sequentially("two")
    await field(page).press("Enter")
    await expect(answers(page)).to_have_text("You said: one two")
    await expect(field(page)).to_have_value("")
    await expect(field(page)).to_be_focused()
    await ask(page, script([{"text": "Endless"}, {"wait": "never"}]))
    await expect(answers(page)).to_have_text(["You said: one two", "Endless"])
    await field(page).press("Escape")
    await expect(page.locator('[data-kind="end"]').last).to_contain_text("Stopped by local")
    await field(page).press("Escape")
    await expect(field(page)).not_to_be_focused()
    await page.keyboard.press("/")
    await expect(field(page)).to_be_focused()
    await field(page).press("Escape")
    await page.keyboard.press("n")
    await expect(page).to_have_url(f"{server.url}/agents/writer")
    await expect(field(page)).to_be_focused()
    await field(page).press("Escape")
    await page.keyboard.press("ArrowDown")
    await expect(page).to_have_url(THREAD)


async def test_a_tool_is_approved_where_it_is_asked(
    server: RealServer, models: ModelServer, open_page: OpenPage
) -> None:
    page = await open_page(f"{server.url}/agents/writer")
    await ask(page, script([{"call": "clock", "arguments": {"zone": "Asia/Tokyo"}}], [{"text": "It is late."}]))
    card = timeline(page).get_by_role("region", name="Call clock?")
    await expect(card).to_contain_text("Asia/Tokyo")
    await expect(threads(page).first).to_contain_text("Waiting for you")
    await expect(field(page)).not_to_be_focused()  # so that the question's keys act
    await page.reload()
    await expect(card).to_be_visible()
    await expect(field(page)).not_to_be_focused()
    await page.keyboard.press("a")
    await expect(card).to_contain_text("Approved by you")
    await expect(answers(page).last).to_have_text("It is late.")
    await expect(page.locator("[data-tool]")).to_have_attribute("data-status", "succeeded")


async def test_questions_wait_their_turn(server: RealServer, models: ModelServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/agents/writer")
    await ask(page, script([{"text": "First"}, {"wait": "turn"}, {"text": " is done"}]))
    await expect(answers(page)).to_have_text("First")
    await field(page).fill("And the second?")
    await expect(page.get_by_text("waits its turn")).to_be_visible()
    await button(page, "Queue").click()
    await ask(page, "A third?")
    queued = page.locator('[data-kind="queued"]')
    await expect(queued).to_have_count(2)
    await expect(threads(page).first).to_contain_text("2 queued")
    await expect(button(page, "Stop")).to_be_visible()
    await page.reload()
    await expect(timeline(page)).to_contain_text("And the second?")
    await queued.last.get_by_role("button", name="Remove").click()
    await expect(queued).to_have_count(1)
    models.open("turn")
    await expect(answers(page)).to_have_text(["First is done", "You said: And the second?"])
    await expect(timeline(page)).to_contain_text("A third?")
    await expect(button(page, "Send")).to_be_visible()


async def test_who_takes_one_question_at_a_time_says_so(
    server: RealServer, models: ModelServer, open_page: OpenPage
) -> None:
    page = await open_page(f"{server.url}/agents/strict")
    await ask(page, script([{"text": "Busy"}, {"wait": "never"}]))
    await expect(answers(page)).to_have_text("Busy")
    await expect(page.get_by_placeholder("One question at a time")).to_be_visible()
    await ask(page, "Now?")
    await expect(field(page)).to_have_value("Now?")
    await button(page, "Stop").click()
    await button(page, "Send").click()
    await expect(answers(page).last).to_have_text("You said: Now?")


async def test_a_thread_is_forked_renamed_and_deleted(
    server: RealServer, models: ModelServer, open_page: OpenPage
) -> None:
    page = await open_page(f"{server.url}/agents/writer")
    await ask(page, "green")
    await expect(answers(page)).to_have_text("You said: green")
    origin = page.url
    await ask(page, "black")
    await expect(answers(page)).to_have_text(["You said: green", "You said: black"])
    await page.get_by_role("button", name="Fork").first.click()
    await expect(page).not_to_have_url(origin)
    await expect(page.get_by_role("link", name="fork of green")).to_be_visible()
    await expect(answers(page)).to_have_text(["You said: green"])
    await ask(page, "white")
    await expect(answers(page)).to_have_text(["You said: green", "You said: white"])
    remembered = [message["content"] for message in models.requests[-1].messages if message["role"] == "user"]
    assert remembered == ["green", "white"]
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_role("textbox", name="Title").fill("On white tea")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("On white tea")
    await expect(threads(page).filter(has_text="On white tea")).to_have_count(1)
    fork = page.url
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(f"{server.url}/agents/writer")
    await expect(threads(page).filter(has_text="On white tea")).to_have_count(0)
    await page.goto(fork)
    await expect(page.get_by_text("There is no such thread")).to_be_visible()
    await page.goto(origin)
    await expect(answers(page)).to_have_text(["You said: green", "You said: black"])


async def test_the_model_is_picked_and_its_failure_is_told(
    server: RealServer, models: ModelServer, open_page: OpenPage
) -> None:
    page = await open_page(f"{server.url}/agents")
    await page.get_by_label("Agent").select_option("Writer")
    await page.get_by_label("Model").select_option("large")
    await ask(page, "Which one?")
    await expect(page.locator('[data-kind="end"]')).to_contain_text("large")
    assert models.requests[-1].model == "large"
    await ask(page, script([{"status": 400}]))
    end = page.locator('[data-kind="end"]').last
    await expect(end).to_contain_text("Failed")
    await expect(end).to_contain_text("told to answer 400")
    asked = len(models.requests)
    await end.get_by_role("button", name="Ask again").click()
    await expect(page.locator('[data-kind="end"]')).to_have_count(3)
    assert len(models.requests) > asked


async def test_a_question_waits_for_the_connection(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path, {}) as server:
        page = await open_page(f"{server.url}/agents", may_lose=True)
        await expect_live(page)
        await expect(field(page)).to_be_focused()
        await server.kill()
        await expect(indicator(page)).to_have_text(re.compile("^Reconnecting"))
        await field(page).fill("What is 6 * 7?")
        await expect(page.get_by_text("sent when connected again")).to_be_visible()
        await field(page).press("Enter")
        await expect(timeline(page)).to_contain_text("Waiting for the connection")
        await server.start()
        await expect(answers(page).last).to_contain_text("42")
        await expect(page.locator("[data-tool]")).to_have_count(1)


@pytest.mark.parametrize("width", [380, 760, 1100, 1440])
async def test_nothing_lies_beyond_the_edge(server: RealServer, open_page: OpenPage, width: int) -> None:
    page = await open_page(f"{server.url}/agents/assistant", viewport={"width": width, "height": 780})
    await expect(page.get_by_role("heading", level=1)).to_have_text("assistant")
    await expect_nothing_beyond(page)
    await page.goto(f"{server.url}/agents/writer")
    await ask(page, f"{'word ' * 60}{'x' * 200}")
    await expect(answers(page)).to_contain_text("You said")
    await expect_nothing_beyond(page)
    await page.get_by_role("button", name="Delete").click()
    await expect_nothing_beyond(page)
    await page.get_by_role("button", name="Keep").click()
    await page.get_by_role("button", name="Rename").click()
    await expect_nothing_beyond(page)


async def test_with_a_thumb(server: RealServer, models: ModelServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/agents", viewport=NARROW, has_touch=True)
    await page.get_by_role("button", name="New thread").tap()
    await page.get_by_label("Agent").select_option("Writer")
    await field(page).fill(script([{"text": "On the way"}, {"wait": "thumb"}, {"text": "."}]))
    await button(page, "Send").tap()
    await expect(answers(page)).to_have_text("On the way")
    box = await button(page, "Stop").bounding_box()
    assert box is not None
    assert box["height"] >= 40
    models.open("thumb")
    await expect(answers(page)).to_have_text("On the way.")
    await field(page).fill("first line")
    await field(page).press("Enter")
    await expect(field(page)).to_have_value("first line\n")  # a thumb's keyboard has no Shift+Enter
    await page.get_by_role("link", name="All threads").tap()
    await expect(page).to_have_url(f"{server.url}/agents")
    await threads(page).first.tap()
    await expect(answers(page)).to_have_text("On the way.")
    rail = page.get_by_role("navigation", name="Pages")
    await rail.get_by_role("button", name="More").tap()
    await rail.get_by_role("link", name="Connections").tap()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Connections")
    await expect(rail.get_by_role("button", name="Connections")).to_be_visible()


async def test_what_is_not_there_says_what_to_do(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(f"{server.url}/agents/nobody")
    await expect(page.get_by_text("There is no agent called nobody")).to_be_visible()
    await expect(page.get_by_text("[agent.nobody]")).to_be_visible()
    await page.get_by_role("link", name="All agents").click()
    await expect(page).to_have_url(f"{server.url}/agents")
    await page.goto(f"{server.url}/agents/writer/thread_unknown")
    await expect(page.get_by_text("There is no such thread")).to_be_visible()
    await page.get_by_role("link", name="Begin a new one").click()
    await expect(page).to_have_url(f"{server.url}/agents/writer")
