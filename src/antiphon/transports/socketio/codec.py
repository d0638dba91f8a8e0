"""Events of the hub as Socket.IO packets: encoded once for all that hear them in the same way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from antiphon.hub import Encoded, Gap
from antiphon.messages import Event
from antiphon.transports.base import Socket
from antiphon.transports.frames import Opcode, encode_frame
from antiphon.transports.socketio.engine import Piece, encode_mail
from antiphon.transports.socketio.mailbox import Mailbox
from antiphon.transports.socketio.recovery import Trail
from antiphon.transports.socketio.session import EngineSession, Frame

NOTHING = Encoded((), 0)
LOST = Encoded((), -1)
"""Events will not come, and the protocol has no word for it: the session ends, and the client looks again."""

SUFFIX_BYTES = 32  # about what a trail adds to a packet


class Speaker(Protocol):
    """Translates what happens in channels into packets; the same for everybody."""

    def event(self, event: Event) -> Sequence[Piece]:
        """The packets of one event, most often one; none = it is not spoken of."""

    def gap(self, gap: Gap) -> Sequence[Piece] | None:
        """What is said instead of events that will not come; None = the session ends, and the client looks again."""


class SocketCodec(ABC):
    """Packets in the form that one way of carrying them takes."""

    is_shared = True

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002 - this protocol has no epochs
        return self._encoded([piece for event in events for piece in self._speaker.event(event)])

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002 - nor this moment
        return NOTHING

    def gap(self, gap: Gap) -> Encoded:
        pieces = self._speaker.gap(gap)
        return LOST if pieces is None else self._encoded(pieces)

    @abstractmethod
    def _encoded(self, pieces: Sequence[Piece]) -> Encoded: ...


class MailCodec(SocketCodec):
    """Packets as they stand in the body of an answer to one who polls."""

    def _encoded(self, pieces: Sequence[Piece]) -> Encoded:
        mail = tuple(map(encode_mail, pieces))
        return Encoded(mail, sum(map(len, mail)) + len(mail))


class MessageCodec(SocketCodec):
    """A WebSocket message per packet, for ASGI servers, which make the frames."""

    def _encoded(self, pieces: Sequence[Piece]) -> Encoded:
        return Encoded(tuple(pieces), sum(map(len, pieces)))


class FrameCodec(SocketCodec):
    """Ready-made frames, those of a batch in one piece."""

    def _encoded(self, pieces: Sequence[Piece]) -> Encoded:
        if not pieces:
            return NOTHING
        joined = b"".join(map(frame, pieces))
        return Encoded((joined,), len(joined))


def frame(piece: Piece) -> bytes:
    """A packet as a WebSocket frame."""
    return encode_frame(piece, Opcode.BINARY) if isinstance(piece, bytes) else encode_frame(piece.encode())


class Codecs:
    """The forms of what one speaker says; one instance is shared by all clients that hear it."""

    def __init__(self, speaker: Speaker) -> None:
        self._mail = MailCodec(speaker)
        self._messages = MessageCodec(speaker)
        self._frames = FrameCodec(speaker)
        self.late = LateCodec(speaker)  # for those who may come back after a cut

    def of(self, session: EngineSession) -> SocketCodec:
        """The one for the way in which a session is carried now."""
        if session.polls:
            return self._mail
        return self._frames if session.frame is frame else self._messages


class Spoken(NamedTuple):
    """What one event is said as, without what depends on who hears it."""

    channel: str
    offset: int
    pieces: Sequence[Piece]


class LateCodec(SocketCodec):
    """Packets that get their last argument when they are handed to a carriage, by `TrailSink`."""

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002
        spoken = [Spoken(event.channel, event.offset, self._speaker.event(event)) for event in events]
        return Encoded(tuple(spoken), sum(SUFFIX_BYTES + len(piece) for one in spoken for piece in one.pieces))

    def _encoded(self, pieces: Sequence[Piece]) -> Encoded:
        return Encoded((Spoken("", 0, pieces),), sum(map(len, pieces)))


class TrailSink:
    """Hands packets to a carriage, each with what its client then has.

    Args:
        trails: By channel; packets of others stay as they are.
    """

    def __init__(self, sink: Mailbox | Socket, make: Frame, trails: Mapping[str, Trail]) -> None:
        self._sink = sink
        self._frame = make
        self._trails = trails

    @property
    def queued_bytes(self) -> int:
        return self._sink.queued_bytes

    def send(self, parts: Sequence[Any]) -> None:
        made: list[Any] = []
        for channel, offset, pieces in parts:
            trail = self._trails.get(channel)
            made += map(self._frame, pieces if trail is None else trail.said(channel, offset, pieces))
        if made:
            self._sink.send(made)
