"""Delays between attempts: doubling, bounded, with jitter. Plain numbers; nothing here waits."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """The delays before attempts 1, 2, 3, ...; `reset` begins again."""

    initial_s: float = 0.2
    max_s: float = 15.0
    jitter: float = 0.2  # part of the delay that is random: 0.2 = between 80 and 100 percent
    random: Callable[[], float] = random.random  # between 0 and 1
    attempts: int = field(default=0, init=False)

    def next_s(self) -> float:
        """Seconds to wait before the next attempt."""
        delay = min(self.max_s, self.initial_s * 2.0 ** min(self.attempts, 60))
        self.attempts += 1
        return delay * (1 - self.jitter * self.random())

    def reset(self) -> None:
        """The last attempt succeeded."""
        self.attempts = 0
