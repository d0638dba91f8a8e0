"""What is said in a forum, who says it, and what is answered to those who ask."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from antiphon.messages import encode_time

MAIN: Final = "main"  # the forum of this server; others are replayed files
RECORDS: Final = "log:forum"
LINE_STREAM: Final = "forum"
HOST, SYSTEM, PERSON = "HOST", "SYSTEM", "PERSON"
HOST_SENDER: Final = "Forum Host"
SPEECH, SESSION, HOST_EVENT, CLEARED = "forum.speech", "forum.session", "forum.host", "forum.cleared"

Kind = Literal["agent", "host", "system", "person"]
_KINDS: dict[str, Kind] = {HOST: "host", SYSTEM: "system", PERSON: "person"}
_SENDERS = {HOST: HOST_SENDER, SYSTEM: "System", PERSON: "Person"}


def forum_channel(name: str) -> str:
    """The channel of a forum."""
    return f"forum:{name}"


def log_channel(app: str) -> str:
    """Where an app's lines are."""
    return f"log:{app}"


def kind_of(source: str) -> Kind:
    """What speaks under a source."""
    return _KINDS.get(source, "agent")


def sender_of(source: str) -> str:
    """What people read: `Insight Engine`."""
    return _SENDERS.get(source, f"{source.title()} Engine")


def new_id(prefix: str) -> str:
    """An id nobody else has."""
    return f"{prefix}-{secrets.token_hex(8)}"


def new_session() -> str:
    """8 characters."""
    return secrets.token_hex(4)


def clock_of(time_ms: int) -> str:
    """`HH:MM:SS` in local time, as `forum.log` has it."""
    return f"{datetime.fromtimestamp(time_ms / 1000):%H:%M:%S}"  # noqa: DTZ006 - the file is in local time


def banner_time(time_ms: int) -> str:
    """Day and time as banners have them, local."""
    return f"{datetime.fromtimestamp(time_ms / 1000):%Y-%m-%d %H:%M:%S}"  # noqa: DTZ006


class Speech(NamedTuple):
    """One speech; its fields are those of the wire."""

    speech_id: str
    source: str
    text: str
    time_ms: int | None  # None = not known
    clock: str
    session: str | None
    sender: str = ""  # empty = that of the source
    origin: tuple[str, int, int] | None = None  # channel, first and last offset; None = it was posted
    muted: bool = False
    by: str | None = None

    def encode(self) -> dict[str, Any]:
        """As the data of `forum.speech`."""
        origin = None if self.origin is None else dict(zip(("channel", "offset", "upto"), self.origin, strict=True))
        return {
            "speech_id": self.speech_id,
            "source": self.source,
            "sender": self.sender or sender_of(self.source),
            "kind": kind_of(self.source),
            "text": self.text,
            "session": self.session,
            "said_at": None if self.time_ms is None else encode_time(self.time_ms),
            "clock": self.clock,
            "origin": origin,
            "muted": self.muted,
            "by": self.by,
        }


class Heard(NamedTuple):
    """A speech as the host gets it."""

    speech_id: str
    source: str
    sender: str
    clock: str
    text: str

    @property
    def counts(self) -> bool:
        """Whether it brings the host nearer to speaking: people's speeches are only put to it."""
        return kind_of(self.source) == "agent"

    @classmethod
    def of(cls, data: dict[str, Any]) -> Heard:
        """From the data of a `forum.speech`."""
        return cls(data["speech_id"], data["source"], data["sender"], data["clock"], data["text"])


class Posted(NamedTuple):
    """The answer to `forum.post`."""

    epoch: str
    offset: int
    speech: dict[str, Any]


class Replayed(NamedTuple):
    """The answer to `forum.replay`."""

    channel: str
    speeches: int
    sessions: int
    skipped: int  # banners and blank lines
