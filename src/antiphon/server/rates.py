"""How fast one user may publish."""

from __future__ import annotations

import time
from collections.abc import Callable

from antiphon.errors import Busy
from antiphon.server.access import LOCAL, User


class Rates:
    """A bucket per user that refills steadily and holds one second's worth.

    Args:
        per_s: Events per second; None = unlimited.
        clock: Seconds that only grow.
    """

    def __init__(self, per_s: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._clock = clock
        self._full_at: dict[str, float] = {}  # when each user's bucket is full again; as many as there are users

    def take(self, user: User, events: int = 1) -> None:
        """Count events of `user`; several at once may run ahead, and the next wait the longer.

        Raises:
            Busy: Already the first is too fast, and nothing was counted; never for LOCAL.
        """
        if self._per_s is None or user.name == LOCAL.name:
            return
        now = self._clock()
        full_at = max(self._full_at.get(user.name, now), now) + 1 / self._per_s
        if full_at - now > max(1.0, 1 / self._per_s) + 1e-9:
            raise Busy(f"User {user.name!r} may publish {self._per_s:g} events per second (limits.publishes_per_s)")
        self._full_at[user.name] = full_at + (events - 1) / self._per_s
