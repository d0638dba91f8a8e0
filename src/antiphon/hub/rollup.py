"""Growing messages are rolled up before they are appended: one event for all deltas of a moment.

The first append goes at once; what follows within 40 ms becomes one event. Offsets stay contiguous, late joiners get
the text so far, and the cost of a token is that of its text. Everything else that is said in the channel waits behind
the deltas that were said before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import orjson

from antiphon.errors import AntiphonError
from antiphon.hub.fold import APPEND
from antiphon.hub.turn import Answer, Done, tell
from antiphon.messages import NewEvent

WINDOW_S = 0.04
MAX_BYTES = 64 << 10  # of one rolled-up event

Key = tuple[str, str, str]  # channel, message, user


class Submit(Protocol):
    def __call__(self, events: Sequence[NewEvent], done: Done, *, is_rolled: bool = False) -> None: ...


class _Window:
    """What was said of one message since its last event."""

    __slots__ = ("parts", "size", "timer", "waiting")

    def __init__(self, timer: asyncio.TimerHandle) -> None:
        self.timer = timer
        self.parts: list[NewEvent] = []
        self.waiting: list[Done] = []
        self.size = 0


class RollUp:
    """Stands before the writer for channels in which a message grows."""

    def __init__(self, submit: Submit) -> None:
        self._submit = submit
        self._windows: dict[str, dict[Key, _Window]] = {}  # by channel

    def submit(self, event: NewEvent, done: Done) -> None:
        """Submit an event in order; an append is told the cursor of the event that holds it."""
        key = _key(event) if event.type == APPEND else None
        if key is None:
            if self._windows:
                self.flush(event.channel)
            self._submit((event,), done)
            return
        windows = self._windows.setdefault(event.channel, {})
        for other in [other for other in windows if other != key]:
            self._send(windows[other])
        window = windows.get(key)
        if window is None:
            windows[key] = _Window(asyncio.get_running_loop().call_later(WINDOW_S, self._expire, key))
            self._submit((event,), done)
        else:
            self._hold(window, event, done)

    def _hold(self, window: _Window, event: NewEvent, done: Done) -> None:
        window.parts.append(event)
        window.waiting.append(done)
        window.size += len(event.payload)
        if window.size > MAX_BYTES:
            self._send(window)

    def flush(self, channel: str) -> None:
        """Submit what is held back in a channel."""
        for window in self._windows.get(channel, {}).values():
            self._send(window)

    def drop(self, channel: str, error: AntiphonError) -> None:
        """Forget what is held back in a channel and refuse it: whoever said it was cancelled."""
        for window in self._windows.pop(channel, {}).values():
            window.timer.cancel()
            for done in window.waiting:
                tell(done, error)

    def close(self) -> None:
        """Submit everything that is held back."""
        for windows in self._windows.values():
            for window in windows.values():
                window.timer.cancel()
                self._send(window)
        self._windows.clear()

    def _expire(self, key: Key) -> None:
        windows = self._windows.get(key[0], {})
        window = windows.get(key)
        if window is None:
            return
        if window.parts:
            self._send(window)
            window.timer = asyncio.get_running_loop().call_later(WINDOW_S, self._expire, key)
            return
        del windows[key]
        if not windows:
            del self._windows[key[0]]

    def _send(self, window: _Window) -> None:
        if not window.parts:
            return
        parts, waiting = window.parts, window.waiting
        window.parts, window.waiting, window.size = [], [], 0
        try:
            self._submit(parts, partial(_share, waiting), is_rolled=True)
        except AntiphonError as exc:  # the writer is stopping
            _share(waiting, exc)


def _share(waiting: list[Done], answer: Answer | AntiphonError) -> None:
    """Give each part its own answer."""
    for index, done in enumerate(waiting):
        found = answer if isinstance(answer, AntiphonError) else answer[index]
        tell(done, found if isinstance(found, AntiphonError) else [found])


def _key(event: NewEvent) -> Key | None:
    """Which message an append belongs to; None for one that is malformed, which the writer will refuse."""
    data = orjson.loads(event.payload)
    if not isinstance(data, dict) or data.keys() != {"message_id", "delta"}:
        return None
    if not isinstance(data["message_id"], str) or not isinstance(data["delta"], str):
        return None
    return event.channel, data["message_id"], event.by or ""
