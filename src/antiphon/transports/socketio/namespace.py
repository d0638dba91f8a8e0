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

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog

from antiphon.transports.socketio.peer import Disconnected, Peer
from antiphon.transports.socketio.recovery import MAX_RECOVERY_S, Kept

__all__ = ["ConnectRefused", "Disconnected", "Namespace", "Peer"]

EVERYBODY = ""  # the room that all are in

log = structlog.get_logger(__name__)

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


class Namespace:
    """Handlers of events, by name.

    Args:
        name: Begins with `/`.
        recovery_s: How long a client that was cut off may take to come back and go on where it was: with its id, its
            rooms and `Peer.data`, and with what it missed. It costs an argument behind those of every event, which
            stock clients since 4.6 know what to do with. 0 = it begins anew.
        has_everybody: Whether all are in one room, so that `emit` without a room reaches them.
    Raises:
        ValueError: No namespace can have this name, or this time is too long.
    """

    def __init__(self, name: str = "/", *, recovery_s: float = 0, has_everybody: bool = True) -> None:
        if not name.startswith("/") or "," in name or "?" in name:
            raise ValueError("the name of a namespace begins with `/` and has neither `,` nor `?`")
        if not 0 <= recovery_s <= MAX_RECOVERY_S:
            raise ValueError(f"recovery_s is at most {MAX_RECOVERY_S}: rooms keep what was said for no longer")
        self.name = name
        self.peers: dict[str, Peer] = {}  # by sid
        self.kept = Kept(recovery_s) if recovery_s else None  # of those who may come back; None = nobody may
        self.has_everybody = has_everybody
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
        function for the same event replaces the first. `connect` (called with the peer once it is in, before any of its
        events is answered) and `disconnect` (called with the peer and the reason, in Socket.IO's words) are no events
        of the client, and may have several functions.
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

    async def emit(self, event: str, *args: Any, room: str | None = None) -> None:
        """Send an event to all in a room; it is encoded once for all of them.

        Args:
            room: None = to all in the namespace.
        Raises:
            RuntimeError: No server serves this namespace.
            TypeError: An argument is neither JSON nor bytes.
        """
        if self._publish is None:
            raise RuntimeError("no server serves this namespace")
        await self._publish(self.channel(EVERYBODY if room is None else room), event, args)

    async def admit(self, peer: Peer) -> None:
        """Let a peer in. Raises ConnectRefused."""
        for check in self._checks:
            await _result(check(peer))

    @property
    def greets(self) -> bool:
        """Whether somebody wants to know who enters."""
        return bool(self._connect)

    async def entered(self, peer: Peer) -> None:
        """A peer is in, and has been told."""
        await _all(self._connect, "connect", peer)

    async def answer(self, peer: Peer, event: str, args: Sequence[Any]) -> Any:
        """What the handler of an event returns; None where there is none."""
        handler = self._handlers.get(event)
        return None if handler is None else await _result(handler(peer, *args))

    def has(self, event: str) -> bool:
        return event in self._handlers

    @property
    def says_goodbye(self) -> bool:
        """Whether somebody wants to know who leaves."""
        return bool(self._disconnect)

    async def left(self, peer: Peer, reason: str) -> None:
        """A peer is gone, for a reason in Socket.IO's words."""
        await _all(self._disconnect, "disconnect", peer, reason)


async def _all(handlers: Sequence[Handler], event: str, *args: Any) -> None:
    """One that fails keeps nothing from the others."""
    for handler in handlers:
        try:
            await _result(handler(*args))
        except Exception:
            log.exception("a handler failed", event_name=event)


async def _result(found: Any) -> Any:
    return await found if inspect.isawaitable(found) else found


def _escaped(name: str) -> str:
    """A name in the characters that channels allow: others as `~` and two digits for each byte."""
    kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
    return "".join(chr(byte) if chr(byte) in kept else f"~{byte:02x}" for byte in name.encode()) or "~"
