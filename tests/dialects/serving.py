"""A real server with a few functions, and a plain reader of event streams."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from tests.dialects import programs
from tests.live.real_server import RealServer
from tests.live.workspace import write_settings

DEADLINE_S = 30
NAMES = ("echo", "relay", "deploy", "choose", "given", "told", "fail")


def server_of(home: Path, **tables: Any) -> RealServer:
    """A server in this directory that offers the functions; not started."""
    shutil.copy(programs.__file__, home / "facade_programs.py")
    offered = {f"runnable.{name}": {"import": f"facade_programs:{name}"} for name in NAMES}
    return RealServer(home / "data", config=write_settings(home / "antiphon.toml", {**offered, **tables}))


@contextmanager
def functions_served(home: Path, **tables: Any) -> Iterator[RealServer]:
    """For all tests of a module."""
    server = server_of(home, **tables)
    asyncio.run(server.start())
    try:
        yield server
    finally:
        asyncio.run(server.kill())


class Stream:
    """The entries of a response, as they come."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.last_id = ""
        self._lines = response.aiter_lines()

    async def next(self) -> Any:
        """The next entry's data, `[DONE]` as it is; None at the end of the stream."""
        data = None
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name == "data":
                    data = value if value == "[DONE]" else json.loads(value)
                elif name == "id":
                    self.last_id = value
                elif not line and data is not None:
                    return data
        return None

    async def until(self, kind: str) -> Any:
        """The next entry of a type."""
        while (entry := await self.next()) is not None:
            if entry != "[DONE]" and entry["type"] == kind:
                return entry
        raise AssertionError(f"the stream ended before {kind}")

    async def rest(self) -> list[Any]:
        found = []
        while (entry := await self.next()) is not None:
            found.append(entry)
        return found


class Client:
    """HTTP to one server."""

    def __init__(self, server: RealServer, http: httpx2.AsyncClient) -> None:
        self.server = server
        self.http = http

    @classmethod
    @asynccontextmanager
    async def open(cls, server: RealServer) -> AsyncIterator[Client]:
        async with httpx2.AsyncClient(timeout=DEADLINE_S, base_url=server.url) as http:
            yield cls(server, http)

    @asynccontextmanager
    async def stream(self, method: str, path: str, *, status: int = 200, **options: Any) -> AsyncIterator[Stream]:
        async with self.http.stream(method, path, **options) as response:
            assert response.status_code == status, await response.aread()
            yield Stream(response)

    async def raw(self, method: str, path: str, **options: Any) -> bytes:
        """The whole response of a run that has ended."""
        response = await self.http.request(method, path, **options)
        assert response.status_code == 200, response.text
        return response.content

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        response = await self.http.request(method, path, **options)
        return response.status_code, response.json()
