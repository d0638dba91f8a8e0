"""What the hub sends, as messages of the native protocol."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.hub import Encoded, Gap
from antiphon.messages import Cursor, Event
from antiphon.server.live.encode import dumps, event_object, gap_object
from antiphon.server.live.rpc import encode_notification


class TextCodec:
    """One JSON-RPC notification per message; shared by all sockets."""

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002 - the reply to subscribe said it
        return _encoded(tuple(encode_notification("event", event_object(event)) for event in events))

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002
        return _encoded((encode_notification("caught_up", {"channel": channel, "offset": offset}),))

    def gap(self, gap: Gap) -> Encoded:
        return _encoded((encode_notification("gap", gap_object(gap)),))


TEXT = TextCodec()


class StreamCodec:
    """Entries of one event stream: each carries the cursors of all its channels, so it is shared with nobody."""

    def __init__(self, cursors: dict[str, Cursor]) -> None:
        self._cursors = cursors  # in the order in which the client named the channels

    def place(self, channel: str, cursor: Cursor) -> None:
        """Where a channel begins."""
        self._cursors[channel] = cursor

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:
        pieces = []
        for event in events:
            self._cursors[event.channel] = Cursor(epoch, event.offset)
            pieces.append(b"data: %b\n%b" % (dumps(event_object(event)), self._id()))
        return _encoded((b"".join(pieces),))

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:
        self._cursors[channel] = Cursor(epoch, offset)
        return self.entry("caught_up", {"channel": channel, "offset": offset})

    def gap(self, gap: Gap) -> Encoded:
        self._cursors[gap.channel] = Cursor(gap.epoch, gap.last)
        return self.entry("gap", gap_object(gap))

    def entry(self, name: str, params: object) -> Encoded:
        """A named entry with the current cursors."""
        return _encoded((b"event: %b\ndata: %b\n%b" % (name.encode(), dumps(params), self._id()),))

    def _id(self) -> bytes:
        return b"id: %b\n\n" % ",".join(map(str, self._cursors.values())).encode()


def _encoded(parts: tuple[str, ...] | tuple[bytes, ...]) -> Encoded:
    return Encoded(parts, sum(map(len, parts)))
