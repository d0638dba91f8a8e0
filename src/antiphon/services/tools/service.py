"""The registry of tools: what there is, and calls by name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import structlog
from pydantic_core import PydanticSerializationError, to_jsonable_python

from antiphon.errors import AntiphonError, ConflictError, InputError, InvalidParams, NotFound, SettingsError, ToolError
from antiphon.services.schemas import check_schema, check_value
from antiphon.services.tools.calculator import CALCULATOR
from antiphon.services.tools.clock import clock_tool
from antiphon.services.tools.config import McpConfig, ToolsConfig
from antiphon.services.tools.documents import Documents
from antiphon.services.tools.fetching import fetch_tool
from antiphon.services.tools.signatures import ARGUMENTS
from antiphon.services.tools.tool import Tool
from antiphon.services.tools.values import TOOL_NAME_PATTERN, ToolContext

if TYPE_CHECKING:
    from antiphon.services.tools.mcp_servers import McpServer

_log = structlog.get_logger(__name__)


class Tools:
    """All tools, by name, while entered.

    Args:
        config: Which tools the server brings along; None = the defaults.
        workspace: Directory from which relative folders count.
        mcp: Servers whose tools are offered too, by name.
    """

    def __init__(
        self, config: ToolsConfig | None = None, workspace: Path = Path(), *, mcp: Mapping[str, McpConfig] | None = None
    ) -> None:
        self._config = config or ToolsConfig()
        self._workspace = workspace
        self._unchecked: set[str] = set()  # whose schemas cannot be checked here; their servers do it
        self._inside = AsyncExitStack()
        self._tools: dict[str, Tool] = {tool.name: tool for tool in (CALCULATOR, clock_tool(self._config.clock))}
        self._servers = self._open_servers(mcp) if mcp else {}
        self._documents = self._open_documents()
        if self._config.fetch is not None:
            self.register(fetch_tool(self._config.fetch))
        self._draining: dict[asyncio.Future[Any], dict[str, Any]] = {}

    def register(self, tool: Tool) -> None:
        """Offer a tool from now on.

        Raises:
            ConflictError: The name is taken.
            InvalidParams: No tool can have this name, or its parameters are no JSON Schema.
        """
        if not re.fullmatch(TOOL_NAME_PATTERN, tool.name):
            raise InvalidParams(f"{tool.name[:80]!r} is no name of a tool: 1 to 64 of A-Z a-z 0-9 _ -", pointer="/name")
        if tool.name in self._tools:
            raise ConflictError(f"there is a tool {tool.name!r} already")
        check_schema(tool.parameters, at="/parameters")
        self._tools[tool.name] = tool

    def _offer(self, source: str, tools: list[Tool]) -> None:
        """A server's tools as they are now. A name that is taken, also by another server's, stays whose it was."""
        for tool in [tool for tool in self._tools.values() if tool.source == source]:
            del self._tools[tool.name]
            self._unchecked.discard(tool.name)
        for tool in tools:
            if tool.name in self._tools:
                _log.warning("a tool's name is taken", tool=tool.name, source=source)
                continue
            try:
                check_schema(tool.parameters, at="/parameters")
            except InvalidParams as exc:
                _log.info("a tool's arguments are checked by its server only", tool=tool.name, why=exc.message)
                self._unchecked.add(tool.name)
            self._tools[tool.name] = tool

    def get(self, name: str) -> Tool:
        """Raises NotFound."""
        tool = self._tools.get(name)
        if tool is None:
            raise NotFound(f"Tool not found: {name[:80]}")
        return tool

    def select(self, patterns: Sequence[str]) -> list[Tool]:
        """The tools that are meant, each once, in the order of the patterns.

        Args:
            patterns: Names; `mcp:NAME` = all of that server as known now, perhaps none; `*` = all.
        Raises:
            NotFound: There is no such tool, or no such server.
        """
        found: dict[str, Tool] = {}
        for pattern in patterns:
            found |= {tool.name: tool for tool in self._matching(pattern)}
        return list(found.values())

    async def prepare(self, patterns: Sequence[str]) -> list[Tool]:
        """`select`, once the servers that may have the tools have answered, or have failed to in their time."""
        has_unknown = not all(pattern in self._tools for pattern in patterns if not pattern.startswith("mcp:"))
        for server in self._servers.values():
            if has_unknown or server.source in patterns:
                await server.settled()
        return self.select(patterns)

    def _matching(self, pattern: str) -> list[Tool]:
        if pattern == "*":
            return list(self._tools.values())
        if any(server.source == pattern for server in self._servers.values()):
            return [tool for tool in self._tools.values() if tool.source == pattern]
        return [self.get(pattern)]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What clients see: `{name, description, parameters, needs_approval, source}` of each, sorted by name."""
        return [self._tools[name].row() for name in sorted(self._tools)]

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The MCP servers: `{name, source, kind, state, error, tools, server, since}` of each, sorted by name.

        `state` is connecting, connected, failed (it is tried again) or stopped; `error` says why it failed last.
        """
        return [self._servers[name].row() for name in sorted(self._servers)]

    @property
    def draining(self) -> list[dict[str, Any]]:
        """Calls that have ended while their work goes on in a thread: `{name, run_id}`."""
        return list(self._draining.values())

    async def call(self, name: str, arguments: Mapping[str, Any], context: ToolContext | None = None) -> Any:
        """Call a tool; what it returns is JSON.

        Cancelling this ends the work too, or lists it as draining.

        Raises:
            NotFound: There is no such tool.
            InvalidParams: The arguments do not fit; the pointer begins with `/params/arguments`.
            ToolError: The tool says why it failed, took too long, or gave no JSON.
        """
        tool = self.get(name)
        given = dict(arguments)
        if name not in self._unchecked:
            check_value(tool.parameters, given, at=ARGUMENTS)
        context = context or ToolContext()
        heard = context._replace(draining=partial(self._drains, name, context))
        try:
            async with asyncio.timeout(tool.timeout_s) as limit:
                result = await tool.call(heard, given)
        except TimeoutError:
            if limit.expired():
                raise ToolError(f"{name} took longer than {tool.timeout_s:g} seconds") from None
            raise ToolError(f"{name} failed: something it waited for took too long") from None
        except (ToolError, InputError):
            raise
        except AntiphonError as exc:
            raise ToolError(f"{name} failed: {exc.message}") from exc
        except Exception as exc:
            _log.warning("a tool failed", tool=name, exc_info=True)
            raise ToolError(f"{name} failed: {type(exc).__name__}: {exc}") from exc
        return _json(name, result)

    def _drains(self, name: str, context: ToolContext, work: asyncio.Future[Any]) -> None:
        context.draining(work)
        self._draining[work] = {"name": name, "run_id": context.run_id}
        work.add_done_callback(lambda done: self._draining.pop(done, None))

    def _open_documents(self) -> Documents | None:
        config = self._config.documents
        if config is None:
            return None
        documents = Documents(config, self._workspace / config.folder)
        for tool in documents.tools:
            self.register(tool)
        return documents

    def _open_servers(self, mcp: Mapping[str, McpConfig]) -> dict[str, McpServer]:
        try:
            module = import_module("antiphon.services.tools.mcp_servers")
        except ModuleNotFoundError as exc:
            if exc.name not in ("mcp", "mcp_types"):
                raise
            first = min(mcp)
            raise SettingsError(f"[mcp.{first}] needs an extra: pip install 'antiphon[mcp]'") from None
        return {name: module.McpServer(name, config, self._workspace, self._offer) for name, config in mcp.items()}

    async def __aenter__(self) -> Self:
        """Begin to index and to connect."""
        if self._documents is not None:
            await self._inside.enter_async_context(self._documents)
        if self._servers:
            tasks = [asyncio.create_task(server.run(), name=server.source) for server in self._servers.values()]
            self._inside.push_async_callback(asyncio.wait, tasks)
        for server in self._servers.values():
            self._inside.callback(server.stop)  # all of them, before the first is waited for
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop indexing, and end the servers."""
        await self._inside.aclose()


def _json(name: str, result: Any) -> Any:
    try:
        return to_jsonable_python(result, inf_nan_mode="null")
    except (PydanticSerializationError, ValueError, RecursionError) as exc:
        raise ToolError(f"{name} gave no JSON: {exc}") from exc
