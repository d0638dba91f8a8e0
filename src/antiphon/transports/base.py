"""What a transport carries: the contract between a socket and what is spoken over it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

POLICY = 1008
TOO_BIG = 1009
FAULT = 1011
STOPPING = 1012
TRY_LATER = 1013
STOPPING_REASON = "the server is stopping"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended: the close code, None where there was none, and why in a few words."""

    code: int | None
    reason: str


class Refusal(Exception):
    """A session's reason to close the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket(Protocol):
    """The sending half of a connection, as a session and the hub see it."""

    @property
    def queued_bytes(self) -> int:
        """Bytes accepted and not yet taken by the socket."""

    @property
    def sent_bytes(self) -> int:
        """Bytes that the socket has taken."""

    @property
    def received_bytes(self) -> int:
        """Bytes of what has arrived."""

    def send(self, parts: Sequence[Any]) -> None:
        """Accept pieces for sending, in order, without waiting."""

    def send_soon(self, parts: Sequence[Any]) -> None:
        """Like `send`, in one write with what else is sent in this step of the loop: for many small answers."""

    def end(self, code: int = STOPPING, reason: str = STOPPING_REASON) -> None:
        """Take nothing more; what was accepted is still sent, then the connection is closed with this code."""


class Session(Protocol):
    """What is spoken over a socket. The transport calls it, always from the event loop."""

    def opened(self) -> None:
        """The socket is open: send what comes first."""

    def received(self, message: str | bytes) -> Awaitable[None] | None:
        """Take one message, text or binary.

        None = it was taken. Otherwise nothing more is read before the awaitable is done, so messages are taken one
        after the other; once the connection has ended, the awaitable may still run to its end.

        Raises:
            Refusal: Close the socket (the awaitable may raise it too).
        """

    def drained(self) -> None:
        """The socket has taken what was queued, or much of it."""

    def ended(self, ending: Ending) -> None:
        """Called once: nothing more is taken or delivered. The socket may have been lost before it was opened."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may use of a transport."""

    message_bytes: int = 1 << 20  # a longer message closes the socket with 1009
    queued_bytes: int = 1 << 20  # the hub's bound; beyond it nothing more is read either
    stalled_s: float = 30.0  # without the peer taking a byte of what is queued, before it is closed with 1008
