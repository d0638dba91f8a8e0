"""One run as the entries of one event stream: which of them the client has, and what each is called.

What a translator says depends on nothing but the run's events, so every entry has a place that can be found again:

- `EPOCH:OFFSET`: everything of this event and those before it was sent;
- `EPOCH:OFFSET+K`: and K entries of the event that follows;
- `EPOCH:OFFSET~K`: the client joined at this event, and was sent K entries of what tells it where the run is.

To continue, the events before are taken in quietly. Specification: docs/agui.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from antiphon.hub import Encoded, Gap, Subscribed, Summary
from antiphon.messages import EPOCH_PATTERN, MAX_OFFSET, Event

_PLACE = re.compile(rf"({EPOCH_PATTERN}):(0|[1-9][0-9]{{0,15}})(?:([+~])([0-9]{{1,6}}))?")
NOTHING = Encoded((), 0)


class Translator(Protocol):
    """One run's events as the messages of another protocol, as JSON."""

    @property
    def ended(self) -> bool:
        """Whether the last message was made: nothing may follow."""

    @property
    def is_over(self) -> bool:
        """Whether nothing can follow what was taken in quietly."""

    def begin(self, summary: Summary | None) -> None:
        """What was before the first event that is left of the run."""

    def follow(self, event: Event) -> None:
        """Take in an event that the client has, or that `join` will tell of."""

    def join(self) -> list[bytes]:
        """Where the run is now, for a client that has nothing."""

    def event(self, event: Event) -> list[bytes]:
        """What an event is said as."""

    def goodbye(self, reason: str) -> list[bytes]:
        """The stream ends before the run does."""

    def gap(self) -> list[bytes]:
        """What was to come next is not kept."""


class Place(NamedTuple):
    """Where a stream begins."""

    offset: int  # events up to here are taken in quietly
    joins: bool  # then the client is told where the run is
    skip: int  # so many of the entries that come next were sent


START = Place(0, joins=False, skip=0)


def find_place(text: str | None, reply: Subscribed) -> Place | None:
    """What a client's `Last-Event-ID` stands for; None = it cannot be continued there."""
    match = _PLACE.fullmatch(text or "")
    if match is None or match[1] != reply.epoch or not reply.after <= int(match[2]) <= min(reply.head, MAX_OFFSET):
        return None
    return Place(int(match[2]), joins=match[3] == "~", skip=int(match[4] or 0))


class Final(bytes):
    """The last piece of a stream."""


class RunCodec:
    """Shared with nobody: it follows one run for one client."""

    is_shared = False

    def __init__(self, translator: Translator, epoch: str, place: Place) -> None:
        self._translator = translator
        self._epoch = epoch
        self._place = place
        self._is_over = False
        self._seen = 0  # the last offset that was translated
        self._kept: dict[int, bytes] = {}  # what the last batch was translated to: a slow reader pulls it, page by page

    def begin(self, after: int, summary: Summary | None) -> Encoded:
        """What can be said before the first event."""
        self._translator.begin(summary)
        self._seen = after
        return _encoded([self._placed(after)] if self._place.joins and after >= self._place.offset else [])

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002 - a run's channel has one
        batch: dict[int, bytes] = {}
        for event in events:
            offset = event.offset
            batch[offset] = self._kept.get(offset, b"") if offset <= self._seen else self._take(event)
        later = {offset: piece for offset, piece in self._kept.items() if not batch or offset > events[-1].offset}
        self._kept = {offset: piece for offset, piece in {**batch, **later}.items() if piece}
        return _encoded(batch.values())

    def _take(self, event: Event) -> bytes:
        self._seen = event.offset
        if self._is_over:
            return b""
        if event.offset > self._place.offset:
            return self._entries(self._translator.event(event), event.offset - 1, "+", event.offset)
        self._translator.follow(event)
        return self._placed(event.offset) if event.offset == self._place.offset else b""

    def _placed(self, offset: int) -> bytes:
        """What comes first, once all before the place was taken in."""
        if self._place.joins:
            return self._entries(self._translator.join(), offset, "~", offset)
        return self._final(b"") if self._translator.is_over else b""

    def _entries(self, said: list[bytes], offset: int, mark: str, last: int) -> bytes:
        """The entries that were not sent yet, each with its place."""
        skip, self._place = self._place.skip, self._place._replace(skip=0) if said else self._place
        names = [f"{self._epoch}:{offset}{mark}{count}" for count in range(1, len(said))]
        named = list(zip(said, [*names, f"{self._epoch}:{last}"], strict=False))
        piece = b"".join([b"data: %b\nid: %b\n\n" % (part, name.encode()) for part, name in named[skip:]])
        return self._final(piece) if self._translator.ended else piece

    def _final(self, piece: bytes) -> Final:
        self._is_over = True
        return Final(piece or b":\n\n")

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002 - no word for it
        return NOTHING

    def gap(self, gap: Gap) -> Encoded:
        """A client that was to be told where the run is can still be told; another has to begin anew."""
        self._seen = gap.last
        if gap.first > self._place.offset:
            return _encoded([self._final(_nameless(self._translator.gap()))])
        self._translator.begin(gap.summary)
        if self._place.joins and gap.last >= self._place.offset:
            return _encoded([self._placed(gap.last)])
        if gap.last > self._place.offset:
            return _encoded([self._final(_nameless(self._translator.gap()))])
        return NOTHING

    def goodbye(self, reason: str) -> Encoded:
        """The stream ends, the run need not."""
        return _encoded([_nameless(self._translator.goodbye(reason))])


def _nameless(said: list[bytes]) -> bytes:
    """Entries that are no place to continue from."""
    return b"".join([b"data: %b\n\n" % part for part in said])


def _encoded(pieces: Iterable[bytes]) -> Encoded:
    """In one piece, or two: the final one is kept apart, so that it is seen."""
    found = [piece for piece in pieces if piece]
    last = found.pop() if found and isinstance(found[-1], Final) else None
    parts = [b"".join(found)] if found else []
    parts += [] if last is None else [last]
    return Encoded(tuple(parts), sum(map(len, parts)))
