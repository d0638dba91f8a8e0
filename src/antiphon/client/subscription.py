"""What `live.subscribe` returns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from antiphon.client.feed import Feed
from antiphon.client.items import Item, Snapshot
from antiphon.client.router import Router
from antiphon.messages import Cursor


class Subscription:
    """Events, gaps and catch-ups of one or several channels, over all reconnects; an asynchronous iterator.

    Per channel each event comes once and in order, or a Gap says what is missing. Leaving the loop for good ends it;
    so does `aclose`. `async with live.subscribe(...) as items` waits until the server has subscribed all channels.
    Cancelling is safe: an item that was not returned stays queued.
    Raises (from iteration):
        AccessError, InputError, LimitError: The server refused a channel.
        ClientClosed: The client was closed meanwhile.
    """

    def __init__(self, feed: Feed, router: Router, leave: Callable[[Feed], None]) -> None:
        self._feed = feed
        self._router = router
        self._leave = leave  # from any thread
        self._cursors: dict[str, Cursor] = {}

    @property
    def cursors(self) -> Mapping[str, Cursor]:
        """Per channel the place after the last item that was returned: what to store, to go on there another time."""
        return self._cursors

    @property
    def snapshots(self) -> Mapping[str, Snapshot]:
        """Per channel what it amounted to where the events began, if the server said so (a state, open messages)."""
        return self._feed.snapshots

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        if not await self._filled():
            raise StopAsyncIteration
        return self._take()

    async def take(self, limit: int = 1000) -> list[Item]:
        """Wait for at least one item and return all that are there, at most `limit`; empty once it has been closed."""
        if not await self._filled():
            return []
        return [self._take() for _ in range(min(limit, len(self._feed)))]

    async def _filled(self) -> bool:
        feed = self._feed
        while not len(feed):
            if feed.is_closed:
                return False
            if feed.error is not None:
                raise feed.error
            await self._next_change()
        return True

    async def _next_change(self) -> None:
        self._feed.changed.clear()
        await self._feed.changed.wait()

    def _take(self) -> Item:
        item = self._feed.pop()
        self._cursors[item.channel] = item.cursor
        if self._feed.may_resume:
            self._router.drained(self._feed)
        return item

    async def ready(self) -> None:
        """Wait until the server has answered for every channel. Raises as iteration does."""
        feed = self._feed
        while not feed.is_ready and not feed.is_closed:
            if feed.error is not None:
                raise feed.error
            await self._next_change()

    async def aclose(self) -> None:
        """End it; may be called twice. Iteration stops."""
        self._feed.close()
        self._router.unsubscribe(self._feed)

    async def __aenter__(self) -> Self:
        try:
            await self.ready()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # `async for ... break` lets go of the iterator without a word; the collector may run in any thread.
        if not self._feed.is_closed:
            self._feed.close()
            with contextlib.suppress(RuntimeError):  # the loop is gone, and the connection with it
                self._leave(self._feed)
