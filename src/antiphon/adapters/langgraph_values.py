"""What goes into a graph, what comes out of it, and its values as the state of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages
from langgraph.pregel import Pregel
from pydantic import BaseModel

from antiphon.adapters.jsonable import jsonable
from antiphon.client.run.face import Run
from antiphon.errors import TooLarge


def input_of(graph: Pregel[Any, Any, Any, Any], given: Mapping[str, Any]) -> Any:
    """The graph's input for a run's; `{"prompt": text}` is a message where the graph takes messages, and no prompt."""
    prompt = given.get("prompt")
    if isinstance(prompt, str) and "prompt" not in graph.channels and "messages" in graph.channels:
        others = {key: value for key, value in given.items() if key in graph.channels and key != "messages"}
        return {"messages": [HumanMessage(prompt)], **others}
    return dict(given) or None


def prompts_of(given: Any) -> list[str]:
    """The text of the last message of an input, if it is a person's."""
    messages = given.get("messages") if isinstance(given, Mapping) else getattr(given, "messages", None)
    if not messages:
        return []
    try:
        last = convert_to_messages(messages if isinstance(messages, list) else [messages])[-1]
    except (ValueError, NotImplementedError, TypeError):  # the graph has its own idea of messages
        return []
    return [str(last.text)] if isinstance(last, HumanMessage) else []


def result_of(values: Any) -> Any:
    """A graph's output as JSON; of one that has nothing but messages, the text of the last one."""
    if isinstance(values, Mapping) and set(values) == {"messages"} and values["messages"]:
        last = values["messages"][-1]
        if isinstance(last, BaseMessage):
            return str(last.text)
    return jsonable(values)


class Mirror:
    """Keeps the run's state equal to the graph's values: keys that changed, and of lists that grew their growth."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._left_out: dict[str, Any] = {}  # values that are beyond the limit of an event

    async def show(self, values: Any) -> None:
        """The values after a step."""
        new = _fields(values)
        changed = [key for key, value in new.items() if self._is_news(key, value)]
        try:
            await self._write({key: new[key] for key in changed})
        except TooLarge:
            for key in changed:
                await self._write_alone(key, new[key])

    @property
    def _held(self) -> Mapping[str, Any]:
        return self._run.state.value

    def _is_news(self, key: str, value: Any) -> bool:
        if key in self._left_out and self._left_out[key] == value:
            return False
        return key not in self._held or self._held[key] != value

    async def _write(self, changed: Mapping[str, Any]) -> None:
        if not changed:
            return
        async with self._run.state.edit() as state:
            for key, value in changed.items():
                grown = _growth(self._held.get(key), value)
                if grown:
                    state[key].extend(grown)
                else:
                    state[key] = value

    async def _write_alone(self, key: str, value: Any) -> None:
        try:
            await self._write({key: value})
        except TooLarge:
            self._left_out[key] = value
            await self._run.log(f"the value of {key!r} is too large to be shown", "warning")


def _growth(old: Any, new: Any) -> Sequence[Any]:
    """What was appended; empty = it is not the old list with something behind it."""
    if not isinstance(old, list) or not isinstance(new, list) or not len(old) < len(new):
        return []
    return new[len(old) :] if new[: len(old)] == old else []


def _fields(values: Any) -> dict[str, Any]:
    if isinstance(values, Mapping):
        return {str(key): jsonable(value) for key, value in values.items()}
    if isinstance(values, BaseModel):
        return {key: jsonable(getattr(values, key)) for key in type(values).model_fields}
    if is_dataclass(values) and not isinstance(values, type):
        return {key: jsonable(value) for key, value in asdict(values).items()}
    return {}
