"""Request bodies: bounded, JSON, validated; documented in OpenAPI by the same model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request

from antiphon.errors import InvalidRequest, TooLarge
from antiphon.server.live import params, rpc

P = TypeVar("P", bound=params.Params)


def body_of(model: type[P]) -> Callable[[Request], Awaitable[P]]:
    """A dependency that reads the body as `model`.

    Raises TooLarge, InvalidRequest, InvalidJson, TooDeep, InvalidParams.
    """

    async def read(request: Request) -> P:
        limits = request.app.state.core.settings.limits
        raw = await read_body(request, limits.message_bytes)
        return params.check(model, rpc.decode_json(raw, nesting=limits.nesting), at="")

    return read


def documented(model: type[params.Params]) -> dict[str, Any]:
    """`openapi_extra` of a route that uses `body_of(model)`."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_body(request: Request, limit: int) -> bytes:
    """Read a JSON body of at most `limit` bytes. Raises TooLarge, InvalidRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidRequest("send the body as Content-Type: application/json")
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"a body may have {limit} bytes")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"a body may have {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
