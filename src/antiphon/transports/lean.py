"""A WebSocket as a bare asyncio protocol: no task, no queue, no scope, no timer per connection.

What arrives goes from the loop's callback through the frame reader into the session; what the session and the hub send
are ready-made frames, handed to the transport as they are. The session may ask to wait; only then is there a task, and
nothing is read meanwhile.

An OPEN socket becomes CLOSING when we send a close frame first: what the peer still says is skipped until it answers.
It is LEAVING when nothing is left to be read: after the peer's close frame, or because the peer broke the protocol. The
sweep ends closings that take too long. Source: RFC 6455, sections 5.5.1 and 7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import structlog

from antiphon.transports.base import FAULT, POLICY, STOPPING, STOPPING_REASON, Ending, Limits, Refusal, Session
from antiphon.transports.crew import Crew
from antiphon.transports.frames import (
    Close,
    Event,
    FrameReader,
    Opcode,
    Ping,
    Violation,
    encode_close,
    encode_frame,
)
from antiphon.transports.outflow import Outflow
from antiphon.transports.sweep import Sweep

CLOSE_S = 5.0  # for the peer to take what is queued and to answer our close frame
LINGER_S = 1.0  # where no answer is expected, or the process is about to end
TURN_MESSAGES = 200  # of one socket before others have their turn: about 2 ms

PING = encode_frame(b"", Opcode.PING)

log = structlog.get_logger(__name__)


class Phase(Enum):
    OPEN = "open"
    CLOSING = "closing"
    LEAVING = "leaving"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Shared:
    """What the sockets of a process have in common."""

    limits: Limits
    crew: Crew
    sweep: Sweep


class LeanSocket(Outflow):
    """One socket. The process's memory of an idle connection is mostly this and its session.

    Args:
        connections: Where the server that accepted it looks for what must be closed when it stops.
    """

    __slots__ = (
        "_connections",
        "_is_busy",
        "_is_full",
        "_is_reading",
        "_phase",
        "_place",
        "_reader",
        "_session",
        "_shared",
        "_unanswered",
        "received_bytes",
    )

    def __init__(self, shared: Shared, connections: set[Any], transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._shared = shared
        self._connections = connections
        self._reader = FrameReader(shared.limits.message_bytes)
        self._session: Session | None = None  # None = not started, or ended
        self._phase = Phase.OPEN
        self._place = 0  # in the sweep
        self._is_busy = False  # the session asked to wait
        self._is_full = False  # more is queued than may be
        self._is_reading = True
        self._unanswered = False  # nothing was heard since the last ping
        self.received_bytes = 0

    def start(self, session: Session) -> None:
        """Begin to talk: the handshake is over."""
        assert self._transport is not None
        self._session = session
        self._place = self._shared.sweep.add(self)
        self._connections.add(self)
        # Whoever has no room for more of the log is told when there is: the transport must call back below that mark.
        self._transport.set_write_buffer_limits(high=self._shared.limits.queued_bytes // 4 - 1)
        session.opened()

    # what is sent

    def send(self, parts: Sequence[bytes]) -> None:
        """Hand frames to the transport."""
        if self._phase is Phase.OPEN:
            self._send(parts)

    def send_soon(self, parts: Sequence[bytes]) -> None:
        if self._phase is Phase.OPEN:
            self._send_soon(parts)

    def end(self, code: int = STOPPING, reason: str = STOPPING_REASON) -> None:
        self.close(code, reason)

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake behind what is queued; does nothing once it has begun."""
        if self._phase is Phase.OPEN:
            self._leave(Phase.CLOSING, Ending(code, reason), encode_close(code, reason), within_s=CLOSE_S)

    def _leave(self, phase: Phase, ending: Ending, last: bytes, *, within_s: float) -> None:
        """Send a close frame; the session is over."""
        self.send((last,))
        self._phase = phase
        self._shared.sweep.close_within(self, within_s)
        self._end(ending)
        self._settle()

    def _fail(self, code: int, reason: str) -> None:
        """Close although the peer's frames cannot be read any more: what it still sends is thrown away.

        Not at once, because closing with unread bytes resets the connection, and the peer would not learn why.
        """
        if self._phase is not Phase.OPEN:
            self._abort()
            return
        self._leave(Phase.LEAVING, Ending(code, reason), encode_close(code, reason), within_s=LINGER_S)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _end(self, ending: Ending) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.ended(ending)

    # what arrives

    def data_received(self, data: bytes) -> None:
        self.received_bytes += len(data)
        self._unanswered = False
        if self._phase is Phase.LEAVING:
            return
        self._reader.feed(data)
        if not self._is_busy:
            self._go_on()

    def _go_on(self) -> None:
        work = self._take()
        if work is not None:
            self._is_busy = True
            self._shared.crew.start(self._wait(work), name="lean socket")
        self._settle()

    async def _wait(self, work: Awaitable[None] | None) -> None:
        while work is not None:
            try:
                await work
            except Refusal as exc:
                self.close(exc.code, exc.reason)
            except Exception:
                self._fault()
            work = self._take()
        self._is_busy = False
        self._settle()

    def _take(self) -> Awaitable[None] | None:
        """Hand over what has arrived, until the session, the queue or the others ask to wait."""
        try:
            for _ in range(TURN_MESSAGES):
                if self._is_full or self._phase not in (Phase.OPEN, Phase.CLOSING):
                    return None
                event = self._reader.next()
                if event is None:
                    return None
                work = self._handle(event)
                self._is_full = self._phase is Phase.OPEN and self.queued_bytes > self._shared.limits.queued_bytes
                if work is not None:
                    return work
        except Violation as exc:
            self._fail(exc.code, exc.reason)
            return None
        except Refusal as exc:
            self.close(exc.code, exc.reason)
        except Exception:
            self._fault()
        return asyncio.sleep(0)

    def _handle(self, event: Event) -> Awaitable[None] | None:
        if isinstance(event, Close):
            self._closed_by_peer(event)
        elif self._session is not None:
            if isinstance(event, str | bytes):
                return self._session.received(event)
            if isinstance(event, Ping):
                self.send((encode_frame(event.payload, Opcode.PONG),))
        return None

    def _closed_by_peer(self, close: Close) -> None:
        if self._phase is Phase.OPEN:
            ending = Ending(close.code, close.reason or "closed by the peer")
            self._leave(Phase.LEAVING, ending, encode_close(close.code), within_s=CLOSE_S)
        self._phase = Phase.LEAVING
        if self._transport is not None:
            self._transport.close()

    def _fault(self) -> None:
        log.exception("a session failed")
        self.close(FAULT, "a fault of the server")

    def _settle(self) -> None:
        """Read exactly while somebody takes what is read; whoever leaves is not waited for."""
        wanted = self._phase is not Phase.OPEN or not (self._is_busy or self._is_full)
        if wanted == self._is_reading or self._transport is None or self._transport.is_closing():
            return
        self._is_reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # what the transport tells

    def pause_writing(self) -> None:
        self._shared.sweep.watch(self)

    def resume_writing(self) -> None:
        if self._session is not None:
            self._session.drained()
        if self._is_full:
            self._is_full = False
            if not self._is_busy:
                self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._phase = Phase.LOST
        self._shared.sweep.remove(self, self._place)
        self._connections.discard(self)
        self._end(Ending(None, "connection lost"))
        self._transport = self._held = None

    # what the server and the sweep ask

    def shutdown(self) -> None:
        """Called by uvicorn when it stops."""
        self.end()
        self._shared.sweep.close_within(self, LINGER_S)

    @property
    def is_silent(self) -> bool:
        return self._unanswered and self._is_reading and self._phase is Phase.OPEN and not self.queued_bytes

    def ping(self) -> None:
        if self._phase is Phase.OPEN:
            self._unanswered = True
            self.send((PING,))

    def silent(self) -> None:
        self._fail(POLICY, "silent")

    def stalled(self) -> None:
        self._fail(POLICY, "slow_consumer")

    def overdue(self) -> None:
        if self._phase is Phase.LEAVING and self._transport is not None and not self.queued_bytes:
            self._transport.close()
        else:
            self._abort()
