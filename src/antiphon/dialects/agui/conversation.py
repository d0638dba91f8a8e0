"""What the events of a stream add up to, as the stock AG-UI client adds them up: the messages of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from antiphon.errors import InvalidPatch
from antiphon.hub.patch import Document

Message = dict[str, Any]


class _Text:
    """A text in pieces, so that a long one costs no more than its length."""

    __slots__ = ("pieces",)

    def __init__(self) -> None:
        self.pieces: list[str] = []


class Conversation:
    """Messages and state. `apply` takes the events of a stream in order."""

    def __init__(self) -> None:
        self.has_state = False
        self._state = Document({})
        self._messages: list[Message] = []
        self._texts: dict[str, _Text] = {}  # of messages, by id
        self._calls: dict[str, tuple[Message, Message, _Text]] = {}  # by id: the message, the call, its arguments

    def seed(self, messages: Iterable[Message]) -> None:
        """What was said before this run; the run may have begun to speak before that was kept."""
        self._messages[:0] = messages

    def restore(self, state: Any) -> None:
        """The state as of where the stream begins."""
        self.has_state = True
        self._state = Document(orjson.loads(orjson.dumps(state)))

    def apply(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "TEXT_MESSAGE_START":
                self._open(event["messageId"], event["role"])
            case "REASONING_MESSAGE_START":
                self._open(event["messageId"], "reasoning")
            case "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT":
                self._texts[event["messageId"]].pieces.append(event["delta"])
            case "TOOL_CALL_START":
                self._call(event)
            case "TOOL_CALL_ARGS":
                self._calls[event["toolCallId"]][2].pieces.append(event["delta"])
            case "TOOL_CALL_RESULT":
                self._answer(event)
            case "STATE_SNAPSHOT":
                self.restore(event["snapshot"])
            case "STATE_DELTA":
                self._patch(event["delta"])

    def _open(self, message_id: str, role: str) -> None:
        if message_id not in self._texts:
            self._texts[message_id] = _Text()
            self._messages.append({"id": message_id, "role": role, "content": ""})

    def _call(self, event: Mapping[str, Any]) -> None:
        call_id = event["toolCallId"]
        if call_id in self._calls:
            return
        call = {"id": call_id, "type": "function", "function": {"name": event["toolCallName"], "arguments": ""}}
        holder = self._holder(event.get("parentMessageId"), call_id)
        holder.setdefault("toolCalls", []).append(call)
        self._calls[call_id] = (holder, call, _Text())

    def _holder(self, parent: str | None, call_id: str) -> Message:
        for message in reversed(self._messages):
            if parent is not None and message["id"] == parent:
                return message
        self._messages.append({"id": call_id, "role": "assistant"})
        return self._messages[-1]

    def _answer(self, event: Mapping[str, Any]) -> None:
        """Behind the message that made the call, and what else was answered to it."""
        answer = {name: event[name] for name in ("toolCallId", "content", "metadata") if name in event}
        answer |= {"id": event["messageId"], "role": "tool"}
        holder = self._calls[event["toolCallId"]][0]
        place = next(index for index, message in enumerate(self._messages) if message is holder) + 1
        while place < len(self._messages) and self._messages[place]["role"] == "tool":
            place += 1
        self._messages.insert(place, answer)

    def _patch(self, ops: Any) -> None:
        try:
            self._state.apply(ops)
        except InvalidPatch:
            self._state = Document({})  # cannot be: the hub has applied it

    @property
    def state(self) -> Any:
        """The live value: encode it at once."""
        return self._state.value

    def messages(self) -> list[Message]:
        """All messages with their texts so far."""
        for _, call, text in self._calls.values():
            call["function"]["arguments"] = "".join(text.pieces)
        return [self._whole(message) for message in self._messages]

    def _whole(self, message: Message) -> Message:
        text = self._texts.get(message["id"])
        return message if text is None else {**message, "content": "".join(text.pieces)}
