"""What a forum looks like in a terminal: a colour for each speaker, the host's words while they grow."""

from __future__ import annotations

import sys
from typing import Any

import antiphon
from antiphon import CaughtUp, Cursor, Event, Item, Live
from antiphon.cli.output import has_colour, safe
from antiphon.cli.tailing import DIM, RED, RESET, Lines, Notices, say_gap
from antiphon.client import Gap

_HUES = {"INSIGHT": 36, "MEDIA": 35, "QUERY": 34, "HOST": 33, "PERSON": 32}
_OTHERS = (36, 35, 34, 31)
BOLD = "\x1b[1m"


def follow_forum(name: str, last: int, *, follow: bool, as_json: bool) -> None:
    """Print a forum until Ctrl-C, or without `follow` what it has. Raises NotFound."""
    channel = f"forum:{name}"
    with antiphon.connect(first_connection_s=0, on_status=Notices()) as live:
        live.forum.get(name)
        shown = Lines() if as_json else Text()
        with live.subscribe(channel, after=_before_the_last(live, channel, last)) as items:
            try:
                while batch := items.take():
                    if _show(batch, shown) and not follow:
                        return
            except KeyboardInterrupt:
                return  # the usual way to end it
            finally:
                shown.close()


def _before_the_last(live: Live, channel: str, count: int) -> Cursor:
    page = live.history(channel, limit=1)
    return Cursor(page.epoch, max(page.oldest - 1, page.head - count, 0))


def _show(batch: list[Item], shown: Text | Lines) -> bool:
    """Whether all that was there has been shown."""
    for item in batch:
        if isinstance(item, Gap):
            say_gap(item)
        elif isinstance(item, Event):
            shown.show(item)
    shown.flush()
    return any(isinstance(item, CaughtUp) for item in batch)


class Text:
    """Writes a forum to standard output."""

    def __init__(self) -> None:
        self._has_colour = has_colour()
        self._growing: str | None = None  # the speech in whose line we are
        self._grown: set[str] = set()  # speeches that were shown while they grew
        self._parts: list[str] = []

    def show(self, event: Event) -> None:
        """Take the next event; it is seen after `flush`."""
        data: Any = event.data
        match event.type:
            case "message.open":
                self._begin(data["message_id"])
            case "message.append":
                if data["message_id"] == self._growing:
                    self._parts.append(_plain(data["delta"]))
            case "message.close":
                self._end(data)
            case "forum.speech":
                self._speech(data)
            case "forum.session":
                reason = f" ({data['reason']})" if data["reason"] else ""
                self._line(DIM, f"— session {data['session']} {data['status']}{reason} —")
            case "forum.host":
                self._line(RED if data["status"] != "stopped" else DIM, f"the host: {data['status']}: {data['reason']}")

    def _begin(self, speech_id: str) -> None:
        self._break()
        self._growing = speech_id
        self._grown.add(speech_id)
        self._parts.append(self._head("", "Forum Host", "HOST"))

    def _end(self, data: dict[str, Any]) -> None:
        if data["message_id"] == self._growing:
            if data["status"] != "completed":
                self._parts.append(self._paint(DIM, f" [{data['status']}]"))
            self._break()

    def _speech(self, data: dict[str, Any]) -> None:
        if data["speech_id"] in self._grown:  # it was seen to grow
            self._grown.discard(data["speech_id"])
            return
        self._break()
        muted = self._paint(DIM, "(muted) ") if data["muted"] else ""
        head = self._head(data["clock"], _plain(data["sender"]), data["source"])
        self._parts.append(f"{head}{muted}{_plain(data['text'])}\n")

    def _head(self, clock: str, sender: str, source: str) -> str:
        hue = _HUES.get(source) or _OTHERS[sum(map(ord, source)) % len(_OTHERS)]
        time = self._paint(DIM, f"{clock} ") if clock else ""
        return f"{time}{self._paint(f'{BOLD}{chr(27)}[{hue}m', f'{sender}:')} "

    def _line(self, colour: str, text: str) -> None:
        self._break()
        self._parts.append(self._paint(colour, _plain(text)) + "\n")

    def _break(self) -> None:
        if self._growing is not None:
            self._parts.append("\n")
            self._growing = None

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._has_colour else text

    def flush(self) -> None:
        """Write what has been taken."""
        sys.stdout.buffer.write("".join(self._parts).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
        self._parts.clear()

    def close(self) -> None:
        """End the line that is being written."""
        self._break()
        self.flush()


def _plain(text: str) -> str:
    return safe(text) if sys.stdout.isatty() else text
