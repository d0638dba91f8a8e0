"""A connection to one MCP server, and the news that it has ended."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import anyio
import httpx2
import structlog
from mcp import Client, StdioServerParameters
from mcp.client.session import IncomingMessage
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation, ToolListChangedNotification

from antiphon import __version__
from antiphon.services.tools.config import McpConfig

HTTP_TIMEOUT_S = 30.0
IDLE_S = 300.0  # a stream of a server may say nothing for so long
MAX_LINE = 4000  # of what a program says on stderr

_log = structlog.get_logger(__name__)
Streams = tuple[Any, Any]


class MissingVariable(Exception):
    """An environment variable that the settings name is not set."""


@asynccontextmanager
async def connected(
    name: str, config: McpConfig, workspace: Path, *, lost: Callable[[], None], changed: Callable[[], None]
) -> AsyncIterator[Client]:
    """A client that has shaken hands.

    Args:
        lost: Called when the server is gone.
        changed: Called when the server says that it has other tools now.
    Raises:
        MissingVariable, OSError, MCPError, httpx2.HTTPError: perhaps in groups.
    """
    transport = _program(name, config, workspace) if config.command is not None else _http(config)

    async def heard(message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            changed()

    client = Client(
        _Watched(transport, lost),
        message_handler=heard,
        client_info=Implementation(name="antiphon", version=__version__),
        cache=None,  # a listing is asked for because it has changed
    )
    async with client:
        yield client


@asynccontextmanager
async def _program(name: str, config: McpConfig, workspace: Path) -> AsyncIterator[Streams]:
    assert config.command is not None
    parameters = StdioServerParameters(
        command=config.command[0],
        args=list(config.command[1:]),
        env={variable: _variable(variable) for variable in config.env_from} | dict(config.env),
        cwd=workspace if config.cwd is None else workspace / config.cwd,
    )
    with _logged(name) as errors:
        async with stdio_client(parameters, errlog=errors) as streams:
            yield streams


@asynccontextmanager
async def _http(config: McpConfig) -> AsyncIterator[Streams]:
    assert config.url is not None
    headers = {name: _variable(variable) for name, variable in config.headers_env.items()}
    timeout = httpx2.Timeout(HTTP_TIMEOUT_S, read=max(IDLE_S, config.timeout_s))
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout) as client,
        streamable_http_client(config.url, http_client=client) as streams,
    ):
        yield streams


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise MissingVariable(f"the environment variable {name} is not set")
    return value


@contextmanager
def _logged(name: str) -> Iterator[TextIO]:
    """A file whose lines go to the server's own log."""
    reading, writing = os.pipe()
    threading.Thread(target=_log_lines, args=(name, reading), name=f"mcp {name} stderr", daemon=True).start()
    with os.fdopen(writing, "w") as file:
        yield file


def _log_lines(name: str, descriptor: int) -> None:
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            _log.info("an MCP server says", server=name, line=line.rstrip()[:MAX_LINE])


class _Watched:
    """A transport that says when what it reads has come to its end."""

    def __init__(self, transport: AbstractAsyncContextManager[Streams], lost: Callable[[], None]) -> None:
        self._transport = transport
        self._lost = lost

    async def __aenter__(self) -> Streams:
        reading, writing = await self._transport.__aenter__()
        return _WatchedStream(reading, self._lost), writing

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._transport.__aexit__(kind, error, trace)


class _WatchedStream:
    def __init__(self, stream: Any, lost: Callable[[], None]) -> None:
        self._stream = stream
        self._lost = lost

    @property
    def last_context(self) -> Any:
        """In which context the last message was sent; the SDK looks for it."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> Any:
        try:
            return await self._stream.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            self._lost()
            raise

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
