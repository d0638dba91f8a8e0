"""The tool `fetch`: a GET of a page whose host is allowed, as text."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, NamedTuple

import httpx2

from antiphon import __version__
from antiphon.errors import ToolError
from antiphon.services.tools.config import FetchConfig
from antiphon.services.tools.fetching.hosts import Address, AllowedHosts
from antiphon.services.tools.fetching.text import read_text
from antiphon.services.tools.tool import Tool
from antiphon.services.tools.values import ToolContext

Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""Given a host and a port: its addresses. Raises OSError."""

MAX_URL = 2000
REDIRECTS = (301, 302, 303, 307, 308)


class Body(NamedTuple):
    content: bytes
    is_cut: bool


async def resolve(host: str, port: int) -> list[Address]:
    """As the machine resolves names."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(address[0]).partition("%")[0]) for *_, address in found))


def fetch_tool(config: FetchConfig, resolve: Resolve = resolve) -> Tool:
    """Args: resolve: Finds the addresses of a name; None = as the machine does."""
    fetcher = Fetcher(config, resolve)

    async def call(_: ToolContext, arguments: dict[str, Any]) -> dict[str, Any]:
        return await fetcher.fetch(arguments["url"])

    return Tool(
        name="fetch",
        description=f"Read a web page as text. Hosts that may be asked: {', '.join(config.allow)}.",
        parameters={
            "type": "object",
            "properties": {
                "url": {"type": "string", "maxLength": MAX_URL, "description": "An http or https address."},
            },
            "required": ["url"],
            "additionalProperties": False,
        },
        call=call,
        timeout_s=config.timeout_s,
    )


class Fetcher:
    """Asks for pages; each redirect is checked as if it had been asked for."""

    def __init__(self, config: FetchConfig, resolve: Resolve) -> None:
        self._config = config
        self._hosts = AllowedHosts(config.allow, private=config.private)
        self._resolve = resolve
        self._tls: ssl.SSLContext | None = None

    async def fetch(self, address: str) -> dict[str, Any]:
        """A page: `{url, content_type, title, text, is_cut}`.

        Raises:
            ToolError: It may not be asked for, or did not answer with text.
        """
        url = _parse(address)
        for _ in range(self._config.max_redirects + 1):
            async with self._asked(url) as response:
                if response.status_code not in REDIRECTS or "location" not in response.headers:
                    return await self._page(url, response)
                url = _parse(str(url.join(response.headers["location"])))
        raise ToolError(f"{address[:200]} redirects more than {self._config.max_redirects} times")

    async def _page(self, url: httpx2.URL, response: httpx2.Response) -> dict[str, Any]:
        if response.status_code >= httpx2.codes.BAD_REQUEST:
            raise ToolError(f"{url} answered {response.status_code} {response.reason_phrase}".strip())
        kind = response.headers.get("content-type", "text/plain")
        body = await self._body(url, response)
        page = await asyncio.to_thread(read_text, body.content, kind)
        limit = self._config.max_chars
        return {
            "url": str(url),
            "content_type": kind,
            "title": page.title,
            "text": page.text[:limit],
            "is_cut": body.is_cut or len(page.text) > limit,
        }

    async def _body(self, url: httpx2.URL, response: httpx2.Response) -> Body:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ToolError(f"{url} answered with compressed content, which was not asked for")
        chunks, room = [], self._config.max_bytes
        async for chunk in response.aiter_raw():
            chunks.append(chunk[:room])
            room -= len(chunk)
            if room < 0:
                return Body(b"".join(chunks), is_cut=True)
        return Body(b"".join(chunks), is_cut=False)

    @asynccontextmanager
    async def _asked(self, url: httpx2.URL) -> AsyncIterator[httpx2.Response]:
        """The answer to a GET, from an address that was checked."""
        addresses = await self._addresses(url)
        self._tls = self._tls or httpx2.create_ssl_context()  # costs more than the rest of a request
        async with httpx2.AsyncClient(trust_env=False, timeout=self._config.timeout_s, verify=self._tls) as client:
            try:
                response = await _first(client, url, addresses)
            except httpx2.HTTPError as exc:
                raise ToolError(f"{url} could not be read: {exc or type(exc).__name__}") from None
            try:
                yield response
            except httpx2.HTTPError as exc:
                raise ToolError(f"{url} could not be read: {exc or type(exc).__name__}") from None
            finally:
                await response.aclose()

    async def _addresses(self, url: httpx2.URL) -> list[Address]:
        host, port = _host(url), _port(url)
        if not self._hosts.allows(host, port):
            raise ToolError(f"{host}:{port} may not be asked: it is not in tools.fetch.allow")
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise ToolError(f"There is no host {host}") from None
        if not found or not all(self._hosts.may_reach(host, address) for address in found):
            raise ToolError(f"{host} has an address in a private network (tools.fetch.private is off)")
        return found


async def _first(client: httpx2.AsyncClient, url: httpx2.URL, addresses: list[Address]) -> httpx2.Response:
    """The answer of the first address that can be reached. The name stays what TLS and the server are told."""
    for left, address in enumerate(addresses, 1 - len(addresses)):
        request = client.build_request(
            "GET",
            url.copy_with(host=str(address)),
            headers={
                "host": url.netloc.decode("ascii"),
                "accept": "text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1",
                "accept-encoding": "identity",  # what is unpacked here cannot be larger than what was sent
                "user-agent": f"antiphon/{__version__}",
            },
            extensions={"sni_hostname": _host(url)},
        )
        try:
            return await client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            if not left:
                raise
    raise AssertionError("there is at least one address")


def _parse(address: str) -> httpx2.URL:
    try:
        url = httpx2.URL(address.strip())
    except (httpx2.InvalidURL, UnicodeError) as exc:
        raise ToolError(f"{address[:200]!r} is no address of a page: {exc}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ToolError(f"{address[:200]!r} is no address of a page: it begins with http:// or https://")
    if url.userinfo:
        raise ToolError("An address with a user or a password in it is not asked for")
    return url.copy_with(fragment=None)


def _host(url: httpx2.URL) -> str:
    """As names are resolved: ASCII, without brackets."""
    return url.raw_host.decode("ascii").strip("[]")


def _port(url: httpx2.URL) -> int:
    return url.port or {"http": 80, "https": 443}[url.scheme]
