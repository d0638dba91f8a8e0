"""Files over HTTP, with the standard library: big answers are no messages for a socket that others share."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from typing import Any

import orjson

from antiphon.client.address import Address
from antiphon.client.faults import error_of_http
from antiphon.errors import ConnectionFailed, RemoteError, RequestTimeout

NDJSON = "application/x-ndjson"


async def fetch(address: Address, path: str, *, timeout_s: float | None) -> bytes:
    """GET. Raises ConnectionFailed, RequestTimeout, or what the server answers."""
    return await asyncio.to_thread(_ask, address, path, None, timeout_s)


async def send(address: Address, path: str, body: bytes, *, timeout_s: float | None) -> Any:
    """POST lines of JSON; the answer is JSON. Raises ConnectionFailed, RequestTimeout, or what the server answers."""
    answer = await asyncio.to_thread(_ask, address, path, body, timeout_s)
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError as exc:
        raise RemoteError("the server's answer is not JSON", code="invalid_answer", retryable=False) from exc


def _ask(address: Address, path: str, body: bytes | None, timeout_s: float | None) -> bytes:
    headers = {**address.headers, **({} if body is None else {"Content-Type": NDJSON})}
    request = urllib.request.Request(address.url + path, data=body, headers=headers)  # noqa: S310  # http(s): Address
    handlers = [urllib.request.ProxyHandler({})] if address.is_loopback else []
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout_s) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as exc:
        with exc:
            raise error_of_http(exc.code, exc.read(), address.url) from None
    except TimeoutError as exc:
        raise RequestTimeout(f"no answer to {path} within {timeout_s:g} s") from exc
    except (urllib.error.URLError, OSError) as exc:
        raise ConnectionFailed(f"no server at {address.url}: {getattr(exc, 'reason', exc)}") from exc
