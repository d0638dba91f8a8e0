"""One Engine.IO session: what a client says and hears, whichever way it is carried at the moment.

A session begins by polling or over a WebSocket. One that polls may be upgraded: the client tries a socket out
(`2probe`, `3probe`) while it still polls, its open request is let go with a `noop`, and with `upgrade` the socket takes
over: what waited in the mailbox goes first. Source: Engine.IO protocol, revision 4.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from antiphon.transports.base import Socket
from antiphon.transports.socketio.endings import CLOSED_BY_PEER, NORMAL, SILENT, SLOW, close_code
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
    encode_mail,
)
from antiphon.transports.socketio.mailbox import Mailbox
from antiphon.transports.sweep import Beat, Sweep

MAX_PAYLOAD = 1_000_000  # bytes of one HTTP body or WebSocket message
UPGRADE_S = 10.0  # in which a socket that is tried out must have taken over

Frame = Callable[[Piece], Any]
"""Makes a packet into what a carriage takes: mail, a frame, or a message of an ASGI server."""


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
    held_bytes: int = 4 << 20  # that may wait for a client, whoever said it; one that takes less is let go

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
        "_busy", "_candidate", "_frame", "_gone", "_listener", "_place", "_rules", "_socket", "_sweep", "_trial",
        "_unanswered", "is_posting", "is_probing", "mailbox", "owner", "received_bytes", "sid",
    )  # fmt: skip

    def __init__(self, rules: Rules, sweep: Sweep, owner: str, gone: Callable[[EngineSession], None]) -> None:
        self.sid = secrets.token_urlsafe(15)
        self.owner = owner
        self.mailbox = Mailbox()
        self.is_posting = False  # a POST is being read
        self.is_probing = False  # a WebSocket has been heard to work
        self.received_bytes = 0
        self._rules = rules
        self._gone = gone
        self._socket: Socket | None = None  # None = it polls
        self._candidate: Socket | None = None  # that is tried out
        self._trial: asyncio.TimerHandle | None = None  # ends the trial
        self._frame: Frame = encode_mail
        self._listener: Listener | None = None  # None = not opened yet, or ended
        self._unanswered = False
        self._busy = 0  # messages that the listener asked to wait for
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

    @property
    def most_bytes(self) -> int:
        """Of one message of the client."""
        return self._rules.max_payload

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
        """Send packets of its own. A client that leaves too much lying is let go."""
        if self._listener is None:
            return
        self.sink.send([self._frame(piece) for piece in pieces])
        if self.queued_bytes > self._rules.held_bytes:
            self.close(SLOW)

    # what arrives

    def received(self, packet: Packet) -> Awaitable[None] | None:
        """Take a packet; an awaitable asks to read no further before it is done. Raises BadPacket."""
        self.received_bytes += len(packet.data)
        self._unanswered = False
        if packet.kind == MESSAGE:
            work = None if self._listener is None else self._listener.received(packet.data)
            return None if work is None else self._wait(work)
        if packet.kind == CLOSE:
            self.close(CLOSED_BY_PEER)
        elif packet.kind not in (PONG, UPGRADE, NOOP):
            raise BadPacket("only servers open sessions and ask for signs of life")
        return None

    async def _wait(self, work: Awaitable[None]) -> None:
        """Meanwhile nothing is read, so silence proves nothing."""
        self._busy += 1
        try:
            await work
        finally:
            self._busy -= 1
            self._unanswered = False

    # a WebSocket instead

    @property
    def is_tried(self) -> bool:
        """Whether a WebSocket is being tried out."""
        return self._candidate is not None

    def try_out(self, socket: Socket) -> None:
        """A socket wants to take over; it has `UPGRADE_S` seconds for it."""
        self._candidate = socket
        self._trial = asyncio.get_running_loop().call_later(UPGRADE_S, self.give_up, socket)

    def give_up(self, socket: Socket) -> None:
        """This socket does not take over after all; the session goes on as it was."""
        if self.forget(socket):
            socket.end(NORMAL, "not upgraded")

    def forget(self, socket: Socket) -> bool:
        """The socket is gone; whether it was the one that was tried out."""
        if self._candidate is not socket:
            return False
        self._end_trial()
        return True

    def _end_trial(self) -> None:
        self._candidate, self.is_probing = None, False
        if self._trial is not None:
            self._trial.cancel()
            self._trial = None

    def carry(self, socket: Socket, frame: Frame) -> None:
        """Let a socket carry it; what waits in the mailbox goes first."""
        self._end_trial()
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
        if self._candidate is not None:
            self.give_up(self._candidate)
        if self._socket is None:
            self.mailbox.send([encode_mail(NOOP if reason == CLOSED_BY_PEER else CLOSE)])
        else:
            self._socket.end(close_code(reason), reason)
        listener.ended(reason)
        self._gone(self)

    # what the sweep asks

    @property
    def is_silent(self) -> bool:
        """Whoever is not read, or has not been sent the question yet, is not blamed."""
        return self._unanswered and not self._busy and (self._socket is None or not self._socket.queued_bytes)

    def ping(self) -> None:
        self._unanswered = True
        self.say([PING])

    def silent(self) -> None:
        self.close(SILENT)

    def stalled(self) -> None:
        self.close(SLOW)

    def overdue(self) -> None:
        """Its socket sees to that."""
