"""Console lines: `[HH:MM:SS] text`, in local time."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

import orjson

from antiphon.messages import Event

LINE: Final = "line"


@lru_cache(maxsize=256)  # neighbours share their second, and formatting it is the costly part
def _clock(seconds: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def clock(time_ms: int) -> str:
    """A Unix time as a wall clock shows it here."""
    return _clock(time_ms // 1000)


def raw_line(event: Event) -> str | None:
    """What was said, trimmed and in one line; None where that is nothing, or the event is no line."""
    if event.type != LINE:
        return None
    text: str = orjson.loads(event.payload)["text"].strip()
    if "\n" in text or "\r" in text:
        text = " ".join(text.replace("\r", "\n").split("\n"))
    return text or None


def console_line(event: Event) -> str | None:
    """A line as consoles show it."""
    text = raw_line(event)
    return None if text is None else f"[{clock(event.time_ms)}] {text}"
