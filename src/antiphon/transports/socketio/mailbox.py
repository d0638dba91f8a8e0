"""What waits for a client that polls: packets in order, handed over whole with its next request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from antiphon.transports.socketio.engine import MAX_PACKETS, Piece, decode_mail


class Mailbox:
    """The packets of one session between two requests, as they stand in an HTTP body.

    The bound is that of those who send: the hub offers nothing beyond its own, a session ends beyond another.
    """

    __slots__ = ("_is_waking", "_mail", "_wake", "queued_bytes", "sent_bytes")

    def __init__(self) -> None:
        self.queued_bytes = 0
        self.sent_bytes = 0
        self._mail: deque[bytes] = deque()
        self._wake: Callable[[], None] | None = None  # lets the request that is open return
        self._is_waking = False

    @property
    def is_polled(self) -> bool:
        """Whether a request is open."""
        return self._wake is not None

    def send(self, parts: Sequence[bytes]) -> None:
        """Keep packets; the hub calls this."""
        self._mail.extend(parts)
        self.queued_bytes += sum(map(len, parts)) + len(parts)
        self.release()

    def wait(self, wake: Callable[[], None]) -> None:
        """A request is open: `wake` is called once there is something, or at `release`, in a later step of the loop."""
        self._wake = wake
        if self._mail:
            self.release()

    def done(self) -> None:
        """No request is open any more."""
        self._wake = None

    def release(self) -> None:
        """Let the open request return with what there is, together with what comes in this step of the loop."""
        if self._wake is not None and not self._is_waking:
            self._is_waking = True
            asyncio.get_running_loop().call_soon(self._awaken)

    def _awaken(self) -> None:
        self._is_waking = False
        if self._wake is not None:
            self._wake()

    def take(self, most_bytes: int) -> list[bytes]:
        """The oldest packets that fit into one body; at least one if there is any."""
        taken: list[bytes] = []
        room = most_bytes
        while self._mail and len(taken) < MAX_PACKETS and (not taken or len(self._mail[0]) < room):
            mail = self._mail.popleft()
            taken.append(mail)
            room -= len(mail) + 1
        size = sum(map(len, taken)) + len(taken)
        self.queued_bytes -= size
        self.sent_bytes += size
        return taken

    def take_all(self) -> list[Piece]:
        """Everything, for another way of carrying it."""
        taken = [decode_mail(mail) for mail in self._mail]
        self._mail.clear()
        self.queued_bytes = 0
        return taken
