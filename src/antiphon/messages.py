"""Values that every room shares: cursors, events and what is asked to be appended."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from antiphon.errors import InvalidChannel, InvalidCursor

CHANNEL_PATTERN = r"[A-Za-z0-9_.:~-]{1,255}"
EPOCH_PATTERN = r"[A-Za-z0-9]{1,32}"
MAX_OFFSET = 2**53 - 1  # what JavaScript can count to

_channel = re.compile(CHANNEL_PATTERN)
_cursor = re.compile(rf"({EPOCH_PATTERN}):(0|[1-9][0-9]{{0,15}})")


def check_channel(name: str) -> str:
    """Return `name` if a channel can have it. Raises InvalidChannel."""
    if not _channel.fullmatch(name):
        raise InvalidChannel(f"{name[:80]!r} is no channel name: 1 to 255 of A-Z a-z 0-9 _ . : ~ -")
    return name


class Cursor(NamedTuple):
    """The last event somebody has; offset 0 stands before the first."""

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read `EPOCH:OFFSET`. Raises InvalidCursor."""
        match = _cursor.fullmatch(text)
        if match is None or int(match[2]) > MAX_OFFSET:
            raise InvalidCursor(f"{text[:80]!r} is no cursor: EPOCH:OFFSET")
        return cls(match[1], int(match[2]))


class Event(NamedTuple):
    """One entry of a channel. `payload` is its data as JSON, encoded once when it was published."""

    channel: str
    offset: int
    type: str
    payload: bytes
    time_ms: int  # Unix time; never used for order
    by: str | None  # user who caused it; None = the server itself

    @property
    def data(self) -> Any:
        """The decoded payload; decoded anew at each access."""
        return orjson.loads(self.payload)


class NewEvent(NamedTuple):
    """What somebody asks to be appended to a channel."""

    channel: str
    type: str
    payload: bytes
    by: str | None = None
    idempotency_key: str | None = None  # scope: `by` and channel; None = no protection against retries
    time_ms: int | None = None  # None = the moment of the append


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def encode_time(time_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return f"{_encode_second(time_ms // 1000)}.{time_ms % 1000:03d}Z"


@lru_cache(maxsize=64)  # neighbouring events share their second, and formatting it is the costly part
def _encode_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
