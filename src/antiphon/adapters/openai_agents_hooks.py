"""Hooks of the OpenAI Agents SDK: when a tool begins and ends, beside hooks of the user's own."""

from __future__ import annotations

from typing import Any

from agents import RunHooks

from antiphon.adapters.openai_agents_events import Relay


class Hooks(RunHooks[Any]):
    """Tells the relay about tools, and passes everything on.

    The library's events tell of results when all tools of a turn have ended; its hooks tell of each at once.
    """

    def __init__(self, relay: Relay, own: RunHooks[Any] | None) -> None:
        self._relay = relay
        self._own: RunHooks[Any] = RunHooks() if own is None else own

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        await self._relay.executes(getattr(context, "tool_call_id", None))
        await self._own.on_tool_start(context, agent, tool)

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        await self._relay.returned(getattr(context, "tool_call_id", None), result)
        await self._own.on_tool_end(context, agent, tool, result)

    async def on_llm_start(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_llm_start(*args, **kwargs)

    async def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_llm_end(*args, **kwargs)

    async def on_agent_start(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_agent_start(*args, **kwargs)

    async def on_agent_end(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_agent_end(*args, **kwargs)

    async def on_handoff(self, *args: Any, **kwargs: Any) -> None:
        await self._own.on_handoff(*args, **kwargs)
