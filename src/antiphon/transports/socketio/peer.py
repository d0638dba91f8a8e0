"""One client in one namespace, as applications see it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from antiphon.errors import Busy
from antiphon.hub import Start
from antiphon.messages import Cursor
from antiphon.transports.socketio import packets
from antiphon.transports.socketio.endings import SENT_AWAY
from antiphon.transports.socketio.recovery import Trail

if TYPE_CHECKING:  # the two know each other's shape
    from antiphon.transports.socketio.namespace import Namespace

ACK_S = 10.0  # how long an acknowledgement is waited for
MAX_CALLS = 1000  # that wait for an acknowledgement of one peer


class Disconnected(Exception):
    """The peer went before it acknowledged."""


class Carrier(Protocol):
    """What a peer needs of the client it belongs to."""

    def say(self, peer: Peer, packet: packets.SocketPacket) -> bool:
        """Whether the peer is in its namespace; nothing is said to others."""

    async def follow(self, peer: Peer, channel: str, after: Cursor | Start) -> None: ...

    def unfollow(self, peer: Peer, channel: str) -> None: ...

    def leave(self, peer: Peer, reason: str) -> None: ...

    def drop(self, reason: str) -> None:
        """End the whole connection."""


class Peer:
    """One client in one namespace.

    Attributes:
        sid: Its id, another one after each connect, unless it `recovered`.
        user: As the server knows users.
        auth: What the client gave when it connected: `auth` in the stock client.
        data: The application's own; kept where a client comes back to go on.
        recovered: Whether it went on where it was: it has the rooms and the data that it had.
    """

    __slots__ = (
        "_acks", "_carrier", "_next_ack", "auth", "channels", "data", "entering", "namespace", "recovered", "sid",
        "trail", "user",
    )  # fmt: skip

    def __init__(self, namespace: Namespace, carrier: Carrier, sid: str, user: Any, auth: Any) -> None:
        self.namespace = namespace
        self.sid = sid
        self.user = user
        self.auth = auth
        self.data: dict[str, Any] = {}
        self.recovered = False
        self.channels: set[str] = set()
        self.trail: Trail | None = None  # None = it cannot come back
        self.entering: asyncio.Task[None] | None = None  # its connect handlers are at work
        self._carrier = carrier
        self._acks: dict[int, asyncio.Future[list[Any]]] = {}
        self._next_ack = 0

    def emit(self, event: str, *args: Any) -> None:
        """Send an event to this client alone; does nothing before it is in, and once it has gone.

        Raises TypeError: An argument is neither JSON nor bytes.
        """
        self._carrier.say(self, packets.SocketPacket(packets.EVENT, self.namespace.name, [event, *args]))

    async def call(self, event: str, *args: Any, timeout_s: float = ACK_S) -> list[Any]:
        """Send an event and wait for the acknowledgement: its arguments.

        Raises:
            TimeoutError: None came within `timeout_s` seconds.
            Disconnected: The client went, or is not in yet.
            Busy: Too many acknowledgements of this client are being waited for.
            TypeError: An argument is neither JSON nor bytes.
        """
        if len(self._acks) >= MAX_CALLS:
            raise Busy(f"{MAX_CALLS} acknowledgements of this client are being waited for")
        number, self._next_ack = self._next_ack, self._next_ack + 1
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._acks[number] = answer
        try:
            packet = packets.SocketPacket(packets.EVENT, self.namespace.name, [event, *args], number)
            if not self._carrier.say(self, packet):
                raise Disconnected
            async with asyncio.timeout(timeout_s):
                return await answer
        finally:
            del self._acks[number]

    async def join(self, room: str) -> None:
        """Hear what is emitted to a room from now on; joining again changes nothing. Raises TooManySubscriptions."""
        await self.follow(self.namespace.channel(room), Start.NOW)

    def leave(self, room: str) -> None:
        """Hear no more of a room."""
        self.unfollow(self.namespace.channel(room))

    async def follow(self, channel: str, after: Cursor | Start = Start.NOW) -> None:
        """Hear a channel of the hub, as the server's speaker says it. Raises what `Hub.subscribe` raises."""
        if channel in self.channels:
            return
        self.channels.add(channel)
        try:
            await self._carrier.follow(self, channel, after)
        except BaseException:
            self.channels.discard(channel)
            raise

    def unfollow(self, channel: str) -> None:
        if channel in self.channels:
            self.channels.discard(channel)
            self._carrier.unfollow(self, channel)

    def disconnect(self) -> None:
        """Let the client go; it does not come back by itself."""
        self._carrier.say(self, packets.SocketPacket(packets.DISCONNECT, self.namespace.name))
        self._carrier.leave(self, SENT_AWAY)

    def drop(self, reason: str) -> None:
        """End the whole connection; the client may come back by itself."""
        self._carrier.drop(reason)

    def acknowledged(self, number: int, args: list[Any]) -> None:
        """An acknowledgement came; one that nobody waits for any more is ignored."""
        answer = self._acks.get(number)
        if answer is not None and not answer.done():
            answer.set_result(args)

    def gone(self) -> None:
        """Nothing comes any more."""
        for answer in self._acks.values():
            if not answer.done():
                answer.set_exception(Disconnected())
