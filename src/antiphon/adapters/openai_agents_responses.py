"""What a model streams, in the events of OpenAI's Responses API, which the SDK uses for all models."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from antiphon.adapters.jsonable import jsonable
from antiphon.adapters.telling import Telling
from antiphon.client.run.face import Role

_TEXTS: dict[str, Role] = {
    "response.output_text.delta": "assistant",
    "response.refusal.delta": "assistant",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
}
_ARGUMENTS = ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta")
_PLACES = ("output_index", "content_index", "summary_index")


class Responses:
    """Says the answers of a model, one response after the other."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._turn = 0
        self._open: dict[Hashable, None] = {}  # texts of this response, oldest first
        self._calls: dict[int, str] = {}  # ids of this response's calls by the place in it
        self._written: set[str] = set()  # calls some of whose arguments were said
        self._said: set[str] = set()  # calls that were said as a whole
        self._model: str | None = None
        self._totals = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        self._stated: dict[str, int] = {}

    def is_said(self, call_id: str) -> bool:
        """Whether a call was said with all of its arguments."""
        return call_id in self._said

    async def take(self, event: Any) -> None:
        """One event of a response."""
        kind = str(event.type)
        if kind in _TEXTS:
            await self._grow(event, _TEXTS[kind])
        elif kind in _ARGUMENTS:
            await self._write(event.output_index, event.delta)
        elif kind == "response.created":
            self._begin()
        elif kind == "response.output_item.added":
            await self._begin_item(event.output_index, event.item)
        elif kind == "response.output_item.done":
            await self._end_item(event.output_index, event.item)
        elif kind == "response.completed":
            await self._complete(event.response)

    def _begin(self) -> None:
        self._turn += 1
        self._calls.clear()

    # Texts

    async def _grow(self, event: Any, role: Role) -> None:
        key = (self._turn, role, *(getattr(event, place, None) for place in _PLACES))
        if key not in self._open:
            await self._end_texts()  # what comes one after the other is shown so
            self._open[key] = None
        await self._telling.text(key, event.delta, role=role)

    async def _end_texts(self) -> None:
        for key in list(self._open):
            del self._open[key]
            await self._telling.end_text(key)

    # Calls

    async def _begin_item(self, place: int, item: Any) -> None:
        call_id = _call_id(item)
        if call_id is None:
            return
        await self._end_texts()
        self._calls[place] = call_id
        await self._telling.begin_tool(call_id, _name(item))

    async def _write(self, place: int, delta: str) -> None:
        call_id = self._calls.get(place)
        if call_id is not None:
            self._written.add(call_id)
            await self._telling.arguments(call_id, delta)

    async def _end_item(self, place: int, item: Any) -> None:
        call_id = _call_id(item)
        if call_id is None or call_id in self._said:
            return
        if place not in self._calls:
            await self._begin_item(place, item)
        if call_id not in self._written:
            await self._telling.arguments(call_id, _arguments(item))
        self._said.add(call_id)
        if field(item, "call_id") is None:  # the provider's own tool: it has been executed already
            await self._end_hosted(call_id, item)

    async def _end_hosted(self, call_id: str, item: Any) -> None:
        error = field(item, "error")
        if error or field(item, "status") in ("failed", "incomplete"):
            await self._telling.fail_tool(call_id, str(error or "it did not complete"))
        else:
            await self._telling.end_tool(call_id, field(item, "output") or field(item, "results"))

    # The end

    async def _complete(self, response: Any) -> None:
        if not self._turn:
            self._begin()
        has_streamed = bool(self._open or self._calls)
        await self._end_texts()
        for place, item in enumerate(response.output):
            if not has_streamed:
                await self._say_whole(item)
            await self._end_item(place, item)
        await self._count(response)

    async def _say_whole(self, item: Any) -> None:
        """A model that does not stream."""
        role: Role = "reasoning" if item.type == "reasoning" else "assistant"
        parts = [*(field(item, "summary") or ()), *(field(item, "content") or ())]
        text = "".join(field(part, "text") or field(part, "refusal") or "" for part in parts)
        if text:
            await self._telling.whole_text(text, role=role)

    async def _count(self, response: Any) -> None:
        self._model = response.model or self._model
        if response.usage is not None:
            totals = {name: self._totals[name] + getattr(response.usage, name) for name in self._totals}
            await self.say_usage(totals)

    async def say_usage(self, totals: Mapping[str, int]) -> None:
        """The totals so far, if they are news."""
        self._totals = {name: max(self._totals[name], totals[name]) for name in self._totals}
        if self._totals != self._stated and any(self._totals.values()):
            self._stated = self._totals
            await self._telling.run.usage(**self._totals, model=self._model)


def field(item: Any, name: str) -> Any:
    """Of an item, which is a model or a dictionary; None = it has none."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def _call_id(item: Any) -> str | None:
    """The id of a call of a tool; None = it is something else."""
    if not str(field(item, "type")).endswith("_call"):
        return None
    found = field(item, "call_id") or field(item, "id")
    return None if found is None else str(found)


def _name(item: Any) -> str:
    return str(field(item, "name") or str(field(item, "type")).removesuffix("_call"))


def _arguments(item: Any) -> str:
    """As they are in the end; empty = nobody knows."""
    found = next((field(item, name) for name in ("arguments", "input", "action", "code") if field(item, name)), "")
    return found if isinstance(found, str) else str(jsonable(found))
