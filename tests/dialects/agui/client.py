"""What the stock AG-UI client insists on and adds up, in Python: an oracle, written after its documentation."""

from __future__ import annotations

import copy
from typing import Any

from ag_ui.core import Event
from pydantic import TypeAdapter

from antiphon.hub.patch import Document

EVENT: TypeAdapter[Any] = TypeAdapter(Event)
OPENS = {
    "TEXT_MESSAGE_START": "text",
    "REASONING_MESSAGE_START": "reasoning message",
    "REASONING_START": "reasoning",
    "TOOL_CALL_START": "call",
    "SUBAGENT_STARTED": "subagent",
}
NEEDS = {
    "TEXT_MESSAGE_CONTENT": "text",
    "REASONING_MESSAGE_CONTENT": "reasoning message",
    "TOOL_CALL_ARGS": "call",
}
CLOSES = {
    "TEXT_MESSAGE_END": "text",
    "REASONING_MESSAGE_END": "reasoning message",
    "REASONING_END": "reasoning",
    "TOOL_CALL_END": "call",
    "SUBAGENT_FINISHED": "subagent",
    "SUBAGENT_ERROR": "subagent",
}


class StockClient:
    """Takes events one by one; an AssertionError is what the stock client would throw."""

    def __init__(self, messages: list[dict[str, Any]] | None = None, state: Any = None) -> None:
        self.messages = copy.deepcopy(messages or [])
        self.state = state
        self.last: dict[str, Any] = {}
        self.customs: list[tuple[str, Any]] = []
        self._open: set[tuple[str, str]] = set()
        self._gone: set[str] = set()

    def take(self, event: dict[str, Any]) -> None:
        EVENT.validate_python(event)
        event = copy.deepcopy(event)
        self._verify(event)
        getattr(self, f"_{event['type'].lower()}", lambda _: None)(event)
        self.last = event

    def _verify(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if not self.last:
            assert kind in ("RUN_STARTED", "RUN_ERROR"), kind
        else:
            assert self.last["type"] not in ("RUN_FINISHED", "RUN_ERROR"), "it is over"
            assert kind != "RUN_STARTED"
        name = event.get("messageId") or event.get("toolCallId") or event.get("subagentRunId") or ""
        if kind in OPENS:
            assert (OPENS[kind], name) not in self._open, event
            assert kind != "SUBAGENT_STARTED" or name not in self._gone
            self._open.add((OPENS[kind], name))
        if kind in NEEDS:
            assert (NEEDS[kind], name) in self._open, event
        if kind in CLOSES:
            self._open.remove((CLOSES[kind], name))
            self._gone |= {name} if kind.startswith("SUBAGENT") else set()
        if kind == "RUN_FINISHED":
            assert not self._open, self._open

    def find(self, name: str) -> dict[str, Any]:
        return next(message for message in self.messages if message["id"] == name)

    def _text_message_start(self, event: dict[str, Any]) -> None:
        if all(message["id"] != event["messageId"] for message in self.messages):
            role = event.get("role", "assistant") if event["type"].startswith("TEXT") else "reasoning"
            self.messages.append({"id": event["messageId"], "role": role, "content": ""})

    _reasoning_message_start = _text_message_start

    def _text_message_content(self, event: dict[str, Any]) -> None:
        message = self.find(event["messageId"])
        message["content"] = message.get("content", "") + event["delta"]

    _reasoning_message_content = _text_message_content

    def _calls(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        return {
            call["id"]: (message, call) for message in reversed(self.messages) for call in message.get("toolCalls", [])
        }

    def _tool_call_start(self, event: dict[str, Any]) -> None:
        if event["toolCallId"] in self._calls():
            return
        parent = event.get("parentMessageId")
        holder = next((m for m in self.messages if m["id"] == parent and m["role"] == "assistant"), None)
        if holder is None:
            taken = parent is not None and any(message["id"] == parent for message in self.messages)
            name = event["toolCallId"] if parent is None or taken else parent
            holder = {"id": name, "role": "assistant"}
            self.messages.append(holder)
        function = {"name": event["toolCallName"], "arguments": ""}
        holder.setdefault("toolCalls", []).append({"id": event["toolCallId"], "type": "function", "function": function})

    def _tool_call_args(self, event: dict[str, Any]) -> None:
        self._calls()[event["toolCallId"]][1]["function"]["arguments"] += event["delta"]

    def _tool_call_result(self, event: dict[str, Any]) -> None:
        holder = self._calls()[event["toolCallId"]][0]
        place = next(index for index, message in enumerate(self.messages) if message is holder) + 1
        while place < len(self.messages) and self.messages[place]["role"] == "tool":
            place += 1
        answer = {key: event[key] for key in ("toolCallId", "content", "metadata") if key in event}
        self.messages.insert(place, {**answer, "id": event["messageId"], "role": "tool"})

    def _state_snapshot(self, event: dict[str, Any]) -> None:
        self.state = event["snapshot"]

    def _state_delta(self, event: dict[str, Any]) -> None:
        document = Document(self.state)
        document.apply(event["delta"])
        self.state = document.value

    def _messages_snapshot(self, event: dict[str, Any]) -> None:
        new = {message["id"]: message for message in event["messages"]}
        assert len(new) == len(event["messages"]), "an id twice"
        keeps_reasoning = all(message["role"] != "reasoning" for message in new.values())
        kept = [m for m in self.messages if m["id"] in new or (m["role"] == "reasoning" and keeps_reasoning)]
        self.messages = [new.get(message["id"], message) for message in kept]
        here = {message["id"] for message in self.messages}
        self.messages += [message for name, message in new.items() if name not in here]

    def _custom(self, event: dict[str, Any]) -> None:
        self.customs.append((event["name"], event["value"]))
