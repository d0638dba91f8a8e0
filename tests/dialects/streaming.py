"""A stream of a run without a server: its codec, fed as the hub feeds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from antiphon.messages import Event
from antiphon.server.http.run_codec import START, Place, RunCodec, Translator

EPOCH = "e1"


class Entry(NamedTuple):
    data: bytes
    id: str


def read(raw: bytes) -> list[Entry]:
    """The whole entries, as an SSE parser sees them; what is cut off is not there, comments are nothing."""
    found = []
    for block in raw.split(b"\n\n")[:-1]:
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
        if b"data" in fields:
            found.append(Entry(fields[b"data"], fields.get(b"id", b"").decode()))
    return found


def streamed(
    translator: Translator, events: Sequence[Event], place: Place = START, *, batches: Sequence[int] = ()
) -> bytes:
    """All that a codec makes of the events in batches of these sizes.

    Each is asked for twice, as for a slow reader: live at once, then in smaller pages.
    """
    codec = RunCodec(translator, EPOCH, place)
    raw = b"".join(codec.begin(0, None).parts)
    left = list(events)
    for size in [*batches, len(left)]:
        batch, left = left[:size], left[size:]
        if batch:
            first = b"".join(codec.events(EPOCH, batch).parts)
            middle = len(batch) // 2
            pages = [codec.events(EPOCH, page).parts for page in (batch[:middle], batch[middle:])]
            assert b"".join(part for parts in pages for part in parts) == first
            raw += first
    return raw
