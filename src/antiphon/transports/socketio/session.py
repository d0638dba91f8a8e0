"""One Engine.IO session: what a client says and hears, whichever way it is carried at the moment.

A session begins by polling or over a WebSocket. One that polls may be upgraded: the client tries the socket out
(`2probe`, `3probe`) while it still polls, its open request is let go with a `noop`, and with `upgrade` the socket takes
over: what waited in the mailbox goes first. Source: Engine.IO protocol, revision 4.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from antiphon.transports.base import Ending, Socket
from antiphon.transports.socketio.engine import (
    CLOSE,
    MESSAGE,
    NOOP,
    OPEN,
    PING,
    PONG,
    UPGRADE,
    BadPacket,
    Packet,
    Piece,
    decode_packet,
)
from antiphon.transports.socketio.mailbox import Mailbox
from antiphon.transports.sweep import Beat, Sweep

CLOSED_BY_PEER = "closed by the peer"
MAX_PAYLOAD = 1_000_000  # bytes of one HTTP body or WebSocket message

Frame = Callable[[Piece], Any]
"""Makes a packet into what a socket takes: a frame, or a message of an ASGI server."""


class Listener(Protocol):
    """What is spoken in a session: Socket.IO. Called from the event loop."""

    def received(self, data: str | bytes) -> Awaitable[None] | None:
        """Take one message; an awaitable asks to read no further before it is done. Raises BadPacket."""

    def upgraded(self) -> None:
        """The session is carried by a WebSocket from now on."""

    def drained(self) -> None:
        """There is room again."""

    def ended(self, reason: str) -> None:
        """Called once; nothing is sent any more."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What sessions have in common, and what the handshake says of it."""

    beat: Beat
    max_payload: int = MAX_PAYLOAD

    def handshake(self, sid: str, upgrades: Sequence[str]) -> str:
        ping_s = self.beat.tick_s * self.beat.ping_ticks
        answer_s = self.beat.tick_s * self.beat.answer_ticks
        facts = {
            "sid": sid,
            "upgrades": upgrades,
            "pingInterval": round(ping_s * 1000),
            "pingTimeout": round(answer_s * 1000),
            "maxPayload": self.max_payload,
        }
        return OPEN + orjson.dumps(facts).decode()


class EngineSession:
    """A session; to the sweep it is a socket.

    Args:
        owner: The user who opened it; nobody else may use it.
        gone: Told once when it has ended.
    """

    __slots__ = (
        "_frame",
        "_gone",
        "_listener",
        "_place",
        "_rules",
        "_socket",
        "_sweep",
        "_unanswered",
        "is_probing",
        "mailbox",
        "owner",
        "received_bytes",
        "sid",
    )

    def __init__(self, rules: Rules, sweep: Sweep, owner: str, gone: Callable[[EngineSession], None]) -> None:
        self.sid = secrets.token_urlsafe(15)
        self.owner = owner
        self.mailbox = Mailbox()
        self.is_probing = False  # a WebSocket is being tried out
        self.received_bytes = 0
        self._rules = rules
        self._gone = gone
        self._socket: Socket | None = None  # None = it polls
        self._frame: Frame = _as_it_is
        self._listener: Listener | None = None  # None = not opened yet, or ended
        self._unanswered = False
        self._sweep = sweep
        self._place = -1  # in the sweep; not there yet

    def attach(self, listener: Listener) -> None:
        """Say who listens; from now on it can end."""
        self._listener = listener

    def open(self, upgrades: Sequence[str]) -> None:
        """Begin: the handshake is the first packet."""
        self._place = self._sweep.add(self)
        self.say([self._rules.handshake(self.sid, upgrades)])

    @property
    def is_open(self) -> bool:
        return self._listener is not None

    @property
    def polls(self) -> bool:
        """Whether it is carried by polling."""
        return self._socket is None

    @property
    def frame(self) -> Frame:
        """Makes packets into what its carriage takes."""
        return self._frame

    def is_carried_by(self, socket: Socket) -> bool:
        """Whether this socket has taken it over, or had it from the beginning."""
        return self._socket is socket

    # what is sent

    @property
    def sink(self) -> Mailbox | Socket:
        """Where the hub's parts go, in the form that the carriage takes."""
        return self.mailbox if self._socket is None else self._socket

    @property
    def queued_bytes(self) -> int:
        return self.sink.queued_bytes

    @property
    def sent_bytes(self) -> int:
        return self.mailbox.sent_bytes + (0 if self._socket is None else self._socket.sent_bytes)

    def say(self, pieces: Iterable[Piece]) -> None:
        """Send packets of its own."""
        if self._listener is not None:
            self.sink.send([self._frame(piece) for piece in pieces])

    # what arrives

    def received(self, packet: Packet) -> Awaitable[None] | None:
        """Take a packet. Raises BadPacket."""
        self.received_bytes += len(packet.data)
        self._unanswered = False
        if packet.kind == MESSAGE:
            return None if self._listener is None else self._listener.received(packet.data)
        if packet.kind == CLOSE:
            self.close(CLOSED_BY_PEER)
        elif packet.kind not in (PONG, UPGRADE, NOOP):
            raise BadPacket("only servers open sessions and ask for signs of life")
        return None

    # a WebSocket instead

    def carry(self, socket: Socket, frame: Frame) -> None:
        """Let a socket carry it; what waits in the mailbox goes first."""
        self.is_probing = False
        self._socket, self._frame = socket, frame
        if self._listener is not None:
            self._listener.upgraded()  # what others have gathered for the mailbox is there now
        self.say(self.mailbox.take_all())
        self.mailbox.release()

    def drained(self) -> None:
        """Its carriage has taken something."""
        if self._listener is not None:
            self._listener.drained()

    # its end

    def close(self, reason: str) -> None:
        """End it; a socket that carries it is closed behind what is queued. Does nothing again."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        if self._place >= 0:
            self._sweep.remove(self, self._place)
        if self._socket is None:
            self.mailbox.send([NOOP if reason == CLOSED_BY_PEER else CLOSE])
        else:
            self._socket.end()
        listener.ended(reason)
        self._gone(self)

    # what the sweep asks

    @property
    def is_silent(self) -> bool:
        return self._unanswered

    def ping(self) -> None:
        self._unanswered = True
        self.say([PING])

    def silent(self) -> None:
        self.close("ping timeout")

    def stalled(self) -> None:
        self.close("slow_consumer")

    def overdue(self) -> None:
        """Its socket sees to that."""


class WebSession:
    """What is spoken over a WebSocket that carries a session from the beginning, or is to take one over."""

    __slots__ = ("_begin", "_frame", "_session", "_socket")

    def __init__(
        self, session: EngineSession, socket: Socket, frame: Frame, begin: Callable[[], None] | None = None
    ) -> None:
        """`begin` opens the session; None = the socket takes it over from polling."""
        self._session = session
        self._socket = socket
        self._frame = frame
        self._begin = begin

    def opened(self) -> None:
        if self._begin is not None:
            self._begin()

    def received(self, message: str | bytes) -> Awaitable[None] | None:
        try:
            packet = decode_packet(message)
            if self._is_carrying:
                return self._session.received(packet)
            self._try_out(packet)
        except BadPacket:
            self._break_off()
        return None

    @property
    def _is_carrying(self) -> bool:
        return self._session.is_carried_by(self._socket)

    def _try_out(self, packet: Packet) -> None:
        if packet == (PING, "probe"):
            self._session.is_probing = True
            self._socket.send([self._frame(PONG + "probe")])
            self._session.mailbox.release()
        elif packet.kind == UPGRADE and self._session.is_probing and self._session.is_open:
            self._session.carry(self._socket, self._frame)
        else:
            self._break_off()

    def _break_off(self) -> None:
        if self._is_carrying:
            self._session.close("parse error")
        else:
            self._session.is_probing = False
            self._socket.end()

    def drained(self) -> None:
        if self._is_carrying:
            self._session.drained()

    def ended(self, ending: Ending) -> None:
        if self._is_carrying:
            self._session.close(ending.reason)
        else:
            self._session.is_probing = False


def _as_it_is(piece: Piece) -> Piece:
    return piece
