"""What dialects say and hear over Socket.IO, as the transport's namespace `/`: all of one listener together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from antiphon.dialects.base import Caller, Said, Space
from antiphon.hub import Gap
from antiphon.messages import Event
from antiphon.server.access import User
from antiphon.server.caller import UserCaller
from antiphon.server.core import Core
from antiphon.transports.socketio.codec import Speaker
from antiphon.transports.socketio.engine import Piece
from antiphon.transports.socketio.namespace import Namespace, Peer
from antiphon.transports.socketio.packets import encode_event

ROOT = "/"


class SpaceGuest:
    """A peer as a dialect sees it."""

    def __init__(self, core: Core, peer: Peer) -> None:
        self.caller: Caller = UserCaller(core, peer.user)
        self._peer = peer

    def emit(self, event: str, *args: Any) -> None:
        self._peer.emit(event, *args)


class SpaceSpeaker:
    """Says one family of channels as a dialect does."""

    def __init__(self, speak: Callable[[Event], Sequence[Said]]) -> None:
        self._speak = speak

    def event(self, event: Event) -> Sequence[Piece]:
        return [encode_event(ROOT, name, argument) for name, argument in self._speak(event)]

    def gap(self, gap: Gap) -> Sequence[Piece]:  # noqa: ARG002 - these protocols have no word for it
        return ()


def root_namespace(core: Core, spaces: Sequence[Space]) -> Namespace:
    """The namespace `/` of a listener on which these dialects are served."""
    namespace = Namespace(ROOT, has_everybody=False)
    for space in spaces:
        namespace.on("connect")(partial(_enter, core, space))
        for name, answer in space.events.items():
            namespace.on(name)(partial(_answer, core, answer))
    return namespace


def speakers_of(spaces: Sequence[Space]) -> dict[str, Speaker]:
    """By prefix of the channel; no two dialects speak of the same one."""
    return {prefix: SpaceSpeaker(speak) for space in spaces for prefix, speak in space.speaks.items()}


async def _enter(core: Core, space: Space, peer: Peer) -> None:
    user: User = peer.user
    for channel in space.channels:
        if user.may("read", channel):
            await peer.follow(channel)
    if space.entered is not None:
        await space.entered(SpaceGuest(core, peer))


async def _answer(core: Core, answer: Callable[..., Any], peer: Peer, *args: Any) -> Any:
    return await answer(SpaceGuest(core, peer), *args)
