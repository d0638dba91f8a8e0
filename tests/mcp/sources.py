"""Real MCP servers as sources of tools: the program of `program.py`, over both transports."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from tests.live.peers import DEADLINE_S
from tests.live.real_server import free_port

from antiphon.services.tools import McpConfig, Tools

PROGRAM = Path(__file__).with_name("program.py")


def stdio(notes: Path, **fields: Any) -> McpConfig:
    return McpConfig(command=(sys.executable, str(PROGRAM), "stdio"), env={"MCP_NOTES": str(notes)}, **fields)


class HttpProgram:
    """The program over HTTP; keeps its port when it is started again."""

    def __init__(self, notes: Path, **environ: str) -> None:
        self.port = free_port()
        self._environ = {**os.environ, "MCP_NOTES": str(notes), **environ}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    async def start(self) -> None:
        """Return once it answers."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), "http", str(self.port), env=self._environ
        )
        async with asyncio.timeout(DEADLINE_S), httpx2.AsyncClient() as client:
            while True:
                try:
                    await client.get(self.url)
                except httpx2.ConnectError:
                    await asyncio.sleep(0.05)
                else:
                    return

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def over_http(notes: Path, **environ: str) -> AsyncIterator[HttpProgram]:
    program = HttpProgram(notes, **environ)
    await program.start()
    try:
        yield program
    finally:
        await program.kill()


async def until_noted(notes: Path, line: str) -> None:
    """Wait until the program has written this line."""
    await until(lambda: notes.exists() and line in notes.read_text().splitlines())


async def until(found: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not found():  # noqa: ASYNC110  # files and rows tell nobody that they change
            await asyncio.sleep(0.02)


def source(tools: Tools) -> dict[str, Any]:
    """The row of the only server."""
    (row,) = tools.sources
    return row
