"""Socket.IO in one session: which namespaces a client is in, what it says there, what it hears.

Source: Socket.IO protocol, revision 5.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from antiphon.errors import AntiphonError
from antiphon.hub import Hub, Outlet, Start
from antiphon.messages import Cursor
from antiphon.transports.base import Limits
from antiphon.transports.crew import Crew
from antiphon.transports.socketio.codec import Codecs
from antiphon.transports.socketio.endings import CLIENT_LEFT, MISSED, NO_NAMESPACE, may_return, spoken
from antiphon.transports.socketio.engine import BadPacket
from antiphon.transports.socketio.handling import Handling, Work
from antiphon.transports.socketio.hearing import Hearing
from antiphon.transports.socketio.namespace import EVERYBODY, ConnectRefused, Namespace
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
from antiphon.transports.socketio.peer import Peer
from antiphon.transports.socketio.recovery import Left, Trail
from antiphon.transports.socketio.returning import Resumed, claim_of, resume
from antiphon.transports.socketio.session import EngineSession

CONNECT_S = 45.0  # in which a client must have entered a namespace

log = structlog.get_logger(__name__)


class Noticed(Protocol):
    """Who keeps a table of connections."""

    def moved(self, outlet: Outlet) -> None:
        """The connection goes on over another outlet, perhaps over another carriage."""

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
        "_assembly", "_entering", "_handling", "_hearing", "_noticed", "_peers", "_session", "_shared", "_timer",
        "_user",
    )  # fmt: skip

    def __init__(self, shared: Shared, session: EngineSession, user: Any) -> None:
        self._shared = shared
        self._session = session
        self._user = user
        self._peers: dict[str, Peer] = {}  # by namespace
        self._entering: set[str] = set()  # namespaces that are asked to let it in
        self._assembly: Assembly | None = None
        self._handling = Handling(shared.crew, shared.limits.message_bytes)
        self._hearing = Hearing(
            shared.hub,
            shared.codecs,
            session,
            partial(session.close, MISSED),
            bound_bytes=shared.limits.queued_bytes,
            max_subscriptions=shared.max_subscriptions,
        )
        self._noticed: Noticed | None = None
        loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = loop.call_later(CONNECT_S, session.close, NO_NAMESPACE)

    @property
    def outlet(self) -> Outlet:
        return self._hearing.outlet

    def notify(self, noticed: Noticed) -> None:
        self._noticed = noticed

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
            return self._event(peer, packet, len(data))
        if packet.kind == ACK:
            peer.acknowledged(packet.id or 0, packet.data)
        elif packet.kind == DISCONNECT:
            self.leave(peer, CLIENT_LEFT)
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
        self._assembly = Assembly(packet, self._shared.limits.message_bytes)
        return None

    def upgraded(self) -> None:
        self._hearing.move()
        self._tell_moved()

    def drained(self) -> None:
        self._shared.hub.drained(self.outlet)

    def ended(self, reason: str) -> None:
        self._stop_timer()
        self.outlet.close()
        self._assembly = None
        for peer in list(self._peers.values()):
            self.leave(peer, reason)
        if self._noticed is not None:
            self._noticed.ended(reason)

    def _tell_moved(self) -> None:
        if self._noticed is not None:
            self._noticed.moved(self.outlet)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # entering and leaving

    def _connect(self, packet: SocketPacket) -> Awaitable[None] | None:
        namespace = self._shared.namespaces.get(packet.namespace)
        if namespace is None:
            self._refuse(packet.namespace, "Invalid namespace")
            return None
        if packet.namespace in self._peers or packet.namespace in self._entering:
            raise BadPacket("the client is in this namespace already")
        return self._enter(namespace, packet.data)

    async def _enter(self, namespace: Namespace, auth: Any) -> None:
        """Let it in, or say why not; what it says meanwhile waits."""
        claim, given = (None, auth) if namespace.kept is None else claim_of(auth)
        peer = Peer(namespace, self, secrets.token_urlsafe(15), self._user, given)
        self._entering.add(namespace.name)
        try:
            if not await self._is_admitted(peer):
                return
            resumed = None
            if namespace.kept is not None and claim is not None:
                resumed = await resume(namespace.kept, claim, self._user, self._hearing)
            await self._prepare(peer, resumed)
            if self._session.is_open:
                self._welcome(peer, resumed)
        finally:
            self._entering.discard(namespace.name)

    async def _is_admitted(self, peer: Peer) -> bool:
        namespace = peer.namespace
        try:
            await namespace.admit(peer)
        except ConnectRefused as refused:
            self._refuse(namespace.name, refused.message, refused.data)
        except Exception:
            log.exception("a check failed", namespace=namespace.name)
            self._refuse(namespace.name, "Internal server error")
        else:
            return self._session.is_open
        return False

    def _refuse(self, namespace: str, message: str, data: Any = None) -> None:
        more = {} if data is None else {"data": data}
        self._send(SocketPacket(CONNECT_ERROR, namespace, {"message": message, **more}))

    async def _prepare(self, peer: Peer, resumed: Resumed | None) -> None:
        """Give it the rooms that it begins with."""
        namespace = peer.namespace
        if resumed is not None:
            left = resumed.left
            peer.sid, peer.data, peer.trail, peer.recovered = left.sid, left.data, left.trail, True
            peer.channels.update(left.trail.rooms)
            return
        if namespace.kept is not None and self._session.is_open:
            peer.trail = Trail(secrets.token_urlsafe(18))
            self._hearing.leave_trails()
            self._tell_moved()
        if namespace.has_everybody:
            await peer.join(EVERYBODY)

    def _welcome(self, peer: Peer, resumed: Resumed | None) -> None:
        namespace, trail = peer.namespace, peer.trail
        self._stop_timer()
        self._peers[namespace.name] = peer
        namespace.peers[peer.sid] = peer
        facts = {"sid": peer.sid}
        if namespace.kept is not None and trail is not None:
            facts["pid"] = trail.pid
            namespace.kept.entered(peer, trail.pid)
        self._send(SocketPacket(CONNECT, namespace.name, facts))
        if resumed is not None and trail is not None:
            for pieces in resumed.missed:
                self._session.say(trail.said_alone(pieces))
            for subscription in resumed.subscriptions:
                self._hearing.begin(subscription)
        if namespace.greets:
            peer.entering = self._shared.crew.start(namespace.entered(peer), name="socket.io connect")

    def leave(self, peer: Peer, reason: str) -> None:
        """A peer goes: nothing more is said to it in its namespace."""
        namespace = peer.namespace
        if self._peers.get(namespace.name) is not peer:
            return
        del self._peers[namespace.name]
        namespace.peers.pop(peer.sid, None)
        for channel in peer.channels:
            self._hearing.unfollow(channel)
        peer.gone()
        if namespace.kept is not None and peer.trail is not None:
            left = Left(peer.sid, peer.user, peer.data, peer.trail) if may_return(reason) else None
            namespace.kept.gone(peer.trail.pid, left)
        if namespace.says_goodbye:
            self._shared.crew.start(_say_goodbye(peer, spoken(reason)), name="socket.io disconnect")

    def drop(self, reason: str) -> None:
        self._session.close(reason)

    # what is said and heard

    def say(self, peer: Peer, packet: SocketPacket) -> bool:
        if self._peers.get(peer.namespace.name) is not peer:
            return False
        if peer.trail is not None and packet.kind == EVENT and packet.id is None:
            pieces = encode(packet)
            self.outlet.release()
            self._session.say(peer.trail.said_alone(pieces))
        else:
            self._send(packet)
        return True

    def _send(self, packet: SocketPacket) -> None:
        """Send a packet behind what was gathered. Raises TypeError."""
        pieces = encode(packet)
        self.outlet.release()
        self._session.say(pieces)

    async def follow(self, peer: Peer, channel: str, after: Cursor | Start) -> None:
        await self._hearing.follow(channel, after, peer.trail)
        if channel not in peer.channels:  # it left while it came
            self.unfollow(peer, channel)

    def unfollow(self, peer: Peer, channel: str) -> None:
        self._hearing.unfollow(channel)
        if peer.trail is not None:
            peer.trail.end(channel)

    # events

    def _event(self, peer: Peer, packet: SocketPacket, size: int) -> Awaitable[None] | None:
        name, *args = packet.data
        if not peer.namespace.has(name):
            return None
        answer = partial(self._answer, peer, name, args, packet.id)
        return self._handling.take(Work(answer, name, size, peer.entering))

    async def _answer(self, peer: Peer, name: str, args: Sequence[Any], number: int | None) -> None:
        try:
            result = await peer.namespace.answer(peer, name, args)
            if number is not None:
                given = [] if result is None else list(result) if isinstance(result, tuple) else [result]
                self.say(peer, SocketPacket(ACK, peer.namespace.name, given, number))
        except AntiphonError as error:
            log.info("an event was refused", event_name=name, error=error.message)
        except Exception:
            log.exception("a handler failed", event_name=name)


async def _say_goodbye(peer: Peer, reason: str) -> None:
    """Once it has been greeted."""
    if peer.entering is not None:
        await asyncio.wait([peer.entering])
    await peer.namespace.left(peer, reason)
