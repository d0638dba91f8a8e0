"""Fetch: pages as text from hosts that are allowed, and no way around that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import pytest
from pydantic import ValidationError
from tests.tools.pages import Pages, serving_pages

from antiphon.errors import ToolError
from antiphon.services.tools import FetchConfig, Tools, ToolsConfig
from antiphon.services.tools.fetching.fetch import Fetcher, resolve
from antiphon.services.tools.fetching.hosts import Address, AllowedHosts, is_public
from antiphon.services.tools.fetching.html_text import read_page


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with serving_pages() as found:
        yield found


class Names:
    """Resolves names as the test says; each lookup takes the next answer, the last stays."""

    def __init__(self, **answers: list[str] | str) -> None:
        self._answers = {name: [found] if isinstance(found, str) else list(found) for name, found in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        answers = self._answers.get(host.partition(".")[0])
        if answers is None:
            return await resolve(host, port)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(address) for address in found.split()]


def fetcher(pages: Pages, *allow: str, names: Names | None = None, **options: Any) -> Fetcher:
    """For this server by its address, and for more."""
    return Fetcher(FetchConfig(allow=(f"127.0.0.1:{pages.port}", *allow), **options), names or Names())


async def refused(found: Fetcher, url: str) -> str:
    with pytest.raises(ToolError) as failed:
        await found.fetch(url)
    return failed.value.message


# Pages


async def test_a_page_becomes_text(pages: Pages) -> None:
    found = await fetcher(pages).fetch(f"{pages.url}/#part")
    assert found == {
        "url": f"{pages.url}/",
        "content_type": "text/html; charset=utf-8",
        "title": "A & B",
        "text": "Hello\none two three\na\nb\nc d",
        "is_cut": False,
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/plain", "  just\n text"),
        ("/json", '{"a": 1}'),
        ("/latin", "Stra\u00dfe"),
        ("/meta", "\u20ac 5"),
        ("/odd", "\u20ac"),
    ],
)
async def test_all_kinds_of_text_are_read(pages: Pages, path: str, text: str) -> None:
    assert (await fetcher(pages).fetch(pages.url + path))["text"] == text


async def test_what_is_no_text_is_said(pages: Pages) -> None:
    assert "image/png, not text" in await refused(fetcher(pages), f"{pages.url}/image")
    assert "compressed" in await refused(fetcher(pages), f"{pages.url}/zipped")
    assert "answered 404 Not Found" in await refused(fetcher(pages), f"{pages.url}/nothing")


async def test_large_pages_are_cut(pages: Pages) -> None:
    found = await fetcher(pages, max_bytes=5000).fetch(f"{pages.url}/endless")
    assert (len(found["text"]), found["is_cut"]) == (5000, True)
    found = await fetcher(pages, max_bytes=5000, max_chars=100).fetch(f"{pages.url}/endless")
    assert (len(found["text"]), found["is_cut"]) == (100, True)


async def test_slow_pages_and_cancelled_calls_are_hung_up(pages: Pages) -> None:
    config = FetchConfig(allow=(f"127.0.0.1:{pages.port}",), timeout_s=0.3)
    async with Tools(ToolsConfig(fetch=config)) as tools:
        assert "127.0.0.1" in tools.get("fetch").description
        with pytest.raises(ToolError):
            await tools.call("fetch", {"url": f"{pages.url}/slow"})
    await pages.hung_up.wait()
    pages.hung_up.clear()
    call = asyncio.create_task(fetcher(pages).fetch(f"{pages.url}/slow"))
    while [path for path, _ in pages.asked].count("/slow") < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    call.cancel()
    await pages.hung_up.wait()
    assert call.cancelled()


# Hosts


@pytest.mark.parametrize(
    ("host", "port", "allowed"),
    [
        ("example.com", 443, True),
        ("EXAMPLE.com.", 80, True),
        ("example.com", 8080, False),
        ("www.example.com", 443, False),
        ("a.example.org", 443, True),
        ("a.b.example.org", 80, True),
        ("example.org", 443, False),
        ("badexample.org", 443, False),
        ("dev.example.net", 8080, True),
        ("dev.example.net", 443, False),
        ("::1", 8000, True),
        ("127.0.0.1", 80, False),
    ],
)
def test_the_list_says_who_may_be_asked(host: str, port: int, allowed: bool) -> None:
    hosts = AllowedHosts(["Example.com", "*.example.org", "dev.example.net:8080", "[::1]:8000"], private=False)
    assert hosts.allows(host, port) is allowed


@pytest.mark.parametrize(
    "entry", ["", "*", "http://example.com", "example.com/path", "a b", "*.*.com", "user@host", "[x]"]
)
def test_an_entry_must_be_a_host(entry: str) -> None:
    with pytest.raises(ValidationError):
        FetchConfig(allow=(entry,))


PUBLIC = ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.5.5",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
]
PRIVATE += ["224.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1"]
PRIVATE += ["64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:169.254.169.254"]


@pytest.mark.parametrize(("address", "public"), [*((a, True) for a in PUBLIC), *((a, False) for a in PRIVATE)])
def test_addresses_are_what_they_lead_to(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://127.0.0.1:1/",
        "http://127.0.0.1/",
        "https://example.com/",
        "http://user@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@evil.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "nonsense",
        "http://",
        "http://[::1/",
        "http://\u2488.0.0.1/",
    ],
)
async def test_other_addresses_are_not_asked(pages: Pages, url: str) -> None:
    assert await refused(fetcher(pages), url.format(port=pages.port))
    assert pages.asked == []


async def test_a_name_may_not_lead_into_the_private_network(pages: Pages) -> None:
    names = Names(inside="127.0.0.1", both="93.184.216.34 10.0.0.1", meta="169.254.169.254", mapped="::ffff:127.0.0.1")
    found = fetcher(pages, f"*.example.com:{pages.port}", names=names)
    for host in ("inside", "both", "meta", "mapped"):
        message = await refused(found, f"http://{host}.example.com:{pages.port}/")
        assert "private network" in message
    assert pages.asked == []
    allowed = fetcher(pages, f"inside.example.com:{pages.port}", names=names, private=True)
    assert (await allowed.fetch(f"http://inside.example.com:{pages.port}/plain"))["text"] == "  just\n text"
    assert pages.asked[0][1]["host"] == f"inside.example.com:{pages.port}"


async def test_the_address_that_was_checked_is_the_one_that_is_asked(pages: Pages) -> None:
    """A name that leads elsewhere at the second look gains nothing: there is no second look."""
    names = Names(rebound=["127.0.0.1", "169.254.169.254"])
    found = fetcher(pages, f"rebound.example.com:{pages.port}", names=names, private=True)
    await found.fetch(f"http://rebound.example.com:{pages.port}/plain")
    assert names.asked == ["rebound.example.com"]
    strict = fetcher(pages, f"rebound.example.com:{pages.port}", names=Names(rebound=["127.0.0.1", "93.184.216.34"]))
    assert "private network" in await refused(strict, f"http://rebound.example.com:{pages.port}/plain")


async def test_the_next_address_is_tried(pages: Pages) -> None:
    names = Names(two="127.0.0.2 127.0.0.1")
    found = fetcher(pages, f"two.example.com:{pages.port}", names=names, private=True)
    assert (await found.fetch(f"http://two.example.com:{pages.port}/plain"))["text"]


async def test_every_redirect_is_checked(pages: Pages) -> None:
    found = fetcher(pages)
    page = await found.fetch(f"{pages.url}/to?/plain")
    assert (page["url"], page["text"]) == (f"{pages.url}/plain", "  just\n text")
    for target in (
        f"http://localhost:{pages.port}/plain",
        "http://169.254.169.254/latest/meta-data",
        "//evil.example/",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
    ):
        await refused(found, f"{pages.url}/to?{target}")
    assert [path for path, _ in pages.asked if path == "/plain"] == ["/plain"]


async def test_redirects_come_to_an_end(pages: Pages) -> None:
    assert "redirects more than 5 times" in await refused(fetcher(pages), f"{pages.url}/around/0")
    assert len(pages.asked) == 6


async def test_a_host_that_is_not_there_is_said(pages: Pages) -> None:
    found = fetcher(pages, "no-such-host.invalid")
    assert "There is no host no-such-host.invalid" in await refused(found, "http://no-such-host.invalid/")


async def test_a_proxy_of_the_environment_is_not_asked(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert (await fetcher(pages).fetch(f"{pages.url}/plain"))["text"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("a<!-- b -->c<!-- d", "ac"),
        ("a<script>b</scriptx>c</script >d", "a\n\nd".replace("\n\n", "\n")),
        ("<p>a<br>b<header>c</header>", "a\nb\nc"),
        ("&lt;b&gt; &nbsp;&#x41;", "<b> A"),
        ("<STYLE>x</style>a<b", "a"),
        ("<![CDATA[x]]>a<?php b ?>c", "ac"),
    ],
)
def test_markup_is_taken_away(source: str, text: str) -> None:
    assert read_page(source).text == text


@pytest.mark.parametrize("source", ["<" * 10**6, "<a " * 10**5, "<!--" * 10**5, "<svg>" * 10**5, "&" * 10**6])
def test_hostile_pages_are_read_in_one_pass(source: str) -> None:
    read_page(source)
