"""The opening handshake of a WebSocket, the server's side, without I/O. Source: RFC 6455, section 4.2."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = b"13"

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Headers = list[tuple[bytes, bytes]]


class Refused(Exception):
    """The handshake is answered with this HTTP response instead."""

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]] = (), body: bytes = b"") -> None:
        super().__init__(status)
        self.status = status
        self.headers = list(headers)
        self.body = body


class Request(NamedTuple):
    """A request's head; names of headers in lower case, duplicates kept."""

    method: bytes
    target: bytes
    headers: Headers

    @property
    def path(self) -> str:
        """As routers see it: without the query, decoded."""
        return unquote(self.raw_path.decode("latin-1"))

    @property
    def raw_path(self) -> bytes:
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        return self.target.partition(b"?")[2]

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]

    def tokens(self, name: bytes) -> set[bytes]:
        """The parts of comma-separated headers, in lower case."""
        return {part.strip().lower() for value in self.values(name) for part in value.split(b",")}


def read_request(data: bytes) -> Request:
    """Read a complete head of a request. Raises Refused (400)."""
    head, end, _ = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    parts = first.split(b" ")
    if not end or len(parts) != 3 or parts[2] != b"HTTP/1.1":
        raise _bad("this is no HTTP/1.1 request")
    return Request(parts[0], parts[1], [_header(line) for line in lines])


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name):
        raise _bad("a header cannot be read")
    return name.lower(), value.strip(b" \t")


def accept(request: Request) -> Headers:
    """The headers of the answer that opens the socket.

    Raises:
        Refused: 400, 405 or 426, where the request cannot open one.
    """
    if request.method != b"GET":
        raise Refused(405, [(b"allow", b"GET")])
    if b"websocket" not in request.tokens(b"upgrade") or b"upgrade" not in request.tokens(b"connection"):
        raise Refused(426, [(b"upgrade", b"websocket")], b"this is a WebSocket")
    if request.values(b"sec-websocket-version") != [VERSION]:
        raise Refused(
            426, [(b"upgrade", b"websocket"), (b"sec-websocket-version", VERSION)], b"version 13 is spoken here"
        )
    keys = request.values(b"sec-websocket-key")
    if len(keys) != 1 or not _is_key(keys[0]):
        raise _bad("Sec-WebSocket-Key is missing or wrong")
    return [
        (b"upgrade", b"websocket"),
        (b"connection", b"Upgrade"),
        (b"sec-websocket-accept", accept_value(keys[0])),
    ]


def accept_value(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False


def _bad(reason: str) -> Refused:
    return Refused(400, body=reason.encode())


def encode_switch(headers: Headers) -> bytes:
    """The response after which frames follow."""
    return _head(101, headers)


def encode_refusal(refused: Refused, headers: Headers) -> bytes:
    """A whole response, after which the connection is closed; `headers` are the server's own, such as the date."""
    given = {name for name, _ in refused.headers}
    rest = [
        (b"connection", b"close"),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(refused.body)).encode()),
    ]
    return (
        _head(refused.status, headers + refused.headers + [pair for pair in rest if pair[0] not in given])
        + refused.body
    )


def _head(status: int, headers: Headers) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b" % pair for pair in headers]
    return b"\r\n".join([*lines, b"", b""])
