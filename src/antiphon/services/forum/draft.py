"""What is about to be stored together: speeches, their records, sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from antiphon.messages import Cursor, NewEvent, encode_time
from antiphon.services.forum import phrases
from antiphon.services.forum.capture import as_written
from antiphon.services.forum.grammar import Record, write
from antiphon.services.forum.room import Room
from antiphon.services.forum.values import (
    CLEARED,
    LINE_STREAM,
    RECORDS,
    SESSION,
    SYSTEM,
    Heard,
    Speech,
    banner_time,
    clock_of,
    forum_channel,
    kind_of,
    new_session,
)


class Draft:
    """Changes the room and collects the events that say so.

    Args:
        tags: Whether records carry their session.
    """

    def __init__(self, room: Room, *, tags: bool) -> None:
        self.events: list[NewEvent] = []
        self.cursors: list[Cursor] = []  # of the events, once they are stored
        self.progress = 0  # log lines that were read
        self.room = room
        self._tags = tags
        self._channel = forum_channel(room.name)

    def say(self, type: str, data: Mapping[str, Any], *, by: str | None = None, key: str | None = None) -> None:  # noqa: A002
        """An event of the forum's channel."""
        self.events.append(NewEvent(self._channel, type, orjson.dumps(data), by, key))

    def speak(self, speech: Speech, *, key: str | None = None) -> dict[str, Any]:
        """Somebody speaks: the event, the record, what the host will hear. A muted source is only noted."""
        speech = speech._replace(session=self.room.session, muted=self.room.speaker(speech.source).muted)
        data = speech.encode()
        self.say("forum.speech", data, by=speech.by, key=key)
        self.room.said(Heard.of(data))
        if not speech.muted:
            is_agent = kind_of(speech.source) == "agent"
            content = as_written(speech.text, speech.source) if is_agent else speech.text
            self.record(speech.clock, speech.source, content)
        return data

    def record(self, clock: str, source: str, content: str) -> None:
        """A line of `forum.log`."""
        text = write(Record(clock, source, content, self.room.session), tags=self._tags)
        self.events.append(NewEvent(RECORDS, "line", orjson.dumps({"text": text, "stream": LINE_STREAM})))

    def begin_session(self, time_ms: int) -> None:
        """A new conversation: the file begins anew."""
        session = new_session()
        self.room.begin_session(session)
        self.events.append(NewEvent(RECORDS, CLEARED, orjson.dumps({"session": session})))
        self._banner(phrases.STARTED.format(time=banner_time(time_ms)), time_ms)
        if self._tags:
            self._banner(phrases.SESSION.format(session=session), time_ms)
        self._tell_session("started", None, time_ms)

    def end_session(self, reason: str, time_ms: int) -> None:
        """It is over; nothing happens where there is none."""
        if self.room.session is not None:
            self._banner(phrases.ENDED.format(time=banner_time(time_ms)), time_ms)
            self._tell_session("ended", reason, time_ms)
            self.room.end_session()

    def _banner(self, text: str, time_ms: int) -> None:
        self.record(clock_of(time_ms), SYSTEM, text)

    def _tell_session(self, status: str, reason: str | None, time_ms: int) -> None:
        at = encode_time(time_ms)
        self.say(SESSION, {"session": self.room.session, "status": status, "reason": reason, "at": at})
