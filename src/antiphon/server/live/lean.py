"""`/live` over lean sockets: the same door and the same sessions, without ASGI between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from antiphon.errors import AntiphonError
from antiphon.server.core import Core
from antiphon.server.door import Door, Scope, refusal
from antiphon.transports.base import Session, Socket
from antiphon.transports.entrance import lean_protocol
from antiphon.transports.handshake import Refused
from antiphon.transports.lean import Shared
from antiphon.transports.sweep import Beat, Sweep

Open = Callable[[Scope, Socket], Session]
"""Makes a session for a socket that the door has admitted; raises AntiphonError."""


class LeanRoutes:
    """Which paths are lean, and who answers there."""

    def __init__(self, door: Door, routes: Mapping[str, Open]) -> None:
        self._door = door
        self._routes = routes

    def serves(self, path: str) -> bool:
        return path in self._routes

    async def open(self, scope: Scope, socket: Socket) -> Session:
        """Raises Refused, with the error that ASGI's way would answer."""
        try:
            path = await self._door.admit_socket(scope)
            return self._routes[path](scope, socket)
        except AntiphonError as exc:
            raise Refused(*refusal(exc)) from None


@contextmanager
def lean_sockets(core: Core, door: Door, routes: Mapping[str, Open]) -> Iterator[type[asyncio.Protocol]]:
    """A class for uvicorn's `ws=`: lean where the path is one of `routes`, uvicorn's own elsewhere."""
    sweep = Sweep(Beat(), stalled_s=core.limits.stalled_s)
    try:
        shared = Shared(core.limits, core.crew, sweep)
        yield lean_protocol(LeanRoutes(door, routes), shared, otherwise=WebSocketsSansIOProtocol)
    finally:
        sweep.stop()
