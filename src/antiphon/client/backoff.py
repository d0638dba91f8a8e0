"""How long to wait before trying again."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Full jitter: the n-th wait is anywhere between 0 and `base_s * 2**n`, at most `cap_s`.

    Clients that lost the same server thus come back spread out, not all at once.
    """

    def __init__(self, base_s: float = 0.5, cap_s: float = 15.0, pick: Callable[[float, float], float] | None = None):
        self.base_s = base_s
        self.cap_s = cap_s
        self._pick = pick or random.uniform  # spreading load, no secret
        self._failures = 0

    def next_s(self, at_least_s: float = 0.0, cap_s: float | None = None) -> float:
        """Seconds to wait after one more failure, on top of what the server asked for; `cap_s` if that is lower."""
        limit_s = min(self.cap_s, self.base_s * 2 ** min(self._failures, 30))
        limit_s = limit_s if cap_s is None else min(limit_s, cap_s)
        self._failures += 1
        return at_least_s + self._pick(0.0, limit_s)

    def reset(self) -> None:
        """It worked: the next failure is the first again."""
        self._failures = 0
