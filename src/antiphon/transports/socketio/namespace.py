"""What answers in a namespace, and who is there.

```python
chat = Namespace("/chat")

@chat.on("say")
async def say(peer: Peer, text: str) -> str:      # what is returned is the acknowledgement
    await peer.namespace.emit("said", {"by": peer.user, "text": text}, room="lobby")
    return "ok"
```
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from antiphon.hub import Start
from antiphon.messages import Cursor
from antiphon.transports.socketio import packets

ACK_S = 10.0  # how long an acknowledgement is waited for

Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)


class ConnectRefused(Exception):
    """Raised by a connect handler: the peer is told why, and may try again.

    Args:
        data: JSON for the client's `connect_error`; None = none.
    """

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class Disconnected(Exception):
    """The peer went before it acknowledged."""


class Carrier(Protocol):
    """What a peer needs of the client it belongs to."""

    def say(self, packet: packets.SocketPacket) -> None: ...

    async def follow(self, peer: Peer, channel: str, after: Cursor | Start) -> None: ...

    def unfollow(self, channel: str) -> None: ...

    def leave(self, peer: Peer, reason: str) -> None: ...


class Peer:
    """One client in one namespace."""

    __slots__ = ("_acks", "_carrier", "_next_ack", "auth", "channels", "data", "namespace", "sid", "user")

    def __init__(self, namespace: Namespace, carrier: Carrier, sid: str, user: Any, auth: Any) -> None:
        self.namespace = namespace
        self.sid = sid
        self.user = user  # as the server knows users
        self.auth = auth  # what the client gave when it connected
        self.data: dict[str, Any] = {}  # the application's own
        self.channels: set[str] = set()
        self._carrier = carrier
        self._acks: dict[int, asyncio.Future[list[Any]]] = {}
        self._next_ack = 0

    def emit(self, event: str, *args: Any) -> None:
        """Send an event to this client alone. Raises TypeError: an argument is neither JSON nor bytes."""
        self._say(packets.SocketPacket(packets.EVENT, self.namespace.name, [event, *args]))

    async def call(self, event: str, *args: Any, timeout_s: float = ACK_S) -> list[Any]:
        """Send an event and wait for the acknowledgement: its arguments.

        Raises:
            TimeoutError: None came within `timeout_s` seconds.
            Disconnected: The client went.
            TypeError: An argument is neither JSON nor bytes.
        """
        number, self._next_ack = self._next_ack, self._next_ack + 1
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._acks[number] = answer
        try:
            self._say(packets.SocketPacket(packets.EVENT, self.namespace.name, [event, *args], number))
            async with asyncio.timeout(timeout_s):
                return await answer
        finally:
            del self._acks[number]

    async def join(self, room: str) -> None:
        """Hear what is emitted to a room from now on; joining again changes nothing."""
        await self.follow(self.namespace.channel(room), Start.NOW)

    def leave(self, room: str) -> None:
        """Hear no more of a room."""
        self.unfollow(self.namespace.channel(room))

    async def follow(self, channel: str, after: Cursor | Start = Start.NOW) -> None:
        """Hear a channel of the hub, as the server's speaker says it. Raises what `Hub.subscribe` raises."""
        if channel not in self.channels:
            self.channels.add(channel)
            await self._carrier.follow(self, channel, after)

    def unfollow(self, channel: str) -> None:
        if channel in self.channels:
            self.channels.discard(channel)
            self._carrier.unfollow(channel)

    def disconnect(self) -> None:
        """Let the client go; it does not come back by itself."""
        self._say(packets.SocketPacket(packets.DISCONNECT, self.namespace.name))
        self._carrier.leave(self, "server namespace disconnect")

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

    def _say(self, packet: packets.SocketPacket) -> None:
        self._carrier.say(packet)


class Namespace:
    """Handlers of events, by name.

    Args:
        name: Begins with `/`.
    """

    def __init__(self, name: str = "/") -> None:
        if not name.startswith("/") or "," in name or "?" in name:
            raise ValueError("the name of a namespace begins with `/` and has neither `,` nor `?`")
        self.name = name
        self.peers: dict[str, Peer] = {}  # by sid
        self._handlers: dict[str, Handler] = {}
        self._checks: list[Handler] = []
        self._connect: list[Handler] = []
        self._disconnect: list[Handler] = []
        self._publish: Callable[[str, str, Sequence[Any]], Awaitable[Any]] | None = None

    def channel(self, room: str) -> str:
        """The channel of a room: `socketio:NAMESPACE:ROOM`, names escaped where channels allow less."""
        return f"socketio:{_escaped(self.name)}:{_escaped(room)}"

    def on(self, event: str) -> Callable[[H], H]:
        """A decorator: the function answers an event; it is called with the peer and the event's arguments.

        What it returns is the acknowledgement, where the client wants one (a tuple: several arguments). A second
        function for the same event replaces the first. `connect` (called with the peer once it is in) and `disconnect`
        (called with the peer and the reason) are no events of the client.
        """

        def decorate(function: H) -> H:
            match event:
                case "connect":
                    self._connect.append(function)
                case "disconnect":
                    self._disconnect.append(function)
                case _:
                    self._handlers[event] = function
            return function

        return decorate

    def use(self, check: H) -> H:
        """A decorator: the function is called with each peer that wants to enter, and may raise ConnectRefused."""
        self._checks.append(check)
        return check

    def bind(self, publish: Callable[[str, str, Sequence[Any]], Awaitable[Any]]) -> None:
        """Begin to be served: `publish(channel, event, args)`."""
        self._publish = publish

    async def emit(self, event: str, *args: Any, room: str) -> None:
        """Send an event to all in a room; it is encoded once for all of them.

        Raises:
            RuntimeError: No server serves this namespace.
            TypeError: An argument is neither JSON nor bytes.
        """
        if self._publish is None:
            raise RuntimeError("no server serves this namespace")
        await self._publish(self.channel(room), event, args)

    async def admit(self, peer: Peer) -> None:
        """Let a peer in. Raises ConnectRefused."""
        for check in self._checks:
            await _result(check(peer))

    async def entered(self, peer: Peer) -> None:
        """A peer is in, and has been told."""
        self.peers[peer.sid] = peer
        for handler in self._connect:
            await _result(handler(peer))

    async def answer(self, peer: Peer, event: str, args: Sequence[Any]) -> Any:
        """What the handler of an event returns; None where there is none."""
        handler = self._handlers.get(event)
        return None if handler is None else await _result(handler(peer, *args))

    def has(self, event: str) -> bool:
        return event in self._handlers

    async def left(self, peer: Peer, reason: str) -> None:
        """A peer is gone."""
        self.peers.pop(peer.sid, None)
        for handler in self._disconnect:
            await _result(handler(peer, reason))


async def _result(found: Any) -> Any:
    return await found if inspect.isawaitable(found) else found


def _escaped(name: str) -> str:
    """A name in the characters that channels allow: others as `~` and two digits for each byte."""
    kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
    return "".join(chr(byte) if chr(byte) in kept else f"~{byte:02x}" for byte in name.encode()) or "~"
