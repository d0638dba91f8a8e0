"""What the service says about a forum: plain values, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from antiphon.client.answers import read
from antiphon.client.wire import Wire


@dataclass(frozen=True, slots=True)
class Speech:
    """What somebody said; the data of an event `forum.speech`."""

    speech_id: str
    source: str  # INSIGHT, MEDIA, QUERY, HOST, SYSTEM, PERSON, ...
    sender: str = ""  # what people read
    kind: str = "agent"  # agent, host, system, person
    text: str = ""
    session: str | None = None  # None = said outside a session
    said_at: datetime | None = None  # None = a replayed file does not tell the day
    clock: str = ""  # HH:MM:SS in the server's local time
    origin: dict[str, Any] | None = None  # {channel, offset, upto}; None = it was posted
    muted: bool = False  # whether its source was muted then
    by: str | None = None  # the user who posted it


@dataclass(frozen=True, slots=True)
class Speaker:
    """One source."""

    sender: str = ""
    kind: str = "agent"
    muted: bool = False
    speeches: int = 0


@dataclass(frozen=True, slots=True)
class ForumHost:
    """What the host does."""

    status: str = "idle"  # idle, speaking, failed
    agent: str | None = None  # None = it is offline and only quotes
    run_id: str | None = None  # while it speaks
    speech_id: str | None = None
    message: str | None = None  # why it failed


@dataclass(frozen=True, slots=True)
class ForumState:
    """A forum as it is now."""

    name: str
    session: str | None = None
    threshold: int = 0
    buffered: int = 0  # speeches of agents that the host has not been given
    speakers: dict[str, Speaker] = field(default_factory=dict)
    host: ForumHost = field(default_factory=ForumHost)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replayed file had."""

    channel: str
    speeches: int = 0
    sessions: int = 0
    skipped: int = 0


class _Forum(Wire):
    forum: ForumState


class _Posted(Wire):
    speech: Speech


class _Host(Wire):
    host: ForumHost


class _Replayed(Wire):
    channel: str
    speeches: int
    sessions: int
    skipped: int


def read_forum(result: Any) -> ForumState:
    """The result of `forum.get`, `forum.mute` and `forum.set_threshold`."""
    return read(_Forum, result).forum


def read_posted(result: Any) -> Speech:
    """The result of `forum.post`."""
    return read(_Posted, result).speech


def read_host(result: Any) -> ForumHost:
    """The result of `forum.call_host` and `forum.stop_host`."""
    return read(_Host, result).host


def read_replayed(result: Any) -> Replayed:
    """The result of `forum.replay`."""
    found = read(_Replayed, result)
    return Replayed(found.channel, found.speeches, found.sessions, found.skipped)
