"""What a thread remembers: the messages of each run that ended in it, as JSON that pydantic-ai reads and writes.

They are stored together with the run's outcome, in `thread:ID`, so that either both are there after a crash or neither;
for a run that was lost, what its channel says stands in for what the model had answered. Needs no extra.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import orjson

from antiphon.hub import Hub
from antiphon.messages import Event, NewEvent
from antiphon.services.agents.values import AgentInput, ChatMessage, question_of
from antiphon.services.runs import run_channel, thread_channel

Message = dict[str, Any]
MESSAGES = "thread.messages"
FORKED = "thread.forked"
MAX_BYTES = 900_000  # of one run's messages; what tools returned is cut where they are more
_PAGE = 1000
_CUT = 2_000  # characters of a tool's result that is cut


async def pages(hub: Hub, channel: str) -> AsyncIterator[Event]:
    """All events of a channel. Raises StorageError."""
    after = 0
    while events := (await hub.history(channel, after=after, limit=_PAGE)).events:
        for event in events:
            yield event
        after = events[-1].offset


async def remembered(hub: Hub, thread_id: str) -> dict[str, list[Message]]:
    """The messages of each run of a thread, in the order in which they ended. Raises StorageError."""
    found = {}
    async for event in pages(hub, thread_channel(thread_id)):
        if event.type == MESSAGES:
            found[event.data["run_id"]] = event.data["messages"]
    return found


async def recall(hub: Hub, thread_id: str) -> list[Message]:
    """What a model is told of the conversation so far. Raises StorageError."""
    runs = await remembered(hub, thread_id)
    return [message for messages in runs.values() for message in messages]


def event_of(thread_id: str, run_id: str, messages: Sequence[Message]) -> NewEvent:
    """What is stored for a run that ends."""
    payload = orjson.dumps({"run_id": run_id, "messages": messages})
    if len(payload) > MAX_BYTES:
        payload = orjson.dumps({"run_id": run_id, "messages": [_shortened(message) for message in messages]})
    return NewEvent(thread_channel(thread_id), MESSAGES, payload)


def _shortened(message: Message) -> Message:
    """The same with what tools returned cut to its beginning."""
    parts = [_cut(part) if part.get("part_kind") == "tool-return" else part for part in message["parts"]]
    return {**message, "parts": parts}


def _cut(part: dict[str, Any]) -> dict[str, Any]:
    content = part["content"]
    text = content if isinstance(content, str) else orjson.dumps(content).decode()
    return part if len(text) <= _CUT else {**part, "content": f"{text[:_CUT]}… ({len(text)} characters)"}


# What clients bring


def asked(wanted: AgentInput) -> list[Message]:
    """The turn itself, for a run whose agent never came to say anything."""
    prompt = question_of(wanted)
    if prompt:
        return converted([ChatMessage(role="user", text=prompt)])
    return turn_of(wanted.messages or [])


def turn_of(messages: Sequence[ChatMessage]) -> list[Message]:
    """The last turn: what the user said, or what the client's tools returned, at the end."""
    last = len(messages)
    while last and messages[last - 1].role in ("user", "tool"):
        last -= 1
    return converted(messages)[len(converted(messages[:last])) :]


def converted(messages: Iterable[ChatMessage]) -> list[Message]:
    """A client's history as the library has it."""
    found: list[Message] = []
    names: dict[str, str] = {}
    for message in messages:
        names |= {call.tool_call_id: call.name for call in message.tool_calls}
        if message.role == "assistant":
            found.append({"kind": "response", "parts": _answer_parts(message)})
        elif found and found[-1]["kind"] == "request":
            found[-1]["parts"].append(_request_part(message, names))
        else:
            found.append({"kind": "request", "parts": [_request_part(message, names)]})
    return found


def _answer_parts(message: ChatMessage) -> list[dict[str, Any]]:
    texts: list[dict[str, Any]] = [{"part_kind": "text", "content": message.text}] if message.text else []
    calls = [
        {"part_kind": "tool-call", "tool_name": call.name, "args": call.arguments, "tool_call_id": call.tool_call_id}
        for call in message.tool_calls
    ]
    return texts + calls


def _request_part(message: ChatMessage, names: dict[str, str]) -> dict[str, Any]:
    match message.role:
        case "system":
            return {"part_kind": "system-prompt", "content": message.text}
        case "tool":
            call_id = message.tool_call_id or ""
            named = {"tool_name": names.get(call_id, "tool"), "tool_call_id": call_id}
            return {"part_kind": "tool-return", "content": message.text, **named}
        case _:
            return {"part_kind": "user-prompt", "content": message.text}


# What a lost run had said


async def reconstructed(hub: Hub, run_id: str, wanted: AgentInput) -> list[Message]:
    """The turn of a run that was lost: the question, and the texts that people saw. Raises StorageError."""
    texts: dict[str, list[str]] = {}
    async for event in pages(hub, run_channel(run_id)):
        if event.type == "message.open" and event.data["role"] == "assistant":
            texts[event.data["message_id"]] = []
        elif event.type == "message.append" and event.data["message_id"] in texts:
            texts[event.data["message_id"]].append(event.data["delta"])
    parts = [{"part_kind": "text", "content": "".join(text)} for text in texts.values() if text]
    return [*asked(wanted), *([{"kind": "response", "parts": parts, "state": "interrupted"}] if parts else [])]
