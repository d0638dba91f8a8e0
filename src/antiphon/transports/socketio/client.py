"""Socket.IO in one session: which namespaces a client is in, what it says there, what it hears.

Source: Socket.IO protocol, revision 5.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from antiphon.errors import AntiphonError
from antiphon.hub import Hub, Outlet, Start
from antiphon.messages import Cursor
from antiphon.transports.base import Limits
from antiphon.transports.crew import Crew
from antiphon.transports.socketio.codec import Codecs
from antiphon.transports.socketio.engine import BadPacket
from antiphon.transports.socketio.namespace import ConnectRefused, Namespace, Peer
from antiphon.transports.socketio.packets import (
    ACK,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
    Assembly,
    SocketPacket,
    complete,
    decode,
    encode,
)
from antiphon.transports.socketio.session import EngineSession

CONNECT_S = 45.0  # in which a client must have entered a namespace
MAX_HANDLERS = 64  # of one client at a time: beyond, nothing more is read

log = structlog.get_logger(__name__)


class Noticed(Protocol):
    """Who keeps a table of connections."""

    def moved(self, outlet: Outlet) -> None:
        """The connection goes on over another outlet."""

    def ended(self, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What the clients of one address have in common."""

    hub: Hub
    crew: Crew
    limits: Limits
    max_subscriptions: int
    namespaces: Mapping[str, Namespace]
    codecs: Codecs


class Client:
    """The server's side of one client, in whichever namespaces it is."""

    __slots__ = (
        "_assembly",
        "_handlers",
        "_noticed",
        "_peers",
        "_session",
        "_shared",
        "_timer",
        "_user",
        "outlet",
    )

    def __init__(self, shared: Shared, session: EngineSession, user: Any) -> None:
        self._shared = shared
        self._session = session
        self._user = user
        self._peers: dict[str, Peer] = {}  # by namespace
        self._assembly: Assembly | None = None
        self._handlers: set[asyncio.Task[None]] = set()
        self._noticed: Noticed | None = None
        self.outlet = self._make_outlet()
        loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = loop.call_later(CONNECT_S, session.close, "no namespace entered")

    def notify(self, noticed: Noticed) -> None:
        self._noticed = noticed

    def _make_outlet(self) -> Outlet:
        return Outlet(
            self._shared.codecs.of(self._session),
            self._session.sink,
            bound_bytes=self._shared.limits.queued_bytes,
            max_subscriptions=self._shared.max_subscriptions,
        )

    # what the session tells

    def received(self, data: str | bytes) -> Awaitable[None] | None:
        packet = self._whole(data)
        if packet is None:
            return None
        if packet.kind == CONNECT:
            return self._connect(packet)
        peer = self._peers.get(packet.namespace)
        if peer is None:
            return None  # it is on its way out, or never was in
        if packet.kind == EVENT:
            return self._event(peer, packet)
        if packet.kind == ACK:
            peer.acknowledged(packet.id or 0, packet.data)
        elif packet.kind == DISCONNECT:
            self.leave(peer, "client namespace disconnect")
        else:
            raise BadPacket("only servers refuse")
        return None

    def _whole(self, data: str | bytes) -> SocketPacket | None:
        """The packet, once its attachments have come. Raises BadPacket."""
        if isinstance(data, bytes):
            if self._assembly is None:
                raise BadPacket("bytes that belong to no packet")
            packet = self._assembly.add(data)
            if packet is not None:
                self._assembly = None
            return packet
        if self._assembly is not None:
            raise BadPacket("an attachment is missing")
        packet = decode(data)
        if packet.kind <= CONNECT_ERROR:
            return packet
        if not packet.attachments:
            return complete(packet, ())
        self._assembly = Assembly(packet)
        return None

    def upgraded(self) -> None:
        old, self.outlet = self.outlet, self._make_outlet()
        self._shared.hub.move(old, self.outlet)
        old.close()
        if self._noticed is not None:
            self._noticed.moved(self.outlet)

    def drained(self) -> None:
        self._shared.hub.drained(self.outlet)

    def ended(self, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.outlet.close()
        for peer in list(self._peers.values()):
            self.leave(peer, reason)
        for task in self._handlers:
            task.cancel()
        if self._noticed is not None:
            self._noticed.ended(reason)

    # entering and leaving

    def _connect(self, packet: SocketPacket) -> Awaitable[None] | None:
        namespace = self._shared.namespaces.get(packet.namespace)
        if namespace is None:
            self.say(SocketPacket(CONNECT_ERROR, packet.namespace, {"message": "Invalid namespace"}))
            return None
        if packet.namespace in self._peers:
            raise BadPacket("the client is in this namespace already")
        peer = Peer(namespace, self, secrets.token_urlsafe(15), self._user, packet.data)
        return self._enter(peer)

    async def _enter(self, peer: Peer) -> None:
        """Let it in, or say why not; what it says meanwhile waits."""
        namespace = peer.namespace
        try:
            await namespace.admit(peer)
        except ConnectRefused as refused:
            more = {} if refused.data is None else {"data": refused.data}
            self.say(SocketPacket(CONNECT_ERROR, namespace.name, {"message": refused.message, **more}))
            return
        if not self._session.is_open:
            await namespace.left(peer, "connection lost")
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._peers[namespace.name] = peer
        self.say(SocketPacket(CONNECT, namespace.name, {"sid": peer.sid}))
        await namespace.entered(peer)

    def leave(self, peer: Peer, reason: str) -> None:
        """A peer goes: nothing more is said to it in its namespace."""
        if self._peers.get(peer.namespace.name) is not peer:
            return
        del self._peers[peer.namespace.name]
        for channel in list(peer.channels):
            peer.unfollow(channel)
        peer.gone()
        self._shared.crew.start(peer.namespace.left(peer, reason), name="socket.io disconnect")

    # what is said and heard

    def say(self, packet: SocketPacket) -> None:
        """Send a packet behind what was gathered. Raises TypeError."""
        pieces = encode(packet)
        self.outlet.release()
        self._session.say(pieces)

    async def follow(self, peer: Peer, channel: str, after: Cursor | Start) -> None:
        """Subscribe a peer, again where the session was upgraded meanwhile. Raises what `Hub.subscribe` raises."""
        outlet = None
        while outlet is not self.outlet:
            outlet = self.outlet
            subscription, _ = await self._shared.hub.subscribe(outlet, channel, after)
        if channel in peer.channels:
            self._shared.hub.begin(subscription)
        else:  # it left while it came
            self.unfollow(channel)

    def unfollow(self, channel: str) -> None:
        if channel in self.outlet.subscriptions:
            self.outlet.unsubscribe(channel)

    # events

    def _event(self, peer: Peer, packet: SocketPacket) -> Awaitable[None] | None:
        name, *args = packet.data
        if not peer.namespace.has(name):
            return None
        task = self._shared.crew.start(self._answer(peer, name, args, packet.id), name=f"socket.io {name}")
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)
        return self._room() if len(self._handlers) >= MAX_HANDLERS else None

    async def _room(self) -> None:
        while len(self._handlers) >= MAX_HANDLERS:
            await asyncio.wait(self._handlers, return_when=asyncio.FIRST_COMPLETED)

    async def _answer(self, peer: Peer, name: str, args: Sequence[Any], number: int | None) -> None:
        try:
            result = await peer.namespace.answer(peer, name, args)
            if number is not None:
                given = [] if result is None else list(result) if isinstance(result, tuple) else [result]
                self.say(SocketPacket(ACK, peer.namespace.name, given, number))
        except AntiphonError as error:
            log.info("an event was refused", event_name=name, error=error.message)
        except Exception:
            log.exception("a handler failed", event_name=name)
