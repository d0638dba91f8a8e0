"""The messages that the models and nodes of a graph stream: texts, reasoning, calls of tools, usage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCallChunk,
)

from antiphon.adapters.telling import Telling

_BY_LANGCHAIN = "lc_"  # the beginning of the ids that LangChain gives, as long as the provider has said none


class Messages:
    """Says them as they come; a text is known by its task and its message."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._usage = _Usage()
        self._tasks: dict[str, _Task] = {}

    async def take(self, message: BaseMessage, about: Mapping[str, Any]) -> None:
        """One piece of a message, or a whole one; `about` is LangGraph's metadata."""
        task_id = str(about.get("langgraph_checkpoint_ns", "")).rpartition(":")[2]
        task = self._tasks.setdefault(task_id, _Task())
        match message:
            case AIMessageChunk():
                await self._take_chunk(message, task)
            case AIMessage():
                await self._take_answer(message, task, is_of_model="ls_model_type" in about)
            case HumanMessage() if task.is_new(str(message.text)):
                await self._telling.whole_text(str(message.text), role="user")
            case SystemMessage() if task.is_new(str(message.text)):
                await self._telling.whole_text(str(message.text), role="system")
        await self._count(message, about)

    async def end_task(self, task_id: str, *, failed: bool) -> None:
        """A node has ended: what its models have not finished will not go on."""
        task = self._tasks.pop(task_id, None)
        for key in task.open_keys() if task is not None else []:
            error = BrokenOff("the node failed") if failed else None
            await self._telling.end_text((key, "reasoning"), error)
            await self._telling.end_text((key, "text"), error)

    # Streamed

    async def _take_chunk(self, chunk: AIMessageChunk, task: _Task) -> None:
        text = task.text_of(chunk.id)
        for kind, delta in _pieces(chunk):
            await self._grow(text, kind, delta)
        for call in chunk.tool_call_chunks:
            await self._take_call(text, call)
        if chunk.chunk_position == "last":
            await self._end(text)
            task.end(text)

    async def _grow(self, text: _Text, kind: str, delta: str) -> None:
        if kind == "reasoning":
            await self._telling.text((text.key, kind), delta, role="reasoning")
            return
        if delta:
            await self._telling.end_text((text.key, "reasoning"))
        await self._telling.text((text.key, kind), delta)
        text.said += delta

    async def _take_call(self, text: _Text, call: ToolCallChunk) -> None:
        if call["id"] and call["name"]:
            text.calls[call["index"]] = call["id"]
            await self._telling.end_text((text.key, "reasoning"))
            await self._telling.begin_tool(call["id"], call["name"])
        call_id = text.calls.get(call["index"])
        if call_id is not None:
            await self._telling.arguments(call_id, call["args"] or "")

    async def _end(self, text: _Text) -> None:
        await self._telling.end_text((text.key, "reasoning"))
        await self._telling.end_text((text.key, "text"))

    # Whole

    async def _take_answer(self, message: AIMessage, task: _Task, *, is_of_model: bool) -> None:
        """What a model said at once, or a node put together; a node that repeats what was streamed says nothing new."""
        text = task.text_of(message.id)
        if is_of_model or task.is_new(str(message.text)):
            for kind, delta in _pieces(message):
                await self._grow(text, kind, delta)
            await self._end(text)
        for call in message.tool_calls:
            await self._telling.begin_tool(call["id"] or call["name"], call["name"], call["args"])
        task.end(text)

    async def _count(self, message: BaseMessage, about: Mapping[str, Any]) -> None:
        usage = getattr(message, "usage_metadata", None)
        if usage:
            model = message.response_metadata.get("model_name") or about.get("ls_model_name")
            await self._telling.run.usage(**self._usage.add(usage), model=model)


class BrokenOff(Exception):
    """A text that its model did not finish."""


class _Text:
    """One message of a model."""

    def __init__(self, message_id: str | None) -> None:
        self.key = object()
        self.ids = {message_id}
        self.said = ""
        self.calls: dict[Any, str] = {}  # the ids of its calls by their index: only the first piece has the id

    def may_also_be(self, message_id: str | None) -> bool:
        """Some models say the provider's id in one piece only, and the others have one of LangChain's."""
        kinds = {str(one).startswith(_BY_LANGCHAIN) for one in self.ids}
        return len(self.ids) == 1 and str(message_id).startswith(_BY_LANGCHAIN) not in kinds


class _Task:
    """What one execution of a node has said."""

    def __init__(self) -> None:
        self._open: list[_Text] = []
        self._said: set[str] = set()

    def text_of(self, message_id: str | None) -> _Text:
        found = next((text for text in self._open if message_id in text.ids), None)
        if found is None:
            found = next((text for text in self._open if text.may_also_be(message_id)), None)
        if found is None:
            found = _Text(message_id)
            self._open.append(found)
        found.ids.add(message_id)
        return found

    def end(self, text: _Text) -> None:
        self._said.add(text.said)
        self._open.remove(text)

    def is_new(self, text: str) -> bool:
        return bool(text) and text not in self._said and all(text != one.said for one in self._open)

    def open_keys(self) -> list[object]:
        return [text.key for text in self._open]


class _Usage:
    """Adds up: a run says its totals."""

    def __init__(self) -> None:
        self._totals = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}

    def add(self, usage: Mapping[str, Any]) -> dict[str, int]:
        for name in self._totals:
            self._totals[name] += int(usage.get(name) or 0)
        return self._totals


def _pieces(message: AIMessage) -> list[tuple[str, str]]:
    """Its text and reasoning, in order, in LangChain's standard form for all providers."""
    found: list[tuple[str, str]] = []
    for block in message.content_blocks:
        if block["type"] == "text":
            found.append(("text", str(block["text"])))
        elif block["type"] == "reasoning":
            found.append(("reasoning", str(block.get("reasoning", ""))))
    return found
