"""Events of the hub as Socket.IO packets: encoded once for all that hear them in the same way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from antiphon.hub import Encoded, Gap
from antiphon.messages import Event
from antiphon.transports.frames import Opcode, encode_frame
from antiphon.transports.socketio.engine import Piece, payload_size
from antiphon.transports.socketio.session import EngineSession


class Speaker(Protocol):
    """Translates what happens in channels into packets; the same for everybody."""

    def event(self, event: Event) -> Sequence[Piece]:
        """The packets of one event, most often one; none = it is not spoken of."""

    def gap(self, gap: Gap) -> Sequence[Piece]:
        """What is said instead of events that will not come."""


class SocketCodec(ABC):
    """Packets in the form that one way of carrying them takes."""

    is_shared = True

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    def events(self, epoch: str, events: Sequence[Event]) -> Encoded:  # noqa: ARG002 - this protocol has no epochs
        return self._encoded([piece for event in events for piece in self._speaker.event(event)])

    def caught_up(self, channel: str, epoch: str, offset: int) -> Encoded:  # noqa: ARG002 - nor this moment
        return Encoded((), 0)

    def gap(self, gap: Gap) -> Encoded:
        return self._encoded(self._speaker.gap(gap))

    @abstractmethod
    def _encoded(self, pieces: Sequence[Piece]) -> Encoded: ...


class MailCodec(SocketCodec):
    """Packets as they are: the mailbox of one who polls joins them into a body."""

    def _encoded(self, pieces: Sequence[Piece]) -> Encoded:
        return Encoded(tuple(pieces), sum(map(payload_size, pieces)))


class MessageCodec(SocketCodec):
    """A WebSocket message per packet, for ASGI servers, which make the frames."""

    def _encoded(self, pieces: Sequence[Piece]) -> Encoded:
        return Encoded(tuple(pieces), sum(map(len, pieces)))


class FrameCodec(SocketCodec):
    """Ready-made frames, those of a batch in one piece."""

    def _encoded(self, pieces: Sequence[Piece]) -> Encoded:
        if not pieces:
            return Encoded((), 0)
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

    def of(self, session: EngineSession) -> SocketCodec:
        """The one for the way in which a session is carried now."""
        if session.polls:
            return self._mail
        return self._frames if session.frame is frame else self._messages
