"""What the hub sends, as messages of the native protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from antiphon.hub import Encoded, Gap
from antiphon.messages import Cursor, Event
from antiphon.server.live.encode import dumps, event_object, gap_object
from antiphon.server.live.rpc import encode_notification
from antiphon.transports.frames import encode_frame


class LiveCodec(ABC):
    """JSON-RPC messages; shared by all sockets that are written to in the same way."""

    is_shared = True

    @abstractmethod
    def message(self, found: bytes) -> tuple[str] | tuple[bytes]:
        """A message as the transport takes it."""

    @abstractmethod
    def messages(self, found: Iterable[bytes]) -> Encoded:
        """The same for several."""

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002 - the reply to subscribe said it
        return self.messages(encode_notification("event", event_object(event)) for event in events)

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002
        return self.messages((encode_notification("caught_up", {"channel": channel, "offset": offset}),))

    def gap(self, gap: Gap) -> Encoded:
        return self.messages((encode_notification("gap", gap_object(gap)),))


class TextCodec(LiveCodec):
    """A string per message, for ASGI servers, which make the frames."""

    def message(self, found: bytes) -> tuple[str]:
        return (found.decode(),)

    def messages(self, found: Iterable[bytes]) -> Encoded:
        return _encoded(tuple(message.decode() for message in found))


class FrameCodec(LiveCodec):
    """Ready-made frames, those of a batch in one piece: one buffer for the kernel, shared by all connections."""

    def message(self, found: bytes) -> tuple[bytes]:
        return (encode_frame(found),)

    def messages(self, found: Iterable[bytes]) -> Encoded:
        return _encoded((b"".join([encode_frame(message) for message in found]),))


TEXT = TextCodec()
FRAMES = FrameCodec()


class StreamCodec:
    """Entries of one event stream: each carries the cursors of all its channels, so it is shared with nobody."""

    is_shared = False

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
