"""Hot sockets without ASGI: the same door and the same sessions, written to directly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from antiphon.errors import AntiphonError
from antiphon.server.core import Core
from antiphon.server.door import Door, Scope, refusal
from antiphon.server.live.codec import FRAMES
from antiphon.server.sockets import SocketPaths
from antiphon.transports.base import Session, Socket
from antiphon.transports.entrance import lean_protocol
from antiphon.transports.handshake import Refused
from antiphon.transports.lean import Shared
from antiphon.transports.sweep import Beat, Sweep

PathsOf = Callable[[Scope], SocketPaths]
"""The paths of the listener that was asked, by the address in its scope."""


class LeanRoutes:
    """Which paths are lean, and who answers there.

    Args:
        everywhere: Those of all listeners; whether one is served where it was asked for is seen later.
    """

    def __init__(self, door: Door, everywhere: SocketPaths, paths_of: PathsOf, shared: Shared) -> None:
        self._door = door
        self._everywhere = everywhere
        self._paths_of = paths_of
        self._shared = shared

    def serves(self, path: str) -> bool:
        return self._everywhere.at(path) is not None

    def shared_at(self, path: str) -> Shared:
        found = self._everywhere.at(path)
        return self._shared if found is None or found[0].sweep is None else replace(self._shared, sweep=found[0].sweep)

    async def open(self, scope: Scope, socket: Socket) -> Session:
        """Raises Refused, with the error that ASGI's way would answer."""
        try:
            found = self._paths_of(scope).at(await self._door.admit_socket(scope))
            if found is None:
                raise Refused(404)
            scope["path_params"] = found[1]
            return found[0].open(scope, socket, FRAMES)
        except AntiphonError as exc:
            raise Refused(*refusal(exc)) from None


@contextmanager
def lean_sockets(
    core: Core, door: Door, everywhere: SocketPaths, paths_of: PathsOf
) -> Iterator[type[asyncio.Protocol]]:
    """A class for uvicorn's `ws=`: lean where the path is one of these, uvicorn's own elsewhere."""
    sweep = Sweep(Beat(), stalled_s=core.limits.stalled_s)
    try:
        shared = Shared(core.limits, core.crew, sweep)
        routes = LeanRoutes(door, everywhere, paths_of, shared)
        yield lean_protocol(routes, shared, otherwise=WebSocketsSansIOProtocol, shared_at=routes.shared_at)
    finally:
        sweep.stop()
