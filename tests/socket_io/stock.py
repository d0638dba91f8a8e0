"""The stock JavaScript client under remote control, and a proxy that cuts connections."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "node"
WITHIN_S = 15


class Stock:
    """One Node process with any number of clients; each has an id."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._told: dict[str, list[dict[str, Any]]] = {}

    def do(self, command: str, client: str = "a", **more: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, "id": client, **more}).encode() + b"\n")

    def open(self, url: str, client: str = "a", version: str = "newest", **options: Any) -> None:
        self.do("open", client, version=version, url=url, options=options)

    def emit(self, event: str, *args: Any, client: str = "a", **more: Any) -> None:
        self.do("emit", client, event=event, args=args, **more)

    async def next(self, what: str, client: str = "a", **wanted: Any) -> dict[str, Any]:
        """The next thing of this kind that a client tells; other kinds are kept for later, in order."""
        kept = self._told.setdefault(client, [])
        at = 0
        async with asyncio.timeout(WITHIN_S):
            while True:
                while at < len(kept):
                    if kept[at]["what"] == what and wanted.items() <= kept[at].items():
                        return kept.pop(at)
                    at += 1
                await self._read()

    async def heard(self, event: str, client: str = "a") -> list[Any]:
        found: list[Any] = (await self.next("event", client, event=event))["args"]
        return found

    async def _read(self) -> None:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the clients' process has ended"
        found = json.loads(line)
        self._told.setdefault(found["id"], []).append(found)


@asynccontextmanager
async def stock() -> AsyncIterator[Stock]:
    node = shutil.which("node")
    assert node is not None, "`make javascript` installs what this needs"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(node, FOLDER / "remote.mjs", stdin=pipe, stdout=pipe, limit=1 << 24)
    try:
        yield Stock(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Proxy:
    """Passes bytes on, until it is told to cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.Task[None] | None] = set()
        self._is_closed = False
        self.port = 0
        self.passing = asyncio.Event()  # cleared = nothing arrives, and nobody is told
        self.passing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = {writer}
        self._open.add(task := asyncio.current_task())
        try:
            if self._is_closed:
                return
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
            writers.add(up_writer)
            self._writers |= writers
            await asyncio.gather(self._pass(reader, up_writer), self._pass(up_reader, writer))
        finally:
            self._writers -= writers
            self._open.discard(task)
            for each in writers:
                each.transport.abort()

    async def close(self) -> None:
        """Nobody is passed on any more."""
        self._is_closed = True
        self.passing.set()
        while self._open:
            self.cut()
            await asyncio.sleep(0)  # also those that are about to begin

    def cut(self) -> None:
        """Drop every connection without a word."""
        for writer in self._writers:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self.passing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def proxied(port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await asyncio.sleep(0)
        await proxy.close()
        await server.wait_closed()
