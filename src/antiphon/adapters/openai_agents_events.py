"""The events of a streamed answer of the OpenAI Agents SDK, said in a run."""

from __future__ import annotations

from typing import Any

from agents import (
    AgentUpdatedStreamEvent,
    RawResponsesStreamEvent,
    RunItemStreamEvent,
    StreamEvent,
    Usage,
    default_tool_error_function,
)

from antiphon.adapters.jsonable import from_text, jsonable
from antiphon.adapters.openai_agents_responses import Responses, field
from antiphon.adapters.telling import Telling
from antiphon.client.run.face import Run

_RETURNED = ("tool_output", "handoff_occured")  # the library's spelling
_FAILED = default_tool_error_function(None, Exception())  # type: ignore[arg-type]  # always the same words


class Relay:
    """Takes the library's events, and what its hooks tell; one for all turns of an answer."""

    def __init__(self, run: Run, telling: Telling) -> None:
        self._run = run
        self._telling = telling
        self._responses = Responses(telling)
        self._early: dict[str, Any] = {}  # results of calls whose arguments we have not said yet

    async def take(self, event: StreamEvent) -> None:
        """One event."""
        match event:
            case RawResponsesStreamEvent():
                await self._responses.take(event.data)
                await self._catch_up()
            case RunItemStreamEvent():
                await self._take_item(event.name, event.item)
            case AgentUpdatedStreamEvent():
                await self._run.progress(None, event.new_agent.name)

    async def end(self, usage: Usage) -> None:
        """The stream has ended; the totals count agents that were tools too."""
        await self._responses.say_usage(
            {
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "total_tokens": usage.total_tokens,
            }
        )

    async def _take_item(self, name: str, item: Any) -> None:
        if name in _RETURNED:
            call_id = field(item.raw_item, "call_id")
            await self._end_tool(call_id, getattr(item, "output", None) or field(item.raw_item, "output"))

    # What hooks tell, from the library's own task: perhaps before all events that came earlier were taken

    async def executes(self, call_id: str | None) -> None:
        """A tool is called now."""
        if call_id is not None:
            await self._telling.execute(call_id)

    async def returned(self, call_id: str | None, result: Any) -> None:
        """A tool has returned."""
        if call_id is None:
            return
        if self._responses.is_said(call_id):
            await self._end_tool(call_id, result)
        else:
            self._early[call_id] = result

    async def refused(self, call_id: str | None, words: str) -> None:
        """A tool will not be called."""
        if call_id is not None:
            await self._telling.fail_tool(call_id, words, "Rejected")

    async def _catch_up(self) -> None:
        for call_id in [call_id for call_id in self._early if self._responses.is_said(call_id)]:
            await self._end_tool(call_id, self._early.pop(call_id))

    async def _end_tool(self, call_id: str | None, result: Any) -> None:
        if call_id is None:
            return
        if result == _FAILED:
            await self._telling.fail_tool(call_id, _FAILED)
        else:
            await self._telling.end_tool(call_id, from_text(result) if isinstance(result, str) else jsonable(result))
