"""The room: who speaks, what the host has not been given yet, when it speaks. Plain code, no hub and no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from antiphon.services.forum.values import HOST, Heard, kind_of, sender_of
from antiphon.services.table import pointer

GIVE_UP_AFTER: Final = 3  # failures over the same speeches
HostStatus = Literal["idle", "speaking", "failed"]
Ops = list[dict[str, Any]]


class HostRow(NamedTuple):
    """The host as the state shows it."""

    status: HostStatus = "idle"
    agent: str | None = None  # None = offline
    run_id: str | None = None
    speech_id: str | None = None
    message: str | None = None


@dataclass(slots=True)
class Speaker:
    """One source."""

    sender: str
    kind: str
    muted: bool = False
    speeches: int = 0

    def row(self) -> dict[str, Any]:
        return {"sender": self.sender, "kind": self.kind, "muted": self.muted, "speeches": self.speeches}


@dataclass(slots=True)
class Room:
    """All that changes with a speech. `waiting` are the speeches to come before a failed host tries again."""

    name: str
    threshold: int
    session: str | None = None
    speakers: dict[str, Speaker] = field(default_factory=dict)
    buffer: list[Heard] = field(default_factory=list)
    host: HostRow = field(default_factory=HostRow)
    given: list[str] = field(default_factory=list)  # ids of what the host speaks about; not in the state
    failures: int = 0
    waiting: int = 0

    def speaker(self, source: str) -> Speaker:
        """The source's row, made where there is none."""
        return self.speakers.setdefault(source, Speaker(sender_of(source), kind_of(source)))

    def said(self, speech: Heard) -> None:
        """Somebody spoke, and the host may hear it."""
        self.speaker(speech.source).speeches += 1
        if kind_of(speech.source) in ("agent", "person") and not self.speakers[speech.source].muted:
            self.buffer.append(speech)
            if speech.counts:
                self.waiting = max(0, self.waiting - 1)

    def begin_session(self, session: str) -> None:
        """Everything begins anew, but not what people have set."""
        self.session = session
        self._empty()

    def end_session(self) -> None:
        self.session = None
        self._empty()

    def _empty(self) -> None:
        self.buffer, self.failures, self.waiting = [], 0, 0

    # The host

    @property
    def buffered(self) -> int:
        """Speeches of agents that the host has not been given."""
        return sum(1 for speech in self.buffer if speech.counts)

    @property
    def is_due(self) -> bool:
        """Whether the host is to speak now."""
        if self.host.status == "speaking" or self.is_host_muted or self.waiting:
            return False
        return self.buffered >= self.threshold

    @property
    def is_host_muted(self) -> bool:
        """Whether it is to keep silent."""
        return HOST in self.speakers and self.speakers[HOST].muted

    def oldest(self) -> list[Heard]:
        """What it is given: the oldest speeches, as many of agents as the threshold says, or fewer."""
        left, taken = self.threshold, list[Heard]()
        for speech in self.buffer:
            if not left:
                break
            taken.append(speech)
            left -= speech.counts
        return taken

    def heard(self, speech_ids: Iterable[str]) -> None:
        """These need not be put to it again."""
        gone = set(speech_ids)
        self.buffer = [speech for speech in self.buffer if speech.speech_id not in gone]
        self.failures = self.waiting = 0

    def failed(self, speech_ids: list[str]) -> list[str]:
        """It could not speak about these; returns those that are let go, so that it never fails at them for ever.

        It waits for one speech more, after the second failure for two more.
        """
        self.failures += 1
        if self.failures < GIVE_UP_AFTER:
            self.waiting = self.failures
            return []
        self.heard(speech_ids)
        self.waiting = 1
        return speech_ids

    # As a state

    def value(self) -> dict[str, Any]:
        """The state of the channel."""
        return {
            "name": self.name,
            "session": self.session,
            "threshold": self.threshold,
            "buffered": self.buffered,
            "speakers": {source: speaker.row() for source, speaker in self.speakers.items()},
            "host": self.host._asdict(),
        }

    def restore(self, value: Mapping[str, Any]) -> None:
        """Take over a state that was published; the buffer is not in it."""
        self.session, self.threshold = value["session"], value["threshold"]
        self.speakers = {source: Speaker(**row) for source, row in value["speakers"].items()}
        self.host = HostRow(**value["host"])


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Ops:
    """RFC 6902 operations from one state to the next; rows of speakers are replaced one by one."""
    ops: Ops = []
    for key, value in new.items():
        before = old.get(key)
        if key == "speakers" and before is not None:
            ops += [
                {"op": "add", "path": pointer(key, source), "value": row}
                for source, row in value.items()
                if before.get(source) != row
            ]
        elif key not in old or before != value:
            ops.append({"op": "add", "path": pointer(key), "value": value})
    return ops
