"""Show events as they come."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import orjson

import antiphon
from antiphon import CaughtUp, Cursor, Event, Gap, Item, Live
from antiphon.cli.ending import say
from antiphon.cli.output import has_colour, safe
from antiphon.client import Status
from antiphon.messages import encode_time

DIM, RED, RESET = "\x1b[2m", "\x1b[31m", "\x1b[0m"
_HUES = (36, 33, 35, 34, 32)  # of channel names, in turn


def show(channels: list[str], after: str | None, last: int | None, *, follow: bool, as_json: bool) -> None:
    """Print channels until Ctrl-C, or, without `follow`, until all are caught up."""
    with antiphon.connect(first_connection_s=0, on_status=Notices()) as live:
        places = _places(live, channels, after, last, follow)
        waiting = set(channels)
        write = _Json() if as_json else _Text(channels)
        with live.subscribe(*channels, after=places) as items:
            try:
                while batch := items.take():
                    write.all(batch)
                    waiting -= {item.channel for item in batch if isinstance(item, CaughtUp)}
                    if not follow and not waiting:
                        return
            except KeyboardInterrupt:
                return  # the usual way to end it


def _places(
    live: Live, channels: list[str], after: str | None, last: int | None, follow: bool
) -> Mapping[str, Cursor | str] | str:
    if last is None:
        text = after or ("now" if follow else "start")
        return text if text in ("start", "now") else dict.fromkeys(channels, text)
    return {name: _before_the_last(live, name, last) for name in channels}


def _before_the_last(live: Live, channel: str, count: int) -> Cursor:
    page = live.history(channel, limit=1)
    return Cursor(page.epoch, max(page.oldest - 1, page.head - count, 0))


class Notices:
    """Says on standard error when the connection is lost and when it is back."""

    def __init__(self) -> None:
        self._is_lost = False

    def __call__(self, status: Status) -> None:
        if status.phase == "waiting" and not self._is_lost:
            self._is_lost = True
            say(f"connection lost: {status.reason}; trying again")
        elif status.phase == "live" and self._is_lost:
            self._is_lost = False
            say("connected again")


def say_gap(gap: Gap) -> None:
    """What is missing, on standard error."""
    if gap.last >= gap.first:
        say(f"{gap.channel}: events {gap.first} to {gap.last} are missing ({gap.reason})")
    else:
        say(f"{gap.channel}: the log does not go on where it was ({gap.reason})")


class _Json:
    """One event per line, with its cursor."""

    def all(self, items: list[Item]) -> None:
        for item in items:
            if isinstance(item, Gap):
                say_gap(item)
        sys.stdout.buffer.write(b"".join(event_row(item) for item in items if isinstance(item, Event)))
        sys.stdout.buffer.flush()


def event_row(event: Event) -> bytes:
    """An event as a line of JSON."""
    row = {
        "channel": event.channel,
        "offset": event.offset,
        "type": event.type,
        "data": event.data,
        "time": encode_time(round(event.time.timestamp() * 1000)),
        "by": event.by,
        "cursor": str(event.cursor),
    }
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


class _Text:
    """Lines as lines, the rest as JSON; with several channels each line begins with its channel's name."""

    def __init__(self, channels: list[str]) -> None:
        self._has_colour = has_colour()
        self._is_terminal = sys.stdout.isatty()
        width = max(len(name) for name in channels)
        self._prefixes = dict.fromkeys(channels, "")
        if len(channels) > 1:
            self._prefixes = {
                name: self._paint(f"{name:<{width}} │ ", f"\x1b[{_HUES[place % len(_HUES)]}m")
                for place, name in enumerate(channels)
            }

    def all(self, items: list[Item]) -> None:
        lines: list[str] = []
        for item in items:
            if isinstance(item, Event):
                lines.append(self._prefixes[item.channel] + self._body(item) + "\n")
            elif isinstance(item, Gap):
                say_gap(item)
        sys.stdout.buffer.write("".join(lines).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()

    def _body(self, event: Event) -> str:
        data: Any = event.data
        if event.type == "line" and isinstance(data, dict) and isinstance(data.get("text"), str):
            text = safe(data["text"]) if self._is_terminal else data["text"]
            return self._paint(text, RED) if data.get("stream") == "stderr" else text + self._reset(text)
        compact = orjson.dumps(data).decode()
        return self._paint(f"{event.type} {safe(compact) if self._is_terminal else compact}", DIM)

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{RESET}" if self._has_colour else text

    def _reset(self, text: str) -> str:
        """A colour that a program's line leaves on ends with the line."""
        return RESET if self._is_terminal and "\x1b" in text else ""


class Lines:
    """One event per line, as `antiphon tail --json` has them."""

    def show(self, event: Event) -> None:
        sys.stdout.buffer.write(event_row(event))

    def flush(self) -> None:
        sys.stdout.buffer.flush()

    def close(self) -> None:
        self.flush()
