"""What the pages poll: lines of a log as parts of JSON arrays. A block of events that is full never changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from antiphon.dialects.bettafish.forum import message_of_line
from antiphon.dialects.bettafish.lines import console_line, raw_line
from antiphon.messages import Event

EVENTS: Final = 1000
"""Of a full block; so many are read at a time."""


class Block(NamedTuple):
    """Some events of a log, written as columns: each the inside of a JSON array."""

    lines: int
    columns: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return sum(map(len, self.columns))


Render = Callable[[Sequence[Event]], Block]


def render_console(events: Sequence[Event]) -> Block:
    """The lines of an app."""
    found = [line for event in events if (line := console_line(event)) is not None]
    return Block(len(found), (_inside(found),))


def render_forum(events: Sequence[Event]) -> Block:
    """Records, and those that the chat shows."""
    records = [record for event in events if (record := raw_line(event)) is not None]
    messages = [message for record in records if (message := message_of_line(record)) is not None]
    return Block(len(records), (_inside(records), _inside(messages)))


def _inside(items: Sequence[Any]) -> bytes:
    return orjson.dumps(items)[1:-1]
