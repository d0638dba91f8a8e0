"""Request bodies: bounded, JSON, validated; documented in OpenAPI by the same model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request

from antiphon.errors import InvalidParams, InvalidRequest, TooLarge
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


async def read_object(request: Request, **path: str) -> Any:
    """The body's JSON, together with what the path says; no body = nothing.

    Raises TooLarge, InvalidRequest, InvalidJson, TooDeep; InvalidParams where it names what the path says.
    """
    limits = request.app.state.core.settings.limits
    empty = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    raw = b"{}" if empty else await read_body(request, limits.message_bytes)
    value = rpc.decode_json(raw, nesting=limits.nesting)
    if not isinstance(value, dict):
        return value
    for name in path.keys() & value.keys():
        raise InvalidParams(f"`{name}` is said by the path", pointer=f"/{name}")
    return value | path


def documented(model: type[params.Params], *in_path: str) -> dict[str, Any]:
    """`openapi_extra` of a route that reads a body as `model`, without what its path says."""
    schema = model.model_json_schema()
    inner = schema.pop("$defs", {})
    schema["properties"] = {name: value for name, value in schema["properties"].items() if name not in in_path}
    schema["required"] = [name for name in schema.get("required", []) if name not in in_path]
    body = {"required": bool(schema["required"]), "content": {"application/json": {"schema": _inlined(schema, inner)}}}
    return {"requestBody": body}


def _inlined(schema: Any, inner: dict[str, Any]) -> Any:
    """The same without references, which would point to nowhere in the whole document."""
    if isinstance(schema, list):
        return [_inlined(part, inner) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(inner[schema["$ref"].rsplit("/", 1)[-1]], inner)
    return {name: _inlined(part, inner) for name, part in schema.items()}


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
