"""What waits for a client that polls: packets in order, handed over whole with its next request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from antiphon.transports.socketio.engine import MAX_PACKETS, Piece, payload_size


class Mailbox:
    """The packets of one session between two requests.

    The bound is the hub's, which offers nothing beyond it.
    """

    __slots__ = ("_pieces", "_sizes", "_waiting", "queued_bytes", "sent_bytes")

    def __init__(self) -> None:
        self.queued_bytes = 0
        self.sent_bytes = 0
        self._pieces: deque[Piece] = deque()
        self._sizes: deque[int] = deque()
        self._waiting: asyncio.Future[None] | None = None  # the request that is open

    @property
    def is_polled(self) -> bool:
        """Whether a request is open."""
        return self._waiting is not None

    def send(self, parts: Sequence[Piece]) -> None:
        """Keep packets; the hub calls this."""
        for piece in parts:
            size = payload_size(piece)
            self._pieces.append(piece)
            self._sizes.append(size)
            self.queued_bytes += size
        if self._pieces:
            self.release()

    async def filled(self) -> None:
        """Wait until there is something, or `release`; one request at a time."""
        if self._pieces:
            return
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def release(self) -> None:
        """Let the open request return with what there is."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def take(self, most_bytes: int) -> list[Piece]:
        """The oldest packets that fit into one body; at least one if there is any."""
        taken: list[Piece] = []
        room = most_bytes
        while self._pieces and len(taken) < MAX_PACKETS and (not taken or self._sizes[0] <= room):
            size = self._sizes.popleft()
            taken.append(self._pieces.popleft())
            room -= size
            self.queued_bytes -= size
            self.sent_bytes += size
        return taken

    def take_all(self) -> list[Piece]:
        """Everything, for another way of carrying it."""
        taken = list(self._pieces)
        self._pieces.clear()
        self._sizes.clear()
        self.queued_bytes = 0
        return taken
