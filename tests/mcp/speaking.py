"""A real MCP client, of the official SDK, at the endpoint of a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent
from tests.live.peers import DEADLINE_S
from tests.live.real_server import RealServer

ERAS = ("legacy", "auto")  # with a handshake, and since 2026-07-28 without one


@asynccontextmanager
async def speaking(server: RealServer, token: str | None = None, *, mode: str = "auto") -> AsyncIterator[Client]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=DEADLINE_S) as http,
        Client(streamable_http_client(f"{server.url}/mcp", http_client=http), mode=mode, cache=None) as client,
    ):
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """What a tool returns; its text says the same."""
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found.content
    assert isinstance(found.content[0], TextContent)
    return found.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The facts of a tool's error."""
    found = await client.call_tool(tool, arguments)
    assert found.is_error, found.structured_content
    facts: dict[str, Any] = found.structured_content
    return facts
