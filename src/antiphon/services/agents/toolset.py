"""The registered tools, as pydantic-ai wants them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic_ai import ModelRetry, RunContext, ToolFailed
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
from pydantic_core import SchemaValidator, core_schema

from antiphon.adapters.pydantic_ai_events import ToolProgress
from antiphon.errors import InputError, NotFound, ToolError
from antiphon.services.agents.registry import Registry
from antiphon.services.tools import Tool, ToolContext

_ANYTHING = SchemaValidator(schema=core_schema.any_schema())  # the registry checks arguments against the schema


class RegisteredTools(AbstractToolset[Any]):
    """Some registered tools, on behalf of one run.

    Args:
        needs_approval: Which of them a person has to approve.
    """

    def __init__(
        self, registry: Registry, tools: Sequence[Tool], run_id: str, needs_approval: Callable[[Tool], bool]
    ) -> None:
        self.draining: list[str] = []  # tools whose work goes on although their call was cancelled
        self._registry = registry
        self._tools = {tool.name: tool for tool in tools}
        self._run_id = run_id
        self._needs_approval = needs_approval

    @property
    def id(self) -> str | None:
        return None

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:  # noqa: ARG002 - the library's
        return {
            name: ToolsetTool(toolset=self, tool_def=self._definition(tool), max_retries=2, args_validator=_ANYTHING)
            for name, tool in self._tools.items()
        }

    def _definition(self, tool: Tool) -> ToolDefinition:
        return ToolDefinition(
            name=tool.name,
            description=tool.description,
            parameters_json_schema=tool.parameters,
            kind="unapproved" if self._needs_approval(tool) else "function",
        )

    async def call_tool(
        self,
        name: str,
        tool_args: dict[str, Any],
        ctx: RunContext[Any],
        tool: ToolsetTool[Any],  # noqa: ARG002
    ) -> Any:
        if not isinstance(tool_args, dict):
            raise ModelRetry("The arguments must be a JSON object")
        context = ToolContext(self._run_id, _progress(ctx), lambda work: self._drains(name, work))
        try:
            return await self._registry.call(name, tool_args, context)
        except InputError as error:
            where = f" ({error.pointer.removeprefix('/params/arguments')})" if error.pointer else ""
            raise ModelRetry(f"{error.message}{where}") from error
        except (ToolError, NotFound) as error:
            raise ToolFailed(error.message) from error

    def _drains(self, name: str, work: asyncio.Future[Any]) -> None:
        if not work.done():
            self.draining.append(name)


def _progress(ctx: RunContext[Any]) -> Callable[[float | None, str | None], Awaitable[None]]:
    async def said(done: float | None, line: str | None) -> None:
        await ctx.emit(ToolProgress(progress=done, message=line))

    return said
