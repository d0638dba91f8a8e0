"""JSON-RPC 2.0, one object per message: reading requests, writing replies. Source: jsonrpc.org/specification."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from antiphon.errors import (
    AntiphonError,
    InternalError,
    InvalidJson,
    InvalidParams,
    InvalidRequest,
    TooDeep,
    UnknownMethod,
)
from antiphon.hub.patch import depth
from antiphon.messages import Cursor
from antiphon.server.live.encode import dumps

OUR_OWN = -32000
NUMBERS: dict[type[AntiphonError], int] = {
    InvalidJson: -32700,
    InvalidRequest: -32600,
    TooDeep: -32600,
    UnknownMethod: -32601,
    InvalidParams: -32602,
    InternalError: -32603,
}


class Request(NamedTuple):
    """`has_id` is false for a notification, which gets no reply."""

    method: str
    params: dict[str, Any]
    id: str | int | float | None
    has_id: bool


def decode_json(raw: str | bytes, *, nesting: int) -> Any:
    """Read JSON. Raises InvalidJson, TooDeep."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        if "depth limit" in str(exc):  # of the decoder, far above ours
            raise TooDeep(f"nested deeper than {nesting}") from None
        raise InvalidJson(f"not JSON: {exc}") from None
    brackets = raw.count("[") + raw.count("{") if isinstance(raw, str) else raw.count(b"[") + raw.count(b"{")
    if brackets > nesting and depth(value) > nesting:
        raise TooDeep(f"nested deeper than {nesting}")
    return value


def decode_request(text: str, *, nesting: int) -> Request:
    """Read a request object. Raises InvalidJson, TooDeep, InvalidRequest."""
    value = decode_json(text, nesting=nesting)
    if isinstance(value, list):
        raise InvalidRequest("batches are not supported: send one object per message")
    if not isinstance(value, dict):
        raise InvalidRequest("a message is a JSON object")
    if value.get("jsonrpc") != "2.0":
        raise InvalidRequest('`jsonrpc` must be "2.0"', pointer="/jsonrpc")
    if not isinstance(value.get("method"), str):
        raise InvalidRequest("`method` must be a string", pointer="/method")
    number = value.get("id")
    if isinstance(number, bool) or not isinstance(number, (str, int, float, type(None))):
        raise InvalidRequest("`id` must be a string or a number", pointer="/id")
    return Request(value["method"], value.get("params", {}), number, "id" in value)


def check_params(params: Any) -> dict[str, Any]:
    """Parameters are given by name. Raises InvalidParams."""
    if not isinstance(params, dict):
        raise InvalidParams("`params` must be an object", pointer="/params")
    return params


def encode_result(number: str | float | None, result: Any) -> bytes:
    return dumps({"jsonrpc": "2.0", "id": number, "result": result})


def encode_cursor(number: str | float | None, cursor: Cursor) -> bytes:
    """The reply to a publish: nothing is said more often. An epoch has no character that JSON would escape."""
    return b'{"jsonrpc":"2.0","id":%b,"result":{"epoch":"%b","offset":%d}}' % (
        dumps(number),
        cursor.epoch.encode(),
        cursor.offset,
    )


def encode_error(number: str | float | None, error: AntiphonError) -> bytes:
    return dumps({"jsonrpc": "2.0", "id": number, "error": error_object(error)})


def encode_notification(method: str, params: Any) -> bytes:
    return dumps({"jsonrpc": "2.0", "method": method, "params": params})


def error_object(error: AntiphonError) -> dict[str, Any]:
    number = next((number for kind, number in NUMBERS.items() if type(error) is kind), OUR_OWN)
    return {"code": number, "message": error.message, "data": error.facts()}
