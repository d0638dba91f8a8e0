"""Bodies of requests, and how a refusal looks in this protocol."""

from __future__ import annotations

from typing import Any

import orjson

from antiphon.errors import InvalidJson, InvalidRequest


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; no body = an empty one. Raises InvalidJson, InvalidRequest."""
    if not body:
        return {}
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise InvalidJson(f"the body is no JSON: {exc}") from None
    if not isinstance(found, dict):
        raise InvalidRequest("the body must be a JSON object")
    return found


def refused(why: str, **more: Any) -> dict[str, Any]:
    """`success: false` and the reason, under both names that the pages read."""
    return {"success": False, "message": why, "error": why, **more}


def agreed(message: str, **more: Any) -> dict[str, Any]:
    return {"success": True, "message": message, **more}
