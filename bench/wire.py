"""A server in a process of its own, and one plain client; no SDK, so that only the server is measured."""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import websockets


class Server:
    """`antiphon serve` on a data directory, on a port that was free."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.url = url
        self.live = url.replace("http:", "ws:") + "/live"
        self.pid = process.pid
        self._process = process

    @classmethod
    async def start(cls, data: Path, *, config: Path | None = None) -> Server:
        """Return as soon as it says that it listens."""
        settings = [] if config is None else ["--config", str(config)]
        command = [sys.executable, "-m", "antiphon", "serve", "--port", "0", "--data", str(data), *settings]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=data.parent)
        assert process.stdout is not None
        async for line in process.stdout:
            if found := re.search(rb"http://[\d.]+:\d+", line):
                return cls(process, found[0].decode())
        raise RuntimeError(f"the server ended with {await process.wait()}")

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(number)
        await self._process.wait()


@asynccontextmanager
async def serving(data: Path, *, config: Path | None = None) -> AsyncIterator[Server]:
    server = await Server.start(data, config=config)
    try:
        yield server
    finally:
        await server.end()


class Wire:
    """One `/live` socket whose answers are taken in the order in which they come."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def connect(cls, server: Server) -> AsyncIterator[Wire]:
        async with websockets.connect(server.live, max_size=None, max_queue=None, compression=None) as socket:
            await socket.recv()  # welcome
            yield cls(socket)

    async def send(self, method: str, **params: Any) -> None:
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        await self._socket.send(orjson.dumps(message), text=True)

    async def receive(self) -> Any:
        """The next message."""
        return orjson.loads(await self._socket.recv())

    async def call(self, method: str, **params: Any) -> Any:
        """The result of a request; nothing else may be under way."""
        await self.send(method, **params)
        return (await self.receive())["result"]
