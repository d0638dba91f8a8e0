"""Assembly: the store, the services, the routes and the door, in one ASGI app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from antiphon import __version__
from antiphon.brokers.memory_log import Volatile
from antiphon.brokers.routed import RoutedBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub, Keep
from antiphon.server.access import User
from antiphon.server.admission import Facts, Policy
from antiphon.server.auth import Authenticator
from antiphon.server.canary import CHANNEL, KEPT_EVENTS, Canary
from antiphon.server.connections import Connections
from antiphon.server.core import Core
from antiphon.server.door import Door, Identify, Receive, Scope, Send
from antiphon.server.http import channels, meta, pages, processes, session
from antiphon.server.http.answers import answer_errors
from antiphon.server.http.documentation import DocumentedApi
from antiphon.server.live.codec import FRAMES
from antiphon.server.live.endpoint import LiveEndpoint
from antiphon.server.live.lean import lean_sockets
from antiphon.server.rates import Rates
from antiphon.server.readiness import Readiness
from antiphon.server.settings import Settings
from antiphon.services.logs import Logs
from antiphon.services.processes import Processes
from antiphon.transports.crew import Crew

LIVE = "/live"
RESERVED = ("run:", "thread:", "forum:")  # for services that will speak there: clients must not come to rely on them


class Server:
    """Antiphon as an ASGI app; `running` opens and closes what it serves.

    Args:
        settings: The effective settings.
        policy: What it answers to, asked at each request: the ports may be known only later.
        identify: Who asks; None = as the settings say.
        authenticator: Keeps sessions and tickets; None = made from the settings and the data directory.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Callable[[], Policy],
        *,
        identify: Identify | None = None,
        authenticator: Authenticator | None = None,
    ) -> None:
        self.settings = settings
        self.app = _routes()
        self._authenticator = authenticator
        self._door = Door(self.app, policy, identify or self._identify)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Core]:
        """Open the store and the services; close them in reverse order.

        Raises:
            DataDirectoryInUse, StorageError
        """
        settings = self.settings
        store = SqliteBroker(settings.server.data, synchronous=settings.storage.synchronous)
        store.open()
        broker = RoutedBroker(store, _volatile(settings))
        if self._authenticator is None:
            self._authenticator = Authenticator.open(settings)
        async with (
            Hub(broker, keep=_keep(settings)) as hub,
            Logs(hub, settings.log) as logs,
            Processes(hub, settings.process, settings.server.data) as supervised,
            Crew() as crew,
            _singing(hub) as canary,
        ):
            for family in RESERVED:
                hub.claim(family)
            limits = settings.limits
            connections, rates = Connections(limits.connections), Rates(limits.publishes_per_s)
            ready = Readiness(hub, canary, None)
            core = Core(settings, hub, supervised, logs, connections, rates, crew, canary, ready)
            self._serve(core)
            yield core
            core.connections.goodbye("stopping")

    def _serve(self, core: Core) -> None:
        self.app.state.core = core
        self.app.state.authenticator = self._authenticator
        self.app.router.routes.append(WebSocketRoute(LIVE, LiveEndpoint(core)))

    @contextmanager
    def lean_sockets(self, core: Core) -> Iterator[type[asyncio.Protocol]]:
        """A class for uvicorn's `ws=` that serves hot sockets without ASGI. Optional: ASGI serves the same paths."""
        routes = {LIVE: partial(LiveEndpoint(core).open, codec=FRAMES)}
        core.active_path = "lean"
        with lean_sockets(core, self._door, routes) as protocol:
            yield protocol

    def ticket(self) -> str:
        """A ticket for a socket of the server's own, as a query; empty where none is needed."""
        if self._authenticator is None or not self._authenticator.enabled:
            return ""
        return f"?ticket={self._authenticator.issue_ticket(User('server', ('read antiphon:*',))).ticket}"

    async def _identify(self, _: Scope, facts: Facts) -> User | None:
        return None if self._authenticator is None else self._authenticator.authenticate(facts)


def _routes() -> FastAPI:
    app = DocumentedApi(
        title="Antiphon",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        description="The HTTP API. Live delivery over WebSocket and SSE is described in docs/protocol.md.",
    )
    answer_errors(app)
    for part in (channels, processes, session, meta, pages):
        app.include_router(part.router)
    pages.mount_assets(app)
    return app


@asynccontextmanager
async def _singing(hub: Hub) -> AsyncIterator[Canary]:
    canary = Canary(hub)
    task = asyncio.create_task(canary.run(), name="canary")
    try:
        yield canary
    finally:
        task.cancel()
        await asyncio.wait([task])


def _keep(settings: Settings) -> dict[str, Keep]:
    return {CHANNEL: Keep(max_events=KEPT_EVENTS)} | {
        pattern: Keep(rule.max_events, rule.max_age_s, rule.max_bytes) for pattern, rule in settings.retention.items()
    }


def _volatile(settings: Settings) -> dict[str, Volatile]:
    return {pattern: Volatile(rule.max_events, rule.latest_by) for pattern, rule in settings.volatile.items()}
