"""The forum in a real browser: programs that write as BettaFish does, a host over an honest model server, people."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from tests.agents.kit import script
from tests.browser.dashboard import OpenPage, expect_live, indicator, marks
from tests.browser.test_dashboard_look import NARROW, expect_nothing_beyond
from tests.forum.kit import START, ScriptedModel, output, spread
from tests.live.real_server import RealServer
from tests.live.workspace import ask, python, serving, until_row

pytestmark = marks()

# Writes into its log what it is told to, line by line.
SPEAKER = "import sys\nfor line in sys.stdin.buffer:\n    sys.stdout.buffer.write(line)\n    sys.stdout.buffer.flush()"
APPS = ("insight", "media", "query")
OLD_SPEECHES = 1100  # more than a page of the log


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def models() -> AsyncIterator[ScriptedModel]:
    async with ScriptedModel() as models:
        yield models


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, models: ScriptedModel) -> AsyncIterator[RealServer]:
    settings = {
        "model.small": {"name": "small", "base_url": models.url},
        "agent.host": {"model": "small"},
        "forum": {"threshold": 100},
        **{f"process.{app}": python(SPEAKER, autostart=True, stdin=True) for app in APPS},
    }
    async with serving(tmp_path_factory.mktemp("forum"), settings) as server:
        for app in APPS:
            await until_row(server, app, status="running")
        await write(server, "insight", START)
        yield server


async def write(server: RealServer, app: str, *lines: str) -> None:
    """Have a program write these lines into its log."""
    await ask(server, "process.write", name=app, text="".join(f"{line}\n" for line in lines))


async def say(server: RealServer, app: str, *texts: str) -> None:
    await write(server, app, *map(output, texts))


def speech(page: Page, text: str) -> Locator:
    return page.locator("[data-speech]", has=page.get_by_text(text, exact=True))


def growing(page: Page) -> Locator:
    return page.locator('[data-status="growing"]')


def field(page: Page) -> Locator:
    return page.get_by_role("form", name="Join in").get_by_role("textbox")


def chip(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Whose speeches").get_by_role("button", name=name)


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Speakers and host")


def conversation(page: Page) -> Locator:
    return page.get_by_role("log", name="Speeches")


async def open_forum(server: RealServer, open_page: OpenPage, path: str = "forum", **options: object) -> Page:
    return await open_page(f"{server.url}/{path}", **options)


async def test_speeches_appear_as_they_are_said_and_exactly(server: RealServer, open_page: OpenPage) -> None:
    page = await open_page(server.url)
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name="Forum").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Forum")
    await expect(page.locator("[data-session]")).to_contain_text("begins")
    await say(server, "insight", "Tea is **strong** in Assam.")
    row = page.locator("[data-speech]").last
    await expect(row).to_contain_text("Insight Engine")
    await expect(row.locator("strong")).to_have_text("strong")
    await say(server, "media", "On film  it is <b>milky</b>.")
    await expect(speech(page, "On film it is <b>milky</b>.")).to_contain_text("Media Engine")
    await expect(page.get_by_text("2 of 100 speeches until the host speaks").first).to_be_visible()
    await page.get_by_role("button", name="Exact", exact=True).click()
    exact = page.locator(".speech-text")
    assert await exact.all_text_contents() == ["Tea is **strong** in Assam.", "On film  it is <b>milky</b>."]
    await page.reload()
    await expect(exact).to_have_text(["Tea is **strong** in Assam.", "On film it is <b>milky</b>."])


async def test_the_host_types_and_is_stopped_in_mid_sentence(
    server: RealServer, models: ScriptedModel, open_page: OpenPage
) -> None:
    page = await open_forum(server, open_page)
    other = await open_forum(server, open_page)
    models.script = script([{"text": "To sum up, "}, {"wait": "never"}])
    await say(server, "query", "There is nothing to add to this.")
    await expect(speech(page, "There is nothing to add to this.")).to_be_visible()
    await page.get_by_role("button", name="Call the host now").click()
    for one in (page, other):
        await expect(growing(one)).to_contain_text("To sum up,")
        await expect(growing(one)).to_contain_text("Forum Host")
    await other.reload()
    await expect(growing(other)).to_contain_text("To sum up,")
    await growing(other).get_by_role("button", name="Stop").click()
    for one in (page, other):
        await expect(one.get_by_text("Stopped in mid-sentence")).to_be_visible()
        await expect(growing(one)).to_have_count(0)
        await expect(one.get_by_role("button", name="Call the host now")).to_be_enabled()
    models.script = script([{"text": "Again: "}, {"wait": "host"}, {"text": "they agree."}])
    await say(server, "query", "One thing more was found in the archive.")
    await panel(page).get_by_label("Speeches until the host speaks").fill("1")
    await panel(page).get_by_label("Speeches until the host speaks").press("Enter")
    await expect(growing(page)).to_contain_text("Again:")
    models.open("host")
    await expect(speech(page, "Again: they agree.")).to_have_attribute("data-status", "completed")
    models.script = script([{"text": "Endless"}, {"wait": "never"}])
    await say(server, "query", "And this is the last thing that was found.")
    await expect(growing(page)).to_contain_text("Endless")
    await page.locator("h1").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("Stopped in mid-sentence")).to_have_count(2)
    await panel(page).get_by_label("Speeches until the host speaks").fill("100")
    await panel(page).get_by_label("Speeches until the host speaks").press("Enter")
    await expect(other.get_by_text("0 of 100 speeches until the host speaks").first).to_be_visible()


async def test_a_host_that_has_nothing_to_say_says_so(server: RealServer, open_page: OpenPage) -> None:
    page = await open_forum(server, open_page)
    await page.get_by_role("button", name="Call the host now").click()
    await expect(page.get_by_role("alert")).to_contain_text("nothing was said that the host has not heard")


async def test_the_filter_is_in_the_address(server: RealServer, open_page: OpenPage) -> None:
    page = await open_forum(server, open_page)
    await say(server, "insight", "Insight has this to say about filters.")
    await say(server, "media", "Media has that to say about filters.")
    await expect(speech(page, "Media has that to say about filters.")).to_be_visible()
    await chip(page, "Insight Engine").click()
    await expect(page).to_have_url(f"{server.url}/forum?speaker=insight")
    await expect(page.locator("[data-speech] .voice-name").first).to_be_visible()
    assert set(await page.locator("[data-speech] .voice-name").all_text_contents()) == {"Insight Engine"}
    await page.reload()
    await expect(speech(page, "Insight has this to say about filters.")).to_be_visible()
    await expect(speech(page, "Media has that to say about filters.")).to_have_count(0)
    await chip(page, "Media Engine").click()
    await expect(speech(page, "Media has that to say about filters.")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"speaker=insight%2Cmedia$"))
    await chip(page, "All").click()
    await expect(page).to_have_url(f"{server.url}/forum")


async def test_a_speaker_is_muted(server: RealServer, open_page: OpenPage) -> None:
    page = await open_forum(server, open_page)
    mute = panel(page).get_by_role("button", name="Mute Query Engine")
    await mute.click()
    await expect(mute).to_have_attribute("aria-pressed", "true")
    await say(server, "query", "Nobody hears what I have to say now.")
    await expect(speech(page, "Nobody hears what I have to say now.")).to_contain_text("muted")
    await mute.click()
    await expect(mute).to_have_attribute("aria-pressed", "false")


async def test_people_join_in_by_keyboard(server: RealServer, open_page: OpenPage) -> None:
    page = await open_forum(server, open_page)
    await expect(page.locator("[data-speech]").first).to_be_visible()
    await page.keyboard.press("/")
    await expect(field(page)).to_be_focused()
    await field(page).press_sequentially("What about *Ceylon*?")
    await field(page).press("Shift+Enter")
    await field(page).press_sequentially("And Nilgiri?")
    await field(page).press("Enter")
    said = page.locator("[data-speech]", has_text="Nilgiri")
    await expect(said).to_have_count(1)
    assert await said.locator(".speech-text").text_content() == "What about *Ceylon*?\nAnd Nilgiri?"
    await expect(said).to_contain_text("local")
    await expect(field(page)).to_have_value("")
    await field(page).press("Escape")
    await expect(field(page)).not_to_be_focused()


async def test_a_speech_leads_to_its_line_in_the_log_and_back(server: RealServer, open_page: OpenPage) -> None:
    page = await open_forum(server, open_page)
    await write(server, "media", "nothing of interest", *spread("A paragraph that took several lines."))
    row = speech(page, "A paragraph that took several lines.")
    link = row.get_by_role("link", name=re.compile(r"^media line \d+"))
    offset = re.sub(r"\D", "", await link.inner_text())
    await link.click()
    await expect(page).to_have_url(f"{server.url}/logs/media?at={offset}")
    await expect(page.locator(".log-row.target")).to_contain_text("清理后的输出: {")
    await page.go_back()
    await expect(row).to_be_visible()
    await row.locator("time a").click()
    await expect(row).to_have_class(re.compile("target"))
    await page.reload()
    await expect(row).to_have_class(re.compile("target"))
    await expect(row).to_be_in_viewport()


# What is drawn, in order; each with how far it is from the upper edge of the box.
DRAWN = """() => {
    const top = document.querySelector('[role=log]').getBoundingClientRect().top;
    return [...document.querySelectorAll('[data-index]')]
        .map(e => [+e.dataset.offset, e.getBoundingClientRect().top - top])
        .sort((a, b) => a[0] - b[0]);
}"""
# What is kept as the place is the first row in sight.
PLACE_IS_KEPT = """() => {
    const top = document.querySelector('[role=log]').getBoundingClientRect().top;
    const rows = [...document.querySelectorAll('[data-index]')].sort((a, b) => a.dataset.index - b.dataset.index);
    const first = rows.find(row => row.getBoundingClientRect().bottom > top);
    return first !== undefined && history.state?.forumPlace === +first.dataset.offset;
}"""
READ_BACK = """async () => {
    const box = document.querySelector('[role=log]'), seen = new Set(), holes = [];
    const drawn = () => [...document.querySelectorAll('[data-index]')].map(e => [+e.dataset.index, +e.dataset.offset]);
    for (;;) {
        const rows = drawn().sort((a, b) => a[0] - b[0]);
        rows.forEach(([index, offset], i) => {
            if (i > 0 && index !== rows[i - 1][0] + 1) holes.push(`${index} after ${rows[i - 1][0]}`);
            seen.add(offset);
        });
        const said = [...document.querySelectorAll('[role=status]')].map(e => e.textContent);
        const isLoading = said.some(words => words.startsWith('Loading'));
        const hasMore = isLoading || document.body.textContent.includes('more before');
        if (box.scrollTop <= 0 && rows[0][0] === 0 && !hasMore) break;
        box.scrollTop -= box.clientHeight;
        await new Promise(requestAnimationFrame);
    }
    return {seen: [...seen], holes};
}"""


async def test_the_whole_history_is_read_back_and_a_reload_keeps_the_place(
    server: RealServer, open_page: OpenPage
) -> None:
    lines = [f"[10:00:{n % 60:02}] [{('INSIGHT', 'MEDIA')[n % 2]}] speech number {n}" for n in range(OLD_SPEECHES)]
    await ask(server, "forum.replay", name="old", lines=lines)
    page = await open_forum(server, open_page, "forum/old")
    await expect(speech(page, f"speech number {OLD_SPEECHES - 1}")).to_be_in_viewport()
    read = await page.evaluate(READ_BACK)
    assert read["holes"] == []
    texts = await ask(server, "history", channel="forum:old", limit=1000, after=0)
    assert {event["offset"] for event in texts["events"] if event["type"] == "forum.speech"} <= set(read["seen"])
    assert len(read["seen"]) >= OLD_SPEECHES
    await page.evaluate("document.querySelector('[role=log]').scrollTop = 30000")
    await page.wait_for_function(PLACE_IS_KEPT)
    before = await page.evaluate("history.state.forumPlace")
    await page.reload()
    await expect(page.locator(f'[data-offset="{before}"]')).to_be_in_viewport()
    await expect(page.get_by_role("button", name="paused")).to_be_visible()
    await conversation(page).press("End")
    await expect(speech(page, f"speech number {OLD_SPEECHES - 1}")).to_be_in_viewport()
    await conversation(page).press("Home")
    await expect(speech(page, "speech number 0")).to_be_in_viewport()


async def test_paused_it_stands_still_and_counts_what_is_new(server: RealServer, open_page: OpenPage) -> None:
    for n in range(12):
        await say(server, "insight", f"Speech {n} to fill the page with. " * 6)
    page = await open_forum(server, open_page)
    await expect(page.locator("[data-speech]").last).to_contain_text("Speech 11")
    await page.locator("h1").click()
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name="paused")).to_be_visible()
    await conversation(page).hover()
    await page.mouse.wheel(0, -300)
    await page.wait_for_function(
        "() => (box => box.scrollHeight - box.scrollTop - box.clientHeight > 250)(document.querySelector('[role=log]'))"
    )
    await page.wait_for_function(PLACE_IS_KEPT)
    place = await page.evaluate(DRAWN)
    await say(server, "media", "This is new and nobody sees it yet.", "This is newer still, and unseen as well.")
    fresh = page.get_by_role("button", name="2 new")
    await expect(fresh).to_be_visible()
    shown = dict(await page.evaluate(DRAWN))
    assert [(offset, top) for offset, top in place if offset in shown and abs(shown[offset] - top) > 1] == []
    await fresh.click()
    await expect(speech(page, "This is newer still, and unseen as well.")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="following")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_at_380_px(server: RealServer, open_page: OpenPage, scheme: str) -> None:
    page = await open_forum(server, open_page, viewport=NARROW, has_touch=True, color_scheme=scheme)
    await expect(page.locator("[data-speech]").last).to_be_visible()
    await expect_nothing_beyond(page)
    await page.get_by_role("button", name="Speakers", exact=True).tap()
    mute = page.get_by_role("button", name="Mute Insight Engine").locator("visible=true")
    await mute.tap()
    await expect(mute).to_have_attribute("aria-pressed", "true")
    await expect_nothing_beyond(page)
    await mute.tap()
    await expect(mute).to_have_attribute("aria-pressed", "false")
    await page.get_by_role("button", name="Speeches", exact=True).tap()
    for control in ("Call the host now", "Send"):
        box = await page.get_by_role("button", name=control).bounding_box()
        assert box is not None
        assert box["height"] >= 36
    await field(page).fill(f"By thumb, {scheme}")
    await page.get_by_role("button", name="Send").tap()
    await expect(speech(page, f"By thumb, {scheme}")).to_be_in_viewport()


async def test_killed_in_between_nothing_is_missing_or_said_twice(server: RealServer, open_page: OpenPage) -> None:
    page = await open_forum(server, open_page, may_lose=True)
    await say(server, "media", "Before the server was killed this was said.")
    await expect(speech(page, "Before the server was killed this was said.")).to_be_visible()
    await server.kill()
    await expect(indicator(page)).to_have_text(re.compile("^Reconnecting"))
    await field(page).fill("Said while nobody was there to hear it.")
    await field(page).press("Enter")
    await expect(page.get_by_role("list", name="On their way")).to_contain_text("Waiting for the connection")
    await server.start()
    await expect_live(page)
    await expect(page.get_by_role("list", name="On their way")).to_have_count(0)
    await until_row(server, "media", status="running")
    await say(server, "media", "After it came back this was said as well.")
    await expect(speech(page, "After it came back this was said as well.")).to_have_count(1)
    await expect(speech(page, "Said while nobody was there to hear it.")).to_have_count(1)
    await expect(speech(page, "Before the server was killed this was said.")).to_have_count(1)


async def test_without_a_forum_the_page_says_what_to_do(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path, {}) as bare:
        page = await open_page(f"{bare.url}/forum")
        await expect(page.get_by_role("heading", name="This server has no forum")).to_be_visible()
        await expect(page.get_by_text("[forum]").first).to_be_visible()
        names = await page.get_by_role("navigation", name="Pages").get_by_role("link").all_inner_texts()
        assert "Forum" not in names


async def test_before_anybody_spoke_it_says_who_is_listened_to(tmp_path: Path, open_page: OpenPage) -> None:
    settings = {"process.insight": python(SPEAKER, stdin=True), "forum": {"apps": ["insight"]}}
    async with serving(tmp_path, settings) as quiet:
        page = await open_page(f"{quiet.url}/forum")
        await expect(page.get_by_role("heading", name="Nobody has spoken yet")).to_be_visible()
        await page.get_by_role("link", name="Insight Engine").click()
        await expect(page).to_have_url(f"{quiet.url}/logs/insight")
