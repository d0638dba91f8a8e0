"""An old `forum.log`, read into a forum of its own. Plain code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson

from antiphon.messages import NewEvent, encode_time
from antiphon.services.forum import phrases
from antiphon.services.forum.grammar import Banner, Record, parse
from antiphon.services.forum.room import Room, changes
from antiphon.services.forum.values import SESSION, SPEECH, SYSTEM, Replayed, Speech, forum_channel

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)")
_TAG = re.compile(r"ID:\s*([A-Za-z0-9]{8})")
_ENDING = ("结束", "end")
_MIDNIGHT_S = 12 * 3600  # a clock that goes back so far has passed midnight


class Replay:
    """Takes the lines of a file; `events` are what its forum says, `answer` sums them up.

    Days are only in the banners of sessions; before the first one nothing is known but the clock.
    """

    def __init__(self, name: str) -> None:
        self.room = Room(name, 1)
        self.events: list[NewEvent] = []
        self._speeches = self._sessions = self._skipped = 0
        self._last: datetime | None = None

    @property
    def answer(self) -> Replayed:
        return Replayed(forum_channel(self.room.name), self._speeches, self._sessions, self._skipped)

    def take(self, lines: Iterable[str]) -> None:
        """Read records in order; a session that has no end is left open."""
        for line in lines:
            found = parse(line)
            if isinstance(found, Banner) or not found.content:
                self._skipped += 1
            elif found.source == SYSTEM and phrases.BANNER in found.content:
                self._banner(found)
            elif found.source == SYSTEM and (tag := _TAG.search(found.content)):
                self.room.session = tag[1]
            else:
                self._speak(found)
        self.room.buffer = []
        self._say("state.patch", {"ops": changes({}, self.room.value())})

    def _banner(self, record: Record) -> None:
        moment = _MOMENT.search(record.content)
        if moment is not None:
            self._last = _local(moment[0])
        at = None if self._last is None or moment is None else encode_time(int(self._last.timestamp() * 1000))
        if any(word in record.content for word in _ENDING):
            self._say(SESSION, {"session": self.room.session, "status": "ended", "reason": None, "at": at})
            self.room.session = None
            return
        self._sessions += 1
        self.room.session = record.session or f"{self._sessions:08d}"
        self._say(SESSION, {"session": self.room.session, "status": "started", "reason": None, "at": at})

    def _speak(self, record: Record) -> None:
        self._speeches += 1
        speech = Speech(
            speech_id=f"line-{self._speeches}",
            source=record.source,
            text=record.content,
            time_ms=self._moment(record.clock),
            clock=record.clock,
            session=record.session or self.room.session,
        )
        self.room.speaker(record.source).speeches += 1
        self._say(SPEECH, speech.encode())

    def _moment(self, clock: str) -> int | None:
        if self._last is None:
            return None
        hours, minutes, seconds = map(int, clock.split(":"))
        if hours > 23 or minutes > 59 or seconds > 59:
            return None
        moment = self._last.replace(hour=hours, minute=minutes, second=seconds)
        if (self._last - moment).total_seconds() > _MIDNIGHT_S:
            moment += timedelta(days=1)
        self._last = moment
        return int(moment.timestamp() * 1000)

    def _say(self, type: str, data: dict[str, Any]) -> None:  # noqa: A002
        self.events.append(NewEvent(forum_channel(self.room.name), type, orjson.dumps(data)))


def _local(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        return None


def digest_of(lines: Iterable[str]) -> str:
    """By which the same file is known again."""
    return hashlib.blake2b("\n".join(lines).encode("utf-8", "replace"), digest_size=16).hexdigest()
