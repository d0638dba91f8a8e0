"""Runs as files: lines of JSON, read from a request's body."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request

from antiphon.errors import InvalidParams, InvalidRequest, TooLarge

NDJSON = "application/x-ndjson"
MAX_BYTES = 64 << 20


async def read_lines(request: Request) -> list[bytes]:
    """The lines of the body, without empty ones. Raises InvalidRequest, TooLarge."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != NDJSON:
        raise InvalidRequest(f"send the file as Content-Type: {NDJSON}")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BYTES:
            raise TooLarge(f"an exported run may have {MAX_BYTES} bytes")
        chunks.append(chunk)
    return [line for line in b"".join(chunks).split(b"\n") if line.strip()]


def name_of(lines: list[bytes]) -> str:
    """The name of the run that the file holds. Raises InvalidParams."""
    try:
        head: Any = orjson.loads(lines[0])
        name = head["run"]["name"]
    except (IndexError, KeyError, TypeError, ValueError):
        name = None
    if not isinstance(name, str):
        raise InvalidParams('line 1: an exported run begins with {"antiphon_run": 1, "run": {...}}')
    return name
