"""What a subscription yields and what requests answer: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from antiphon.messages import Cursor


@dataclass(frozen=True, slots=True)
class State:
    """The JSON value of a channel; `version` is the offset of its last change, 0 for none."""

    version: int
    value: Any


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is still growing, with its text so far."""

    message_id: str
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a channel amounts to at `cursor`, for those who have not seen every event before it."""

    cursor: Cursor
    state: State | None  # None = the channel has no state
    messages: tuple[Message, ...]  # the open ones


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a channel."""

    channel: str
    offset: int
    type: str
    data: Any
    time: datetime  # UTC, when it was appended; never used for order
    by: str | None  # the user who caused it; None = the server itself
    epoch: str

    @property
    def cursor(self) -> Cursor:
        """Where to go on after this event: `live.subscribe(event.channel, after=event.cursor)`."""
        return Cursor(self.epoch, self.offset)


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that will not come: the offsets `first` to `last` of the life `epoch` (none where `last < first`).

    `reason` is `retention` (no longer kept), `epoch` (the log began a new life, all of the old one is gone),
    `beyond_head` (the cursor was ahead of the log), `missing` (the server skipped them) or a newer server's word.
    `state` and `messages` are what the channel amounts to after `last`; state None = it has none.
    """

    channel: str
    epoch: str
    first: int
    last: int
    reason: str
    state: State | None
    messages: tuple[Message, ...]

    @property
    def cursor(self) -> Cursor:
        """Where to go on after this gap."""
        return Cursor(self.epoch, self.last)


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The missed events of the channel have been yielded; what follows is live. Comes after each (re)connection."""

    channel: str
    epoch: str
    offset: int

    @property
    def cursor(self) -> Cursor:
        """The last event before the live ones."""
        return Cursor(self.epoch, self.offset)


Item = Event | Gap | CaughtUp


@dataclass(frozen=True, slots=True)
class History:
    """A page of a channel, ascending. `oldest` is the oldest offset kept (`head + 1`: none), `head` the newest."""

    epoch: str
    events: tuple[Event, ...]
    oldest: int
    head: int


@dataclass(frozen=True, slots=True)
class SearchSlice:
    """One slice of a search. Go on with `before=scanned_to` until `complete`; `count` is this slice's alone."""

    hits: tuple[Event, ...]  # newest first
    count: int
    scanned_to: int
    complete: bool


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """One channel: `oldest` is the oldest offset kept (`head + 1`: none), `head` the newest (0: none yet)."""

    channel: str
    oldest: int
    head: int


@dataclass(frozen=True, slots=True)
class Process:
    """A row of the process table."""

    status: str  # stopped, starting, running, unhealthy, stopping, exited, failed
    pid: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    signal: int | str | None = None
    cpu_percent: float | None = None  # of the whole tree; 100 = one core
    memory_bytes: int | None = None  # of the whole tree
    restarts: int = 0
    port: int | None = None
    reason: str | None = None  # why it is in this status, in words
    channel: str | None = None
    source: str | None = None  # config, or run: started by `antiphon run`
    stdin: bool = False  # whether text can be written to its standard input while it runs


@dataclass(frozen=True, slots=True)
class Connections:
    """Who is connected, and the last that ended; rows as in the protocol's page."""

    connections: tuple[dict[str, Any], ...]
    recent: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """How the client's connection is: `connecting`, `live`, `waiting` (to try again) or `closed`."""

    phase: Literal["connecting", "live", "waiting", "closed"]
    reason: str | None = None  # why it is not live; None = nothing went wrong
    retry_in_s: float | None = None  # while waiting
