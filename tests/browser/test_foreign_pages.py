# ruff: noqa: E501  each attempt is one line of JavaScript
"""In a real browser: what another page does to a server on this machine, and that nothing comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.foreign_target import Target, served, their_server

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium"),
]

# Each returns what the page learnt ("" = nothing), once the attempt is over.
ATTEMPTS = {
    "fetch": "return await (await fetch(at + '/api/events')).text()",
    "fetch with credentials": "return await (await fetch(at + '/api/events', {credentials: 'include'})).text()",
    "fetch without cors": "return await (await fetch(at + '/api/events', {mode: 'no-cors'})).text()",
    "post without cors": "return await (await fetch(at + '/api/events', {method: 'POST', mode: 'no-cors', body: 'theirs'})).text()",
    "post json": "return await (await fetch(at + '/api/events', {method: 'POST', headers: {'content-type': 'application/json'}, body: '1'})).text()",
    "delete": "return await (await fetch(at + '/api/events', {method: 'DELETE'})).text()",
    "image": "const image = new Image(); const over = once(image); image.src = at + '/api/events'; await over; return image.width ? 'image' : ''",
    "script": "const tag = document.createElement('script'); const over = once(tag); tag.src = at + '/api/script'; document.head.append(tag); await over; return window.stolen ?? ''",
    "frame": "const frame = document.createElement('iframe'); const over = once(frame); frame.src = at + '/api/events'; document.body.append(frame); await over; try { return frame.contentDocument?.body.innerText ?? '' } catch { return '' }",
    "stream": "const source = new EventSource(at + '/api/stream'); return await new Promise(done => { source.onmessage = e => { source.close(); done(e.data) }; source.onerror = () => { source.close(); done('') } })",
    "socket": "const socket = new WebSocket(at.replace('http', 'ws') + '/live'); return await new Promise(done => { socket.onmessage = e => { socket.close(); done(e.data) }; socket.onclose = () => done('') })",
    "form": "const frame = document.createElement('iframe'); frame.name = 'sink'; document.body.append(frame); const form = document.createElement('form'); form.method = 'POST'; form.enctype = 'text/plain'; form.target = 'sink'; form.action = at + '/api/events'; const input = document.createElement('input'); input.name = 'a'; input.value = 'theirs'; form.append(input); document.body.append(form); const over = once(frame); form.submit(); await over; try { return frame.contentDocument?.body.innerText ?? '' } catch { return '' }",
}  # fmt: skip

RUN = """async at => {
    const once = target => new Promise(done => { target.onload = target.onerror = () => done() });
    try { %s } catch (error) { return '' }
}"""


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


@pytest.fixture
def ours() -> Iterator[Target]:
    with served(Target()) as target:
        yield target


def learnt(page: Page, at: str) -> dict[str, str]:
    return {name: page.evaluate(RUN % body, at) for name, body in ATTEMPTS.items()}


NOTHING = dict.fromkeys(ATTEMPTS, "")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "evil.test"])
def test_another_page_learns_and_changes_nothing(page: Page, theirs: int, ours: Target, name: str) -> None:
    page.goto(f"http://{name}:{theirs}/")
    assert learnt(page, f"http://127.0.0.1:{ours.port}") == NOTHING
    assert (ours.events, ours.sockets) == (["ours"], 0)


def test_a_rebound_name_learns_and_changes_nothing(page: Page, ours: Target) -> None:
    answer = page.goto(f"http://rebound.test:{ours.port}/")
    assert answer is not None
    assert answer.status == 403
    found = learnt(page, f"http://rebound.test:{ours.port}")
    assert set(found.values()) <= {"", "refused"}  # same origin to the browser, so it may read the refusal
    assert (ours.events, ours.sockets) == (["ours"], 0)


def test_a_sandboxed_page_learns_and_changes_nothing(page: Page, ours: Target) -> None:
    page.goto("data:text/html,<title>null</title>")
    assert learnt(page, f"http://127.0.0.1:{ours.port}") == NOTHING
    assert (ours.events, ours.sockets) == (["ours"], 0)


def test_a_link_opens_the_front_page_but_no_data(page: Page, theirs: int, ours: Target) -> None:
    for path, status in (("/", 200), ("/api/events", 403)):
        page.goto(f"http://evil.test:{theirs}/")
        with page.expect_navigation() as answer:
            page.evaluate("at => { location.href = at }", f"http://127.0.0.1:{ours.port}{path}")
        assert answer.value.status == status


def test_the_front_page_cannot_be_framed(page: Page, theirs: int, ours: Target) -> None:
    page.goto(f"http://evil.test:{theirs}/")
    with page.expect_response(f"http://127.0.0.1:{ours.port}/") as answer:
        page.evaluate(RUN % ATTEMPTS["frame"].replace("/api/events", "/"), f"http://127.0.0.1:{ours.port}")
    assert answer.value.status == 403


def test_its_own_page_may_do_it_all(page: Page, ours: Target) -> None:
    page.goto(f"http://localhost:{ours.port}/")
    found = learnt(page, f"http://localhost:{ours.port}")
    assert {name for name, text in found.items() if not text} == {"image"}  # the answer is no image
    assert len(ours.events) == 5
    assert page.evaluate(RUN % ATTEMPTS["socket"], f"http://127.0.0.1:{ours.port}") == "welcome"


def test_without_admission_the_same_page_does_harm(page: Page, theirs: int) -> None:
    with served(Target(guarded=False)) as open_to_all:
        page.goto(f"http://evil.test:{theirs}/")
        found = learnt(page, f"http://127.0.0.1:{open_to_all.port}")
        assert found["socket"] == "welcome"
        assert found["script"] == "ours"
        assert open_to_all.events == ["ours", "theirs", "a=theirs\r\n"]
        page.goto(f"http://rebound.test:{open_to_all.port}/")
        assert "theirs" in page.evaluate(RUN % ATTEMPTS["fetch"], f"http://rebound.test:{open_to_all.port}")
