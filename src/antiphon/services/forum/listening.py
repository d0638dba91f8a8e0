"""Hearing that channels of this process go on; what they say is then read from the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from antiphon.hub import Encoded, Gap, Hub, Outlet
from antiphon.messages import Event

PAGE = 500


class Ear:
    """`wait` returns once a channel has or had something new since `clear`. Use as an async context manager."""

    is_shared = False

    def __init__(self, hub: Hub, *channels: str) -> None:
        self._hub = hub
        self._channels = channels
        self._news = asyncio.Event()
        self._outlet = Outlet(self, self)

    async def __aenter__(self) -> Self:
        """Raises InvalidChannel, StorageError."""
        for channel in self._channels:
            subscription, _ = await self._hub.subscribe(self._outlet, channel)
            self._hub.begin(subscription)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._outlet.close()

    def clear(self) -> None:
        """From here on news count. Read after this, then wait: nothing is missed."""
        self._news.clear()

    async def wait(self) -> None:
        await self._news.wait()

    async def read(self, after: int) -> list[Event]:
        """The next events of the first channel behind an offset, once there are some."""
        while True:
            self.clear()
            events = (await self._hub.history(self._channels[0], after=after, limit=PAGE)).events
            if events:
                return events
            await self.wait()

    # What an outlet asks of a codec and a sink

    @property
    def queued_bytes(self) -> int:
        return 0

    def send(self, parts: Sequence[Any]) -> None:  # noqa: ARG002
        self._news.set()

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002
        return _NEWS

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002
        return _NEWS

    def gap(self, gap: Gap) -> Encoded:  # noqa: ARG002
        return _NEWS


_NEWS = Encoded((None,), 0)
