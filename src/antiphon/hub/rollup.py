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
from antiphon.hub.turn import Answer, refuse
from antiphon.messages import NewEvent

WINDOW_S = 0.04
MAX_BYTES = 64 << 10  # of one rolled-up event

Key = tuple[str, str, str]  # channel, message, user


class Submit(Protocol):
    def __call__(self, events: Sequence[NewEvent], *, is_rolled: bool = False) -> asyncio.Future[Answer]: ...


class _Window:
    """What was said of one message since its last event."""

    __slots__ = ("answers", "parts", "size", "timer")

    def __init__(self, timer: asyncio.TimerHandle) -> None:
        self.timer = timer
        self.parts: list[NewEvent] = []
        self.answers: list[asyncio.Future[Answer]] = []
        self.size = 0


class RollUp:
    """Stands before the writer for channels in which a message grows."""

    def __init__(self, submit: Submit) -> None:
        self._submit = submit
        self._windows: dict[str, dict[Key, _Window]] = {}  # by channel

    def submit(self, event: NewEvent) -> asyncio.Future[Answer]:
        """Submit an event in order; an append's future has the cursor of the event that holds it."""
        key = _key(event) if event.type == APPEND else None
        if key is None:
            self.flush(event.channel)
            return self._submit([event])
        windows = self._windows.setdefault(event.channel, {})
        for other in [other for other in windows if other != key]:
            self._send(windows[other])
        window = windows.get(key)
        if window is None:
            windows[key] = _Window(asyncio.get_running_loop().call_later(WINDOW_S, self._expire, key))
            return self._submit([event])
        return self._hold(window, event)

    def _hold(self, window: _Window, event: NewEvent) -> asyncio.Future[Answer]:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        window.parts.append(event)
        window.answers.append(answer)
        window.size += len(event.payload)
        if window.size > MAX_BYTES:
            self._send(window)
        return answer

    def flush(self, channel: str) -> None:
        """Submit what is held back in a channel."""
        for window in self._windows.get(channel, {}).values():
            self._send(window)

    def drop(self, channel: str, error: AntiphonError) -> None:
        """Forget what is held back in a channel and refuse it: whoever said it was cancelled."""
        for window in self._windows.pop(channel, {}).values():
            window.timer.cancel()
            for answer in window.answers:
                refuse(answer, error)

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
        parts, answers = window.parts, window.answers
        window.parts, window.answers, window.size = [], [], 0
        try:
            self._submit(parts, is_rolled=True).add_done_callback(partial(_share, answers))
        except AntiphonError as exc:  # the writer is stopping
            for answer in answers:
                refuse(answer, exc)


def _share(answers: list[asyncio.Future[Answer]], rolled: asyncio.Future[Answer]) -> None:
    """Give each part its own answer."""
    error = rolled.exception()
    for index, answer in enumerate(answers):
        found = error if error is not None else rolled.result()[index]
        if isinstance(found, AntiphonError):
            refuse(answer, found)
        elif not answer.done() and not isinstance(found, BaseException):
            answer.set_result([found])


def _key(event: NewEvent) -> Key | None:
    """Which message an append belongs to; None for one that is malformed, which the writer will refuse."""
    data = orjson.loads(event.payload)
    if not isinstance(data, dict) or data.keys() != {"message_id", "delta"}:
        return None
    if not isinstance(data["message_id"], str) or not isinstance(data["delta"], str):
        return None
    return event.channel, data["message_id"], event.by or ""
