"""Tokens of runs: what a run's own children are given. Signed, so that the server stores nothing.

`antiphon_run.1.EXPIRES.RUN_ID.SIGNATURE`. Its holder may follow the run, say something in it, and read the questions;
nothing else, and nothing after its end.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from antiphon.server.access import User

PREFIX = "antiphon_run."
_TOKEN = re.compile(r"antiphon_run\.1\.([0-9]{1,12})\.([A-Za-z0-9_-]{1,64})\.([0-9a-f]{64})")


class RunToken(NamedTuple):
    """Lets its holder speak in one run."""

    token: str
    expires_at: int  # Unix time, seconds


class RunTokens:
    """Signs and reads the tokens of runs.

    Args:
        key: 32 secret bytes; another key ends all tokens.
        clock: Unix time in seconds.
    """

    def __init__(self, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def sign(self, run_id: str, ttl_s: float) -> RunToken:
        """A token for one run that ends in `ttl_s` seconds."""
        expires_at = int(self._clock() + ttl_s)
        body = f"{PREFIX}1.{expires_at}.{run_id}"
        return RunToken(f"{body}.{self._mac(body)}", expires_at)

    def read(self, token: str) -> User | None:
        """Whom a token stands for; None if it is not ours, was altered or has ended."""
        match = _TOKEN.fullmatch(token)
        if match is None or not hmac.compare_digest(match[3], self._mac(token[: match.start(3) - 1])):
            return None
        expires_at = int(match[1])
        return None if self._clock() >= expires_at else holder(match[2], expires_at)

    def _mac(self, body: str) -> str:
        return hmac.new(self._key, f"run\0{body}".encode(), sha256).hexdigest()


def holder(run_id: str, expires_at: float) -> User:
    """Whoever holds a run's token. No user of the settings can have this name: it has a colon."""
    channel = f"run:{run_id}"
    return User(channel, (f"read {channel}", f"publish {channel}", "read questions"), expires_at)
