"""Keeps a connection to one MCP server, and calls its tools.

    connecting -> connected -> failed -> connecting -> ...        stopped at the end

One task owns the connection. After a failure it waits, longer each time; a call that comes meanwhile makes it try at
once, and waits for the outcome of that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio
import mcp_types as types
import structlog
from mcp import Client, MCPError
from mcp.client.subscriptions import SubscriptionLost
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from antiphon.errors import AntiphonError, ToolError
from antiphon.services.backoff import Backoff
from antiphon.services.tools.config import McpConfig
from antiphon.services.tools.mcp_servers.connection import connected
from antiphon.services.tools.mcp_servers.conversion import result_of, tool_of
from antiphon.services.tools.tool import Tool
from antiphon.services.tools.values import ToolContext

State = Literal["connecting", "connected", "failed", "stopped"]
Offer = Callable[[str, list[Tool]], None]

MAX_TOOLS = 1000
MAX_PAGES = 100
STABLE_S = 10.0  # a connection that lasted so long begins again with the shortest wait
ENDED = "the connection ended"
_log = structlog.get_logger(__name__)


class McpServer:
    """One server of the settings; `run` is its life.

    Args:
        offer: Given the source and its tools, whenever they are known anew.
        workspace: Directory in which a program runs, and from which a relative `cwd` counts.
    """

    def __init__(self, name: str, config: McpConfig, workspace: Path, offer: Offer) -> None:
        self.name = name
        self._config = config
        self._workspace = workspace
        self._offer = offer
        self._state: State = "connecting"
        self._error: str | None = None
        self._since = time.time()
        self._tools = 0
        self._program: str | None = None  # what the server calls itself
        self._client: Client | None = None
        self._attempt = asyncio.Event()  # whether the attempt under way, or else the next, has come to an outcome
        self._wake = asyncio.Event()
        self._scope: anyio.CancelScope | None = None  # while it runs
        self._is_stopped = False
        self._stood_s = 0.0  # seconds for which the last connection was one

    @property
    def source(self) -> str:
        return f"mcp:{self.name}"

    def row(self) -> dict[str, Any]:
        """What clients see of it. `since` is a Unix time in seconds."""
        return {
            "name": self.name,
            "source": self.source,
            "kind": "stdio" if self._config.command is not None else "http",
            "state": self._state,
            "error": self._error,
            "tools": self._tools,
            "server": self._program,
            "since": self._since,
        }

    async def settled(self) -> None:
        """Wait until the attempt under way has succeeded or failed, which has its time limit."""
        if self._state == "connecting":
            await self._attempt.wait()

    def stop(self) -> None:
        """End `run`; a program is asked to end, then killed."""
        self._is_stopped = True
        if self._scope is not None:
            self._scope.cancel()

    async def run(self) -> None:
        """Connect, and connect again, until stopped."""
        backoff = Backoff(initial_s=0.5, max_s=30.0)
        try:
            with anyio.CancelScope() as self._scope:
                while not self._is_stopped:
                    await self._connect()
                    if self._stood_s > STABLE_S:
                        backoff.reset()
                    with anyio.move_on_after(backoff.next_s()):
                        await self._wake.wait()
        finally:
            self._become("stopped", None)
            self._attempt.set()

    async def _connect(self) -> None:
        self._become("connecting", self._error)
        self._wake.clear()
        self._stood_s, attempt = 0.0, self._attempt
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + self._config.connect_timeout_s) as limit:
                await self._converse(limit)
            error = "it did not answer in time" if limit.cancelled_caught else ENDED
        except Exception as exc:  # a server may fail in any way, and is tried again
            error = self._reason(exc)
        _log.warning("an MCP server is not connected", server=self.name, error=error)
        self._become("failed", error)
        if self._attempt is attempt:  # it never stood
            self._attempt = asyncio.Event()
            attempt.set()

    async def _converse(self, limit: anyio.CancelScope) -> None:
        """Returns when the connection has ended. Until it stands, `limit` has a deadline."""
        lost, changed = anyio.Event(), asyncio.Event()
        async with (
            connected(self.name, self._config, self._workspace, lost=lost.set, changed=changed.set) as client,
            anyio.create_task_group() as group,
        ):
            await self._list(client)
            limit.deadline = float("inf")
            group.start_soon(self._follow, client, changed)
            group.start_soon(self._listen, client, changed)
            with self._serving(client):
                await lost.wait()
            group.cancel_scope.cancel()

    @contextmanager
    def _serving(self, client: Client) -> Iterator[None]:
        info, began = client.server_info, time.monotonic()
        self._program = None if info is None else f"{info.name} {info.version}".strip()
        self._client = client
        self._become("connected", None)
        self._attempt.set()
        try:
            yield
        finally:
            self._attempt = asyncio.Event()
            self._client = None
            self._stood_s = time.monotonic() - began
            self._become("failed", ENDED)

    async def _listen(self, client: Client, changed: asyncio.Event) -> None:
        """Since 2026-07-28 a server tells of other tools only whoever has asked for it."""
        tools = client.server_capabilities.tools
        if client.protocol_version not in MODERN_PROTOCOL_VERSIONS or tools is None or not tools.list_changed:
            return
        try:
            async with client.listen(tools_list_changed=True) as news:
                changed.set()  # perhaps they did, before it listened
                async for _ in news:
                    changed.set()
        except (MCPError, SubscriptionLost) as exc:
            _log.warning("an MCP server tells no more of other tools", server=self.name, error=self._reason(exc))

    async def _follow(self, client: Client, changed: asyncio.Event) -> None:
        """List the tools again whenever they have changed."""
        while True:
            await changed.wait()
            changed.clear()
            try:
                await self._list(client)
            except (MCPError, ValidationError) as exc:
                _log.warning("an MCP server does not list its tools", server=self.name, error=self._reason(exc))

    async def _list(self, client: Client) -> None:
        found: list[types.Tool] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None or len(found) >= MAX_TOOLS:
                break
        tools = [tool_of(self.name, self._config, tool, partial(self._call, tool.name)) for tool in found[:MAX_TOOLS]]
        self._tools = len(tools)
        self._offer(self.source, tools)

    async def _call(self, tool: str, context: ToolContext, arguments: dict[str, Any]) -> Any:
        """Cancelling this tells the server."""
        client = await self._connected()

        async def tell(progress: float, total: float | None, message: str | None) -> None:
            try:
                await context.progress(progress / total if total else None, message)
            except AntiphonError as exc:  # the run is ending: that reaches the call on another way
                _log.debug("progress was not told", server=self.name, error=exc.message)

        try:
            result = await client.call_tool(tool, arguments, progress_callback=tell)
        except MCPError as exc:
            if exc.code == types.CONNECTION_CLOSED:
                raise ToolError(f"The MCP server {self.name!r} went away during the call") from None
            raise ToolError(f"The MCP server {self.name!r} refused the call: {exc.message}") from None
        except (RuntimeError, ValidationError) as exc:
            raise ToolError(f"The MCP server {self.name!r} answered wrongly: {str(exc)[:300]}") from None
        return result_of(result)

    async def _connected(self) -> Client:
        """Raises ToolError: the server cannot be reached, tried just now."""
        if self._client is None and not self._is_stopped:
            if self._state == "failed":
                self._wake.set()
            await self._attempt.wait()
        if self._client is None:
            raise ToolError(f"The MCP server {self.name!r} is not connected: {self._error or 'it was stopped'}")
        return self._client

    def _become(self, state: State, error: str | None) -> None:
        self._state, self._error, self._since = state, error, time.time()

    def _reason(self, error: BaseException) -> str:
        """In one line, without the address: it may hold a key."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, MCPError) and error.code == types.CONNECTION_CLOSED:
            return ENDED
        text = str(error) or type(error).__name__
        return text.replace(self._config.url, "its address")[:300] if self._config.url else text[:300]
