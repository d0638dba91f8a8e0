"""What a graph streams, part by part, said in a run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain_core.messages import ToolMessage

from antiphon.adapters.jsonable import from_text, jsonable
from antiphon.adapters.langgraph_messages import Messages
from antiphon.adapters.langgraph_values import Mirror
from antiphon.adapters.telling import Telling
from antiphon.client.run.face import Run

CUSTOM = "x.langgraph.custom"  # what a node writes to LangGraph's stream writer


class Stream:
    """Takes the parts of `graph.astream(..., version="v2", subgraphs=True)`, in order.

    Args:
        state: Whether the values become the run's state.
    """

    def __init__(self, run: Run, telling: Telling, *, state: bool) -> None:
        self.values: Any = None  # of the graph itself, as they were last
        self._place: tuple[str, ...] = ()  # where in the graph it comes from: (), or the graphs inside
        self._run = run
        self._telling = telling
        self._messages = Messages(telling)
        self._mirror = Mirror(run) if state else None
        self._steps: dict[str, str] = {}  # task ids and the nodes that are under way
        self._take: dict[str, Callable[[Any], Awaitable[None]]] = {
            "values": self._take_values,
            "messages": self._take_message,
            "tasks": self._take_task,
            "tools": self._take_tool,
            "custom": self._take_custom,
        }

    async def take(self, part: Mapping[str, Any]) -> None:
        """One part; of a kind that is not known, nothing is said."""
        take = self._take.get(part["type"])
        if take is not None:
            self._place = part["ns"]
            await take(part["data"])

    async def _take_values(self, values: Any) -> None:
        if self._place:  # of a graph inside: they reach the outer one when it ends
            return
        self.values = values
        if self._mirror is not None:
            await self._mirror.show(values)

    async def _take_message(self, data: Any) -> None:
        message, about = data
        if isinstance(message, ToolMessage):
            await self._tool_answered(message)
        else:
            await self._messages.take(message, about)

    # Steps

    async def _take_task(self, task: Mapping[str, Any]) -> None:
        if "triggers" in task:
            self._steps[task["id"]] = " > ".join([*(part.partition(":")[0] for part in self._place), task["name"]])
            await self._run.progress(None, ", ".join(self._steps.values()))
            return
        step = self._steps.pop(task["id"], task["name"])
        await self._messages.end_task(task["id"], failed=task["error"] is not None)
        if task["error"] is not None:
            await self._run.log(f"{step} failed: {task['error']}", "error")

    async def _take_custom(self, data: Any) -> None:
        await self._run.emit(CUSTOM, jsonable(data))

    # Tools

    async def _take_tool(self, tool: Mapping[str, Any]) -> None:
        call_id = tool["tool_call_id"]
        match tool["event"]:
            case "tool-started":
                await self._telling.begin_tool(call_id, tool["tool_name"], jsonable(tool.get("input")))
                await self._telling.execute(call_id)
            case "tool-output-delta":
                await self._telling.progress(call_id, str(tool["delta"]))
            case "tool-error":
                await self._telling.fail_tool(call_id, tool["message"])
            case "tool-finished":
                await self._tool_returned(call_id, tool["output"])

    async def _tool_returned(self, call_id: str, output: Any) -> None:
        if isinstance(output, ToolMessage):
            await self._tool_answered(output, call_id)
        else:
            await self._telling.end_tool(call_id, jsonable(output))

    async def _tool_answered(self, message: ToolMessage, call_id: str | None = None) -> None:
        """A tool's answer as the model reads it; it may come from a node that calls tools in its own way."""
        call_id = message.tool_call_id if call_id is None else call_id
        if message.status == "error":
            await self._telling.fail_tool(call_id, str(message.text))
        else:
            content = message.content
            await self._telling.end_tool(call_id, from_text(content) if isinstance(content, str) else content)
