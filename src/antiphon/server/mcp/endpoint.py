"""Where the MCP endpoint is: `/mcp`, streamable HTTP, behind the same door as everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.routing import Route

from antiphon.errors import MethodNotAllowed, NotFound
from antiphon.server.core import Core
from antiphon.server.door import Receive, Scope, Send, refuse

PATH = "/mcp"
SDK = ("mcp", "mcp_types")
_log = structlog.get_logger(__name__)

Handle = Callable[[Scope, Receive, Send], Awaitable[None]]


@asynccontextmanager
async def serving_mcp(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Serve MCP at `/mcp` of this app, while entered. Without the extra `mcp`, the path says what to install."""
    endpoint = _Endpoint(core)
    route = Route(PATH, endpoint=endpoint, include_in_schema=False)
    task = asyncio.create_task(endpoint.run(), name="mcp")
    app.router.routes.insert(0, route)
    try:
        yield
    finally:
        app.router.routes.remove(route)
        endpoint.stop()
        await asyncio.wait([task])


class _Endpoint:
    """Answers one request after another. The SDK is loaded for the first of them: most servers are never asked."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._stopped = asyncio.Event()
        self._handle: Handle | None = None  # None = not loaded yet, or it cannot be

    def stop(self) -> None:
        self._stopped.set()
        self._wanted.set()

    async def run(self) -> None:
        """Load the SDK when it is wanted, and hold its parts until stopped."""
        await self._wanted.wait()
        try:
            protocol = None if self._stopped.is_set() else await asyncio.to_thread(_load)
            if protocol is not None:
                async with protocol.handling(self._core) as self._handle:
                    self._ready.set()
                    await self._stopped.wait()
        finally:
            self._handle = None
            self._ready.set()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":  # nothing is told unasked, so there is no stream to open
            await refuse(scope, receive, send, MethodNotAllowed(f"{scope['method']} is not possible here: POST"))
            return
        self._wanted.set()
        await self._ready.wait()
        if self._handle is None:
            await refuse(scope, receive, send, NotFound("MCP needs an extra here: pip install 'antiphon[mcp]'"))
            return
        await self._handle(scope, receive, send)


def _load() -> Any:
    """The module that speaks MCP; None where the SDK is not installed, or does not load."""
    try:
        return import_module("antiphon.server.mcp.protocol")
    except ImportError as exc:
        if exc.name is None or exc.name.partition(".")[0] not in SDK:
            _log.exception("MCP cannot be served")
        return None
