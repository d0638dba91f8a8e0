"""Requests that are answered with an error of the protocol. Source: Engine.IO protocol, revision 4."""

from __future__ import annotations

from typing import NamedTuple

import orjson

Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    kind: bytes  # its content type
    body: bytes

    @property
    def headers(self) -> Headers:
        return [
            (b"content-type", self.kind),
            (b"content-length", b"%d" % len(self.body)),
            (b"cache-control", b"no-store"),
        ]


class EngineRefused(Exception):
    """A request that is answered with an error of the protocol."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    @property
    def answer(self) -> Answer:
        body = orjson.dumps({"code": self.code, "message": self.message})
        return Answer(self.status, b"application/json", body)


def unknown_transport() -> EngineRefused:
    return EngineRefused(0, "Transport unknown")


def unknown_session() -> EngineRefused:
    return EngineRefused(1, "Session ID unknown")


def bad_method() -> EngineRefused:
    return EngineRefused(2, "Bad handshake method")


def bad_request(why: str = "Bad request", status: int = 400) -> EngineRefused:
    return EngineRefused(3, why, status)


def bad_version() -> EngineRefused:
    return EngineRefused(5, "Unsupported protocol version")
