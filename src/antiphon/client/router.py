"""Which subscription a channel's events go to, and what to ask of the server so that they come. No sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from antiphon.client.backoff import Backoff
from antiphon.client.feed import After, Feed
from antiphon.client.lanes import Lane, Slot
from antiphon.client.requests import Answered
from antiphon.client.wire import Subscribed, WireCaughtUp, WireEvent, WireGap, checked
from antiphon.errors import AlreadySubscribed, AntiphonError, ClientClosed, ConnectionLost

Ask = Callable[[str, dict[str, Any], Answered], None]


class Router:
    """All subscriptions of one client. `ask` sends a request on the present connection."""

    def __init__(self, ask: Ask) -> None:
        self.is_connected = False
        self._ask = ask
        self._slots: dict[str, Slot] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    # What callers want

    def subscribe(self, places: Mapping[str, After], feed: Feed) -> None:
        """Deliver these channels into `feed` from now on. Raises AlreadySubscribed."""
        for channel in places:
            slot = self._slots.get(channel)
            if slot is not None and slot.lane is not None and not slot.lane.feed.is_closed:
                raise AlreadySubscribed(f"this client is subscribed to {channel} already: open another one")
        for channel, after in places.items():
            slot = self._slots.setdefault(channel, Slot(channel))
            slot.lane = Lane(channel, after, feed)
            self._steer(slot)

    def unsubscribe(self, feed: Feed) -> None:
        """Deliver nothing more into `feed`."""
        for slot in self._slots_of(feed):
            slot.lane = None
            self._steer(slot)

    def drained(self, feed: Feed) -> None:
        """A paused feed has room again."""
        feed.is_paused = False
        for slot in self._slots_of(feed):
            self._steer(slot)

    def fail(self, error: AntiphonError) -> None:
        """No connection will come: all feeds end with `error`."""
        self.is_connected = False
        for timer in self._timers:
            timer.cancel()
        for slot in self._slots.values():
            if slot.lane is not None:
                slot.lane.feed.fail(error)
        self._slots.clear()

    # What the connection does

    def connected(self) -> None:
        """There is a new connection, which knows nothing: subscribe to everything that is wanted."""
        self.is_connected = True
        for slot in list(self._slots.values()):
            self._steer(slot)

    def disconnected(self) -> None:
        """The connection is gone, and its subscriptions with it."""
        self.is_connected = False
        for slot in list(self._slots.values()):
            slot.left()
            self._steer(slot)

    def event(self, event: WireEvent, size: int) -> None:
        """An event came; `size` is the length of its frame in bytes."""
        slot = self._slots.get(event.channel)
        if slot is None or (lane := slot.listener) is None:
            return
        slot.event(event, size)
        if lane.feed.must_pause:
            self._pause(lane.feed)
        elif slot.listener is None:
            self._steer(slot)

    def notice(self, notice: WireCaughtUp | WireGap) -> None:
        """A `caught_up` or a `gap` came."""
        slot = self._slots.get(notice.channel)
        lane = None if slot is None else slot.listener
        if lane is None:
            return
        if isinstance(notice, WireGap):
            lane.gap(notice)
        else:
            lane.caught_up(notice)

    # Between the two

    def _slots_of(self, feed: Feed) -> list[Slot]:
        slots = [self._slots.get(channel) for channel in feed.channels]
        return [slot for slot in slots if slot is not None and slot.lane is not None and slot.lane.feed is feed]

    def _pause(self, feed: Feed) -> None:
        feed.is_paused = True
        feed.pauses += 1
        for slot in self._slots_of(feed):
            self._steer(slot)

    def _steer(self, slot: Slot) -> None:
        """Ask the server for the next step towards what is wanted of this channel."""
        step = slot.next_request() if self.is_connected else None
        if step is not None:
            method, params = step
            self._ask(method, params, self._on_subscribe(slot) if method == "subscribe" else self._on_unsubscribe(slot))
        elif slot.is_free and self._slots.get(slot.channel) is slot:
            del self._slots[slot.channel]

    def _on_subscribe(self, slot: Slot) -> Answered:
        def answered(result: Any, error: AntiphonError | None) -> None:
            if isinstance(error, ConnectionLost | ClientClosed):
                return  # `disconnected` tells all slots
            if error is None:
                slot.subscribed(checked(Subscribed, result))
            else:
                self._refused(slot, error)
            self._steer(slot)

        return answered

    def _on_unsubscribe(self, slot: Slot) -> Answered:
        def answered(_result: Any, error: AntiphonError | None) -> None:
            if isinstance(error, ConnectionLost | ClientClosed):
                return
            slot.left()  # also where it was refused: then there was nothing to leave
            self._steer(slot)

        return answered

    def _refused(self, slot: Slot, error: AntiphonError) -> None:
        lane = slot.active
        slot.left()
        if lane is None or lane is not slot.lane:
            return
        if error.retryable:
            self._hold(slot)
            return
        slot.lane = None
        lane.feed.fail(error)

    def _hold(self, slot: Slot) -> None:
        def release() -> None:
            self._timers.discard(timer)
            slot.is_held = False
            self._steer(slot)

        slot.is_held = True
        timer = asyncio.get_running_loop().call_later(Backoff(base_s=2.0).next_s(at_least_s=0.5), release)
        self._timers.add(timer)
