"""In a real browser: what another page does to a server on this machine, and that nothing comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.foreign_attempts import attempt, attempt_all
from tests.browser.foreign_target import Attacked, served_stub, served_whole, their_server

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        names = "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP rebound.test 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[names, "--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def theirs() -> Iterator[int]:
    with their_server() as port:
        yield port


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", params=["whole", "admission"])
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    if request.param == "admission":
        with served_stub() as stub:
            yield stub
    else:
        with served_whole(tmp_path_factory.mktemp("server")) as whole:
            yield whole


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "evil.test"])
def test_another_page_learns_and_changes_nothing(page: Page, theirs: int, ours: Attacked, name: str) -> None:
    page.goto(f"http://{name}:{theirs}/")
    assert attempt_all(page, f"http://127.0.0.1:{ours.port}") == {}
    assert ours.is_untouched()


def test_a_rebound_name_learns_and_changes_nothing(page: Page, ours: Attacked) -> None:
    answer = page.goto(f"http://rebound.test:{ours.port}/")
    assert answer is not None
    assert answer.status == 403
    learnt = attempt_all(page, f"http://rebound.test:{ours.port}")  # same origin to the browser: it reads refusals
    assert [text for text in learnt.values() if "refused" not in text] == []
    assert ours.is_untouched()


def test_a_sandboxed_page_learns_and_changes_nothing(page: Page, ours: Attacked) -> None:
    page.goto("data:text/html,<title>null</title>")
    assert attempt_all(page, f"http://127.0.0.1:{ours.port}") == {}
    assert ours.is_untouched()


def test_a_link_opens_the_front_page_but_no_data(page: Page, theirs: int, ours: Attacked) -> None:
    for path, status in (("/", 200), ("/api/channels", 403), ("/metrics", 403)):
        page.goto(f"http://evil.test:{theirs}/")
        with page.expect_navigation() as answer:
            page.evaluate("at => { location.href = at }", f"http://127.0.0.1:{ours.port}{path}")
        assert answer.value.status == status


def test_the_front_page_cannot_be_framed(page: Page, theirs: int, ours: Attacked) -> None:
    page.goto(f"http://evil.test:{theirs}/")
    with page.expect_response(f"http://127.0.0.1:{ours.port}/") as answer:
        page.set_content(f"<iframe src='http://127.0.0.1:{ours.port}/'></iframe>")
    assert answer.value.status == 403


def test_its_own_page_may(page: Page, tmp_path: Path) -> None:
    with served_whole(tmp_path) as whole:
        page.goto(f"http://localhost:{whole.port}/")
        at = f"http://localhost:{whole.port}"
        assert '"ours"' in attempt(page, "fetch", at)
        assert '"offset":2' in attempt(page, "post json", at)
        assert '"canary"' in attempt(page, "start a program", at)
        assert '"ours"' in attempt(page, "stream", at)
        assert '"welcome"' in attempt(page, "socket", f"http://127.0.0.1:{whole.port}")
        assert not whole.is_untouched()


def test_without_admission_the_same_page_does_harm(page: Page, theirs: int) -> None:
    with served_stub(guarded=False) as open_to_all:
        page.goto(f"http://evil.test:{theirs}/")
        learnt = attempt_all(page, f"http://127.0.0.1:{open_to_all.port}")
        assert learnt == {"socket": "welcome", "script": "ours"}
        post, start = "POST /api/channels/news:tea/events", "POST /api/processes/canary/start"
        assert open_to_all.changes.count(post) == 2  # without cors, form
        assert open_to_all.changes.count(start) >= 3  # with cors (no preflight), without, form
        page.goto(f"http://rebound.test:{open_to_all.port}/")
        assert "ours" in attempt(page, "fetch", f"http://rebound.test:{open_to_all.port}")
