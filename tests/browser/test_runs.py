"""Runs in a real browser: followed through reloads and crashes, cancelled from elsewhere, looked back at, filtered."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from tests.browser.dashboard import OpenPage, expect_live, marks
from tests.browser.scripted_agent import Agent
from tests.browser.test_dashboard_look import NARROW, expect_nothing_beyond
from tests.live.real_server import RealServer
from tests.live.workspace import ask, serving

pytestmark = marks()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealServer]:
    async with serving(tmp_path_factory.mktemp("runs"), {}) as server:
        yield server


def message(page: Page, message_id: str) -> Locator:
    return page.locator(f'[data-message="{message_id}"]')


def tool(page: Page, tool_call_id: str) -> Locator:
    return page.locator(f'[data-tool="{tool_call_id}"]')


def state(page: Page) -> Locator:
    return page.get_by_role("complementary", name="State and details").get_by_role("region", name="State")


def status(page: Page) -> Locator:
    return page.get_by_role("region", name="Run", exact=True).get_by_role("status").first


async def test_cancelled_from_a_second_tab(server: RealServer, open_page: OpenPage) -> None:
    agent = await Agent.open(server, "slow")
    await agent.say(("message.open", {"message_id": "m", "role": "assistant"}))
    await agent.write("m", "It begins")
    first = await open_page(agent.page)
    second = await open_page(agent.page)
    await expect(message(first, "m")).to_contain_text("It begins")
    await second.get_by_role("button", name="Cancel").click()
    told = await agent.until("run.status")
    assert told["status"] == "cancelling"
    for page in (first, second):
        await expect(status(page)).to_have_text("Cancelling")
        await expect(page.get_by_text("Still draining")).to_be_visible()
        await expect(page.get_by_role("button", name="Cancelling")).to_be_disabled()
    await first.reload()
    await expect(first.get_by_text("Still draining")).to_be_visible()
    await expect(first.get_by_text("agent.py")).not_to_have_count(0)
    await agent.finish("cancelled")
    for page in (first, second):
        await expect(status(page)).to_have_text("Cancelled")
        await expect(page.get_by_text("Still draining")).to_have_count(0)
        await expect(message(page, "m")).to_contain_text("Cut off: cancelled")
        await expect(page.locator('[data-kind="end"]')).to_contain_text("Cancelled by local")
        await expect(page.get_by_role("button", name="Cancelling")).to_have_count(0)


async def test_tools_show_their_arguments_progress_and_end(server: RealServer, open_page: OpenPage) -> None:
    agent = await Agent.open(server, "tools")
    page = await open_page(agent.page)
    await agent.say(
        ("tool.start", {"tool_call_id": "t", "name": "read_tables"}),
        ("tool.args", {"tool_call_id": "t", "delta": '{"file": "cus'}),
    )
    card = tool(page, "t")
    await expect(card).to_contain_text('{"file": "cus')
    await agent.say(
        ("tool.args", {"tool_call_id": "t", "delta": 'toms.pdf"}'}),
        ("tool.progress", {"tool_call_id": "t", "progress": 0.64, "message": "page 31"}),
    )
    await expect(card).to_contain_text("64 %")
    await expect(card).to_contain_text("page 31")
    await agent.say(
        ("tool.end", {"tool_call_id": "t", "status": "failed", "error": "no such page", "duration_ms": 420}),
        ("tool.start", {"tool_call_id": "u", "name": "search"}),
        ("tool.end", {"tool_call_id": "u", "status": "succeeded", "result": {"hits": 3}, "duration_ms": 7}),
    )
    await expect(card).to_contain_text("failed · 420 ms")
    await expect(card).to_contain_text("no such page")
    await tool(page, "u").get_by_role("button").click()
    await expect(tool(page, "u")).to_contain_text('"hits": 3')
    await agent.finish("failed", error={"message": "the kettle is empty", "type": "ValueError"})
    await expect(page.locator('[data-kind="end"]')).to_contain_text("Failed with ValueError")
    await expect(page.locator('[data-kind="end"]')).to_contain_text("the kettle is empty")


HOSTILE = """<img src="/logs" onerror="document.title='bad'"> <script>document.title='bad'</script>

[click](javascript:alert%281%29) and ![picture](https://example.invalid/x.png)"""


async def test_what_a_model_writes_stays_text(server: RealServer, open_page: OpenPage) -> None:
    agent = await Agent.open(server, "hostile")
    await agent.say(("message.open", {"message_id": "m", "role": "assistant"}))
    await agent.write("m", f"# A heading\n\n- **strong**\n\n{HOSTILE}")
    page = await open_page(agent.page)
    answer = message(page, "m")
    await expect(answer.get_by_role("heading", name="A heading")).to_be_visible()
    await expect(answer.locator("li strong")).to_have_text("strong")
    await expect(answer).to_contain_text("<script>")
    await expect(answer.locator("img, script, [onerror]")).to_have_count(0)
    await expect(answer.locator("a")).to_have_text(["picture"])
    await expect(page).to_have_title(re.compile("Runs"))


async def test_back_through_its_history(server: RealServer, open_page: OpenPage) -> None:
    agent = await Agent.open(server, "history")
    for number in range(5):
        await agent.say(
            ("state.patch", {"ops": [{"op": "add", "path": "/step", "value": number}]}),
            ("log", {"level": "info", "text": f"line {number}"}),
        )
    await agent.finish(result={"ok": True})
    page = await open_page(agent.page, viewport={"width": 1440, "height": 900})
    await expect(status(page)).to_have_text("Succeeded")
    await expect(state(page)).to_contain_text("step 4")
    slider = page.get_by_role("slider")
    await slider.press("Home")
    await expect(page.get_by_text("event 1", exact=True)).to_be_visible()
    await expect(status(page)).to_have_text("Running")
    await expect(page.locator('[data-kind="log"]')).to_have_count(0)
    for _ in range(4):
        await slider.press("ArrowRight")
    await expect(state(page)).to_contain_text("step 1")
    await expect(page.locator('[data-kind="log"]')).to_have_count(2)
    await expect(page).to_have_url(f"{agent.page}?at=5")
    await page.reload()
    await expect(state(page)).to_contain_text("step 1")
    await page.get_by_role("button", name="Events").click()
    events = page.get_by_role("region", name="Events")
    await events.get_by_role("button", name=re.compile("run.succeeded")).click()
    await expect(events).to_contain_text('"ok": true')
    await page.get_by_role("button", name="Back to the end").click()
    await expect(status(page)).to_have_text("Succeeded")
    await expect(page).to_have_url(agent.page)


async def test_the_events_stay_where_one_reads(server: RealServer, open_page: OpenPage) -> None:
    agent = await Agent.open(server, "talkative")
    await agent.say(*(("log", {"level": "info", "text": f"line {number}"}) for number in range(60)))
    page = await open_page(agent.page)
    await page.get_by_role("button", name="Events").click()
    events = page.get_by_role("region", name="Events")
    line = events.get_by_role("button", name=re.compile("line 59"))
    await expect(line).to_be_in_viewport(ratio=0.9)
    await agent.say(("log", {"level": "info", "text": "line 60"}))
    await expect(events.get_by_role("button", name=re.compile("line 60"))).to_be_in_viewport(ratio=0.9)
    await line.click()
    await expect(events.get_by_text('"text": "line 59"')).to_be_in_viewport(ratio=0.9)
    await agent.say(*(("log", {"level": "info", "text": f"more {number}"}) for number in range(60)))
    await expect(events).to_contain_text("122 events")
    await expect(line).to_be_in_viewport(ratio=0.9)
    await agent.finish()


async def test_children_stand_beside_their_parent(server: RealServer, open_page: OpenPage) -> None:
    parent = await Agent.open(server, "parent", title="The parent")
    child = await Agent.open(server, "child", title="The child", parent_run_id=parent.run_id)
    page = await open_page(parent.page, viewport={"width": 1440, "height": 900})
    children = page.get_by_role("region", name="Children")
    await expect(children.get_by_role("link")).to_have_text([re.compile("The child")])
    await child.finish("failed", error={"message": "no"})
    await expect(children).to_contain_text("failed")
    await children.get_by_role("link").click()
    await expect(page.get_by_role("heading", name="The child")).to_be_visible()
    await page.get_by_role("link", name=parent.run_id).click()
    await expect(page.get_by_role("heading", name="The parent")).to_be_visible()
    await parent.finish()


async def test_the_list_filters_in_its_address(server: RealServer, open_page: OpenPage) -> None:
    waiting = await Agent.open(server, "asker", title="Wants to know", labels={"team": "blue"})
    await waiting.ask("May I?", kind="approval")
    done = await Agent.open(server, "doer", title="Has done it")
    await done.finish()
    page = await open_page(f"{server.url}/runs", viewport={"width": 1440, "height": 900})
    rows = page.get_by_role("list", name="Runs").get_by_role("link")
    row = rows.filter(has_text="Wants to know")
    await expect(row).to_contain_text("waiting for you")
    await expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Inbox")).to_contain_text("1")
    await page.get_by_label("Status").select_option("succeeded")
    await page.get_by_label("Name").select_option("doer")
    await expect(rows).to_have_text([re.compile("Has done it")])
    await expect(page).to_have_url(f"{server.url}/runs?status=succeeded&name=doer")
    await page.reload()
    await expect(rows).to_have_text([re.compile("Has done it")])
    await page.get_by_role("button", name="Show all").click()
    await page.keyboard.press("/")
    await page.keyboard.type("blue wants")
    await expect(rows).to_have_text([re.compile("Wants to know")])
    await page.get_by_label("Search runs").fill("nothing like it")
    await expect(page.get_by_text("No run matches")).to_be_visible()
    await page.get_by_role("link", name="Show all runs").click()
    await rows.filter(has_text="Wants to know").click()
    await expect(page.get_by_role("heading", name="Wants to know")).to_be_visible()
    await page.keyboard.press("a")
    await expect(page.get_by_text("Approved by you")).to_be_visible()
    await waiting.finish()


async def test_many_rows_cost_no_more_than_few(server: RealServer, open_page: OpenPage) -> None:
    for number in range(150):
        await Agent.open(server, "many", title=f"Number {number}")
    page = await open_page(f"{server.url}/runs?name=many", viewport={"width": 1440, "height": 900})
    rows = page.get_by_role("list", name="Runs").get_by_role("link")
    await expect(rows.first).to_contain_text("Number 149")
    assert await rows.count() < 60
    await page.get_by_text("150 of").wait_for()
    await page.keyboard.press("ArrowDown")
    await expect(rows.first).to_be_focused()
    await rows.first.press("ArrowDown")
    await expect(rows.filter(has_text="Number 148")).to_be_focused()


async def test_an_empty_list_says_what_to_do(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path, {}) as server:
        page = await open_page(f"{server.url}/runs", viewport=NARROW)
        await expect(page.get_by_text("live.run(")).to_be_visible()
        await expect_nothing_beyond(page)
        await page.goto(f"{server.url}/runs/nothing")
        await expect(page.get_by_text("There is no such run")).to_be_visible()
        await ask(server, "run.open", name="first", title="It appears", run_id="nothing", lease="x" * 16)
        await expect(page.get_by_role("heading", name="It appears")).to_be_visible()


async def busy_run(server: RealServer) -> Agent:
    """A run with a little of everything, some of it long."""
    agent = await Agent.open(server, "research", title="Compare the tea markets of Fujian and Yunnan " * 2)
    events: list[tuple[str, dict[str, Any]]] = [
        ("tool.start", {"tool_call_id": "t", "name": "search_documents_of_the_whole_workspace"}),
        ("tool.args", {"tool_call_id": "t", "delta": '{"query": "export volume"}' * 9}),
        ("log", {"level": "warning", "logger": "planner", "text": "x" * 300}),
        ("message.open", {"message_id": "m", "role": "assistant"}),
        ("message.append", {"message_id": "m", "delta": f"`{'code' * 80}`\n\n| a | b |\n|-|-|\n| {'w' * 90} | 2 |\n"}),
        ("run.progress", {"progress": 0.4, "message": "reading"}),
        ("x.note", {"text": "y" * 300}),
    ]
    await agent.say(*events)
    return agent


@pytest.mark.parametrize("width", [380, 760, 1100, 1440])
async def test_nothing_lies_beyond_the_edge(server: RealServer, open_page: OpenPage, width: int) -> None:
    agent = await busy_run(server)
    page = await open_page(agent.page, viewport={"width": width, "height": 780})
    await expect_live(page)
    await expect(page.locator('[data-kind="custom"]')).to_be_visible()
    await expect_nothing_beyond(page)
    await page.get_by_role("button", name="Events").click()
    await expect_nothing_beyond(page)
    await page.goto(f"{server.url}/runs")
    await expect(page.get_by_role("list", name="Runs").get_by_role("link").first).to_be_visible()
    await expect_nothing_beyond(page)
    await agent.finish()
