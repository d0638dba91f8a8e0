"""A small web server for `fetch`: pages of all kinds, on a free port of this machine."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HTML = """<!doctype html><html><head><title>A &amp; B</title><style>p { color: red }</style></head>
<body><h1>Hello</h1><p>one <b>two</b>
three</p><script>if (1 < 2) alert("no")</script><ul><li>a<li>b</ul><table><tr><td>c<td>d</table></body></html>"""


@dataclass
class Pages:
    """The server, and what it was asked."""

    port: int = 0
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)  # path and headers
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)  # whether somebody left while waiting at /slow

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving_pages() -> AsyncIterator[Pages]:
    pages = Pages()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _answer(pages, reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    pages.port = server.sockets[0].getsockname()[1]
    async with server:
        yield pages


async def _answer(pages: Pages, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return
    path = head[0].split(" ")[1]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    pages.asked.append((path, headers))
    if path == "/slow":
        await reader.read()  # until the client hangs up
        pages.hung_up.set()
        return
    if path == "/endless":
        await _endless(writer)
        return
    status, sent, body = _page(pages, path)
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *(f"{k}: {v}" for k, v in sent.items()), "", ""]
    writer.write("\r\n".join(lines).encode("latin-1") + body)
    await writer.drain()


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
    try:
        while True:
            writer.write(b"more " * 1000)
            await writer.drain()
    except ConnectionError:
        return


def _page(pages: Pages, path: str) -> tuple[str, dict[str, str], bytes]:
    html = {"content-type": "text/html; charset=utf-8"}
    if path.startswith("/to?"):
        return "302 Found", {"location": path.removeprefix("/to?")}, b""
    if path.startswith("/around/"):
        return "301 Moved", {"location": f"{int(path.rsplit('/', 1)[1]) + 1}"}, b""
    found: dict[str, tuple[str, dict[str, str], bytes]] = {
        "/": ("200 OK", html, HTML.encode()),
        "/plain": ("200 OK", {"content-type": "text/plain"}, b"  just\n text"),
        "/json": ("200 OK", {"content-type": "application/json"}, b'{"a": 1}'),
        "/image": ("200 OK", {"content-type": "image/png"}, b"\x89PNG"),
        "/latin": ("200 OK", {"content-type": "text/html; charset=iso-8859-1"}, "<p>Stra\u00dfe".encode("latin-1")),
        "/meta": ("200 OK", {"content-type": "text/html"}, b'<meta charset="windows-1252"><p>\x80 5'),
        "/odd": ("200 OK", {"content-type": "text/plain; charset=no-such"}, "\u20ac".encode()),
        "/zipped": ("200 OK", {"content-encoding": "gzip"}, gzip.compress(b"x" * 10**6)),
    }
    return found.get(path, ("404 Not Found", {"content-type": "text/plain"}, b"no"))
