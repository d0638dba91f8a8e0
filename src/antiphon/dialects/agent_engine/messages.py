"""Messages of the agent engine's protocol. Source: the system's own message handler; docs/compatibility.md."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import orjson

from antiphon.hub.patch import depth

MAX_REQUEST_ID = 200
MAX_NESTING = 64
MAX_SHOWN = 80  # characters of what a client sent, in an error

RequestId = str | int

QUERY_REQUIRED = "Query is required"
TOOL_REQUIRED = "Tool name is required"
INVALID_JSON = "Invalid JSON format"
NOT_AN_OBJECT = "Message must be a JSON object"
TOO_DEEP = f"Message is nested deeper than {MAX_NESTING}"
BINARY = "Binary messages are not supported"
BAD_REQUEST_ID = f"request_id must be a number or a string of 1 to {MAX_REQUEST_ID} characters"
PARAMS_OBJECT = "params must be an object"
QUERY_FAILED, STREAMING_FAILED, TOOL_FAILED = "Query failed", "Streaming failed", "Tool call failed"


class Ping(NamedTuple):
    pass


class Query(NamedTuple):
    """A question; `streams` says how the answer is wanted."""

    text: str
    streams: bool
    thread_id: str | None = None  # None = it stands alone


class ToolCall(NamedTuple):
    name: str
    params: dict[str, Any]


class Cancel(NamedTuple):
    """All that is under way, or with a request id that one."""


class Wrong(NamedTuple):
    """What cannot be done, as the client is told; `says_when` = with a timestamp."""

    error: str
    says_when: bool = True


Message = Ping | Query | ToolCall | Cancel | Wrong


class Received(NamedTuple):
    """A message and the request id that its answers carry, if any."""

    message: Message
    request_id: RequestId | None = None


def decode(raw: str | bytes) -> Received:
    """Read what a client sent; what is wrong becomes `Wrong`."""
    if isinstance(raw, bytes):
        return Received(Wrong(BINARY))
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Received(Wrong(INVALID_JSON, says_when=False))
    if not isinstance(found, dict):
        return Received(Wrong(NOT_AN_OBJECT))
    if raw.count("[") + raw.count("{") > MAX_NESTING and depth(found) > MAX_NESTING:
        return Received(Wrong(TOO_DEEP))
    number = found.get("request_id")
    if number is not None and not _is_request_id(number):
        return Received(Wrong(BAD_REQUEST_ID))
    return Received(_message(found), number)


def _message(found: Mapping[str, Any]) -> Message:
    match found.get("type"):
        case "ping":
            return Ping()
        case "agent_query":
            return _query(found, streams=False)
        case "streaming_query":
            return _query(found, streams=True)
        case "tool_call":
            return _tool_call(found)
        case "cancel":
            return Cancel()
        case other:
            return Wrong(f"Unknown message type: {str(other)[:MAX_SHOWN]}")


def _query(found: Mapping[str, Any], *, streams: bool) -> Message:
    text, thread = found.get("query"), found.get("thread_id")
    if not isinstance(text, str) or not text:
        return Wrong(QUERY_REQUIRED)
    if thread is not None and not isinstance(thread, str):
        return Wrong(f"{STREAMING_FAILED if streams else QUERY_FAILED}: thread_id must be a string")
    return Query(text, streams, thread)


def _tool_call(found: Mapping[str, Any]) -> Message:
    name, params = found.get("tool_name"), found.get("params")
    if not isinstance(name, str) or not name:
        return Wrong(TOOL_REQUIRED)
    if params is not None and not isinstance(params, dict):
        return Wrong(f"{TOOL_FAILED}: {PARAMS_OBJECT}")
    return ToolCall(name, params or {})


def _is_request_id(value: Any) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= MAX_REQUEST_ID
    return isinstance(value, int) and not isinstance(value, bool)


Kind = Literal[
    "connected", "pong", "status", "agent_response", "stream_start", "stream_chunk", "stream_end", "tool_result",
    "cancelled", "error",
]  # fmt: skip


def encode(kind: Kind, request_id: RequestId | None = None, *, says_when: bool = True, **fields: Any) -> bytes:
    """A message for a client: the type, its fields, the moment, and a request id only where one was given."""
    message: dict[str, Any] = {"type": kind, **fields}
    if says_when:
        message["timestamp"] = time.time()
    if request_id is not None:
        message["request_id"] = request_id
    return orjson.dumps(message)


def connected(connection_id: str) -> bytes:
    return encode("connected", says_when=False, connection_id=connection_id, message="Connected to Agent WebSocket")


def full(limit: int) -> bytes:
    """What a socket too many is told."""
    return encode("error", error=f"Too many connections: the limit is {limit}, try again later")
