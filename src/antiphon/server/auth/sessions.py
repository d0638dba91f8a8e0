"""Session cookies: signed, so that the server stores nothing and a restart ends nobody's session.

`1.EXPIRES.FINGERPRINT.NAME.SIGNATURE`. The fingerprint is of the token's digest: with another token, or without the
user, the session is over.
"""

from __future__ import annotations

import hmac
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

LIFETIME_S = 14 * 24 * 3600

_VALUE = re.compile(r"1\.([0-9]{1,12})\.([0-9a-f]{64})\.([A-Za-z0-9_=-]{1,400})\.([0-9a-f]{64})")


class Session(NamedTuple):
    """What a valid cookie says."""

    name: str
    expires_at: int  # Unix time, seconds
    fingerprint: str


class Sessions:
    """Signs and reads session cookies.

    Args:
        key: 32 secret bytes; another key ends all sessions.
        clock: Unix time in seconds.
    """

    def __init__(self, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def sign(self, name: str, token_sha256: str) -> str:
        """The cookie of a new session of a user whose token has this digest."""
        encoded = urlsafe_b64encode(name.encode()).decode()
        expires_at = int(self._clock()) + LIFETIME_S
        body = f"1.{expires_at}.{self.fingerprint(token_sha256)}.{encoded}"
        return f"{body}.{self._mac('session', body)}"

    def read(self, value: str) -> Session | None:
        """What a cookie says; None if it is not ours, was altered or has ended."""
        match = _VALUE.fullmatch(value)
        if match is None or not hmac.compare_digest(match[4], self._mac("session", value[: match.start(4) - 1])):
            return None
        expires_at = int(match[1])
        if self._clock() >= expires_at:
            return None
        return Session(urlsafe_b64decode(match[3]).decode(), expires_at, match[2])

    def belongs(self, session: Session, token_sha256: str) -> bool:
        """Whether the session was opened with the token that has this digest."""
        return hmac.compare_digest(session.fingerprint, self.fingerprint(token_sha256))

    def fingerprint(self, token_sha256: str) -> str:
        """Keyed, so that a stolen cookie does not help to guess a weak token."""
        return self._mac("token", token_sha256)

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}\0{text}".encode(), sha256).hexdigest()
