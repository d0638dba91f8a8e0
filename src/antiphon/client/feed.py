"""The bounded queue between the connection and one subscription. Plain code but for the wake-up."""

from __future__ import annotations

import asyncio
from collections import deque

from antiphon.client.items import Item, Snapshot
from antiphon.errors import AntiphonError
from antiphon.messages import Cursor

MAX_ITEMS = 10_000
MAX_BYTES = 8 * 2**20
ITEM_OVERHEAD_BYTES = 400  # what an item costs beside its text: objects, queue slot

After = Cursor | str  # str: "start", "now" or EPOCH:OFFSET


class Feed:
    """What has arrived for a subscription and was not yet taken.

    When it is full the channels are unsubscribed (`is_paused`) and go on from their cursors once it is a quarter full:
    a consumer that does not read costs at most the bound, and stalls nobody else on the same connection.
    """

    def __init__(self, channels: tuple[str, ...], *, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES) -> None:
        self.channels = channels
        self.snapshots: dict[str, Snapshot] = {}
        self.changed = asyncio.Event()
        self.error: AntiphonError | None = None  # why it ended; None while it goes on, and after `close`
        self.is_closed = False
        self.is_paused = False
        self.pauses = 0  # how often it was full; for tests and curiosity
        self._unready = set(channels)
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._max_items = max_items
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_ready(self) -> bool:
        """Whether the server has answered for every channel."""
        return not self._unready

    def ready(self, channel: str) -> None:
        """The server has answered for this channel."""
        self._unready.discard(channel)
        self.changed.set()

    def push(self, item: Item, size: int = 0) -> None:
        """Add what arrived; `size` is the length of its frame in bytes."""
        size += ITEM_OVERHEAD_BYTES
        self._items.append((item, size))
        self._bytes += size
        self.changed.set()

    def pop(self) -> Item:
        """Take the oldest item. Raises IndexError if there is none."""
        item, size = self._items.popleft()
        self._bytes -= size
        return item

    @property
    def must_pause(self) -> bool:
        """Whether the bound has been reached and nobody has been told yet."""
        return not self.is_paused and (len(self._items) >= self._max_items or self._bytes >= self._max_bytes)

    @property
    def may_resume(self) -> bool:
        """Whether a paused feed has been drained enough to go on."""
        return self.is_paused and len(self._items) <= self._max_items // 4 and self._bytes <= self._max_bytes // 4

    def fail(self, error: AntiphonError) -> None:
        """It ends with this error once what is queued has been taken."""
        if self.error is None and not self.is_closed:
            self.error = error
        self.changed.set()

    def close(self) -> None:
        """Nobody wants it any more."""
        self.is_closed = True
        self._items.clear()
        self._bytes = 0
        self.changed.set()
