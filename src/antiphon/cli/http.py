"""Requests to a server over HTTP with the standard library: quick to load, and files of any size pass through."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO

from antiphon.client.address import Address
from antiphon.errors import ConnectionFailed

ANSWER_S = 3.0
PIECE_BYTES = 256 * 1024


def call(address: Address, path: str, body: Any = None) -> Any:
    """GET, or with a body POST, and read the JSON that comes back.

    Raises:
        ConnectionFailed: Nobody answers, or not as an Antiphon server.
        AntiphonError: It refused, e.g. Unauthenticated.
    """
    sent = None if body is None else json.dumps(body).encode()
    with exchange(address, path, sent, headers={"Content-Type": "application/json"}, timeout_s=ANSWER_S) as answer:
        text = b"".join(pieces(answer, address))
    try:
        return json.loads(text)
    except ValueError as exc:
        raise ConnectionFailed(f"no server at {address.url}: {exc}") from exc


def exchange(
    address: Address, path: str, body: bytes | BinaryIO | None, *, headers: dict[str, str], timeout_s: float
) -> HTTPResponse:
    """Begin to read the answer to a GET, or with a body to a POST with these headers. Raises as `call` does."""
    sent = address.headers if body is None else {**headers, **address.headers}
    request = urllib.request.Request(f"{address.url}{path}", data=body, headers=sent)  # noqa: S310  # http(s) only
    # A proxy is for the world outside; asking it for this machine's loopback would reach another machine's.
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if address.is_loopback else []))
    try:
        answer: HTTPResponse = opener.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as exc:
        from antiphon.client.faults import error_of_http  # only where it is needed: it loads pydantic

        with exc:
            raise error_of_http(exc.code, exc.read(), address.url) from exc
    except (OSError, HTTPException) as exc:
        raise _failed(address, exc) from exc
    return answer


def pieces(answer: HTTPResponse, address: Address) -> Iterator[bytes]:
    """The body as it comes. Raises ConnectionFailed if it ends before its end."""
    try:
        while piece := answer.read(PIECE_BYTES):
            yield piece
    except (OSError, HTTPException) as exc:
        raise _failed(address, exc) from exc


def _failed(address: Address, exc: Exception) -> ConnectionFailed:
    reason = getattr(exc, "reason", exc)
    return ConnectionFailed(f"no server at {address.url}: {getattr(reason, 'strerror', None) or reason}")
