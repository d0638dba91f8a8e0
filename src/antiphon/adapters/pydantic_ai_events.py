"""What a pydantic-ai agent streams, said in a run. Needs pydantic-ai; see `antiphon.adapters.pydantic_ai`."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterable, AsyncIterator, Collection
from typing import Any

from pydantic_ai import AgentStreamEvent
from pydantic_ai.messages import (
    BaseToolCallPart,
    BaseToolReturnPart,
    CustomEvent,
    DeferredToolResultsEvent,
    FilePart,
    ModelResponsePart,
    NativeToolReturnPart,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallEvent,
    ToolCallPartDelta,
    ToolResultEvent,
)
from pydantic_ai.tools import ToolDenied
from pydantic_ai.usage import RunUsage

from antiphon.adapters.jsonable import jsonable
from antiphon.adapters.telling import Telling
from antiphon.client.run.face import Role, Run

CLIENT_TOOL = "x.client_tool"
_KINDS = {"failed": "ToolError", "denied": "ToolDenied", "retried": "ToolRetry", "interrupted": "ToolInterrupted"}


@dataclasses.dataclass(kw_only=True)
class ToolProgress(CustomEvent, name="tool_progress"):
    """How far a tool is: `await ctx.emit(ToolProgress(progress=0.5, message="half of it"))` inside of one."""

    progress: float | None = None  # 0 to 1; None = not known
    message: str | None = None


Key = tuple[int, int]  # which response, and which of its parts


class Relay:
    """Says the events of one answer.

    Args:
        client_tools: Tools that somebody else executes: their calls are said as `x.client_tool`, once complete.
    """

    def __init__(self, run: Run, telling: Telling, client_tools: Collection[str] = ()) -> None:
        self._run = run
        self._telling = telling
        self._client_tools = frozenset(client_tools)
        self._responses = 0
        self._parts: dict[Key, ModelResponsePart] = {}
        self._whole: set[str] = set()  # calls whose arguments came, or will come, in one piece
        self._said: dict[str, Any] = {}  # of the usage

    async def follow(self, events: AsyncIterable[AgentStreamEvent]) -> AsyncIterator[AgentStreamEvent]:
        """Say each event, then pass it on."""
        self._responses += 1
        async for event in events:
            await self.say(event)
            yield event

    async def say(self, event: AgentStreamEvent) -> None:
        """Say one event; what has no word in a run is passed over."""
        match event:
            case PartDeltaEvent():
                await self._grow((self._responses, event.index), event)
            case PartStartEvent():
                await self._begin((self._responses, event.index), event.part)
            case PartEndEvent():
                await self._end((self._responses, event.index), event.part)
            case ToolCallEvent():
                await self._called(event.part)
            case ToolResultEvent():
                await self._returned(event.part)
            case DeferredToolResultsEvent():
                await self._decided(event)
            case ToolProgress(tool_call_id=str(call_id)):
                await self._telling.progress(call_id, event.message, event.progress)
            case CustomEvent():
                await self._custom(event)

    # What the model says

    async def _begin(self, key: Key, part: ModelResponsePart) -> None:
        if key in self._parts:  # it replaces what was there: a model that began anew
            await self._telling.end_text(key)
        self._parts[key] = part
        match part:
            case TextPart() | ThinkingPart():
                await self._telling.text(key, part.content, role=_role(part))
            case NativeToolReturnPart():
                await self._returned(part)
            case BaseToolCallPart() if part.tool_name not in self._client_tools:
                await self._begin_tool(part)

    async def _begin_tool(self, part: BaseToolCallPart[Any]) -> None:
        await self._telling.begin_tool(part.tool_call_id, part.tool_name)
        if isinstance(part.args, str):
            await self._telling.arguments(part.tool_call_id, part.args)
        elif part.args:
            self._whole.add(part.tool_call_id)

    async def _grow(self, key: Key, event: PartDeltaEvent) -> None:
        part = self._parts.get(key)
        match event.delta:
            case TextPartDelta() as delta:
                await self._telling.text(key, delta.content_delta)
            case ThinkingPartDelta() as delta:
                await self._telling.text(key, delta.content_delta or "", role="reasoning")
            case ToolCallPartDelta() as delta if isinstance(part, BaseToolCallPart):
                await self._arguments(part, delta)

    async def _arguments(self, part: BaseToolCallPart[Any], delta: ToolCallPartDelta) -> None:
        if isinstance(delta.args_delta, dict):
            self._whole.add(part.tool_call_id)
        elif delta.args_delta and part.tool_call_id not in self._whole:
            await self._telling.arguments(part.tool_call_id, delta.args_delta)

    async def _end(self, key: Key, part: ModelResponsePart) -> None:
        match part:
            case TextPart() | ThinkingPart():
                await self._telling.end_text(key)
            case BaseToolCallPart() if part.tool_name in self._client_tools:
                await self._for_client(part)
            case BaseToolCallPart() if part.tool_call_id in self._whole:
                await self._telling.arguments(part.tool_call_id, part.args_as_json_str())
                self._whole.discard(part.tool_call_id)
            case FilePart():
                size = len(part.content.data)
                await self._run.log(f"the model made a file: {part.content.media_type}, {size} bytes")

    async def _for_client(self, part: BaseToolCallPart[Any]) -> None:
        said = {"tool_call_id": part.tool_call_id, "name": part.tool_name, "arguments": part.args_as_json_str()}
        await self._run.emit(CLIENT_TOOL, said)

    # What tools do

    async def _called(self, part: BaseToolCallPart[Any]) -> None:
        if part.tool_name in self._client_tools:
            return
        if not self._telling.is_open(part.tool_call_id):  # by a model that does not stream
            await self._telling.begin_tool(part.tool_call_id, part.tool_name, part.args_as_json_str())
        await self._telling.execute(part.tool_call_id)

    async def _decided(self, event: DeferredToolResultsEvent) -> None:
        """People have taken their time; what they approved is executed only now."""
        for call_id, approval in event.results.approvals.items():
            if approval is not False and not isinstance(approval, ToolDenied):
                await self._telling.execute(call_id)

    async def _returned(self, part: BaseToolReturnPart[Any]) -> None:
        if part.outcome == "success":
            await self._telling.end_tool(part.tool_call_id, part.content)
        else:
            words = part.content if isinstance(part.content, str) else part.model_response_str()
            await self._telling.fail_tool(part.tool_call_id, words, _KINDS[part.outcome])

    async def _custom(self, event: CustomEvent) -> None:
        named = {field.name for field in dataclasses.fields(event)} - {"name", "event_kind"}
        await self._run.emit(f"x.{event.name}", jsonable({name: getattr(event, name) for name in named}))

    # What it costs

    async def usage(self, usage: RunUsage, model: str | None) -> None:
        """Say the totals, where they have changed."""
        if not usage.has_values():
            return
        said: dict[str, Any] = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.total_tokens,
            "cost_usd": None if usage.cost is None else float(usage.cost),
            "model": model,
        }
        if said != self._said:
            self._said = said
            await self._run.usage(**said)


def _role(part: TextPart | ThinkingPart) -> Role:
    return "assistant" if isinstance(part, TextPart) else "reasoning"
