"""Assembly: the store, the services, the routes and the door, in one ASGI app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from fastapi import FastAPI

from antiphon import __version__
from antiphon.brokers.base import Broker
from antiphon.brokers.memory_log import Volatile
from antiphon.brokers.routed import RoutedBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.dialects import FACTS
from antiphon.errors import ConflictError
from antiphon.hub import Hub, Keep
from antiphon.hub.retention import Policy as KeepPolicy
from antiphon.server.access import User
from antiphon.server.admission import Facts, Policy
from antiphon.server.agents import Offered, new_agents
from antiphon.server.auth import Authenticator
from antiphon.server.canary import CHANNEL, KEPT_EVENTS, Canary
from antiphon.server.connections import Connections
from antiphon.server.core import Core
from antiphon.server.dialects.sites import Sites
from antiphon.server.door import Door, Identify, Receive, Scope, Send
from antiphon.server.http import agents as agent_routes
from antiphon.server.http import channels, facades, meta, pages, processes, questions, runs, session
from antiphon.server.http import forum as forum_routes
from antiphon.server.http.answers import answer_errors
from antiphon.server.http.documentation import DocumentedApi
from antiphon.server.live.endpoint import live_path
from antiphon.server.live.lean import lean_sockets
from antiphon.server.mcp import serving_mcp
from antiphon.server.rates import Rates
from antiphon.server.readiness import Readiness
from antiphon.server.runnables import Runnable, ask_and_wait
from antiphon.server.settings import Settings
from antiphon.server.wrapping import Wrapping
from antiphon.services.forum import Forum
from antiphon.services.logs import Logs
from antiphon.services.processes import Processes
from antiphon.services.questions import Questions
from antiphon.services.runs import Clock, Runs
from antiphon.services.tools import Tools
from antiphon.transports.crew import Crew
from antiphon.transports.socketio.namespace import Namespace
from antiphon.transports.socketio.rooms import FAMILY as ROOMS

if TYPE_CHECKING:  # it needs the extra
    from antiphon.services.agents.service import Agents

RESERVED = ("forum:", ROOMS)  # clients must not speak there, nor come to rely on what services will


class Work(NamedTuple):
    """The services that do and ask."""

    runs: Runs
    questions: Questions
    tools: Tools
    agents: Agents | None


class Server:
    """Antiphon as an ASGI app; `running` opens and closes what it serves.

    Args:
        settings: The effective settings.
        policy: What it answers to, asked at each request: the ports may be known only later.
        identify: Who asks; None = as the settings say.
        open_authenticator: Makes what keeps sessions and tickets, once the data directory is ours; None = from the
            settings.
        open_store: Opens the store; None = SQLite in the data directory.
        clock: The time that runs and questions live by; None = the machine's.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Callable[[], Policy],
        *,
        identify: Identify | None = None,
        open_authenticator: Callable[[], Authenticator] | None = None,
        open_store: Callable[[], Broker] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.app = _routes()
        self.authenticator: Authenticator | None = None  # None = it has not been opened yet
        self.runnables: dict[str, Runnable] = {}
        self.offered = Offered()
        self._open_authenticator = open_authenticator or partial(Authenticator.open, settings)
        self._open_store = open_store or partial(_open_store, settings)
        self._clock = clock
        self._runs: Runs | None = None
        self.namespaces: dict[str, Namespace] = {}  # of the embedding program, over Socket.IO
        self.sites = Sites(self.app, self.namespaces)
        self._door = Door(self.sites, policy, identify or self._identify)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(scope, receive, send)

    def offer(self, runnable: Runnable) -> None:
        """Make a function startable, from now on or once the server runs. Raises ConflictError: the name is taken."""
        if runnable.name in self.runnables:
            raise ConflictError(f"there is a runnable {runnable.name!r} already")
        if self._runs is not None:
            runnable.check()
            self._runs.register(runnable.name, runnable)
        self.runnables[runnable.name] = runnable

    @asynccontextmanager
    async def _working(self, hub: Hub) -> AsyncIterator[Work]:
        settings = self.settings
        runs = Runs(hub, settings.runs, clock=self._clock)
        questions = Questions(hub, runs)
        runs.ask = partial(ask_and_wait, questions)
        tools = Tools(settings.tools, mcp=settings.mcp)
        agents = new_agents(hub, runs, questions, tools, settings)
        for runnable in self.runnables.values():
            runnable.check()
            runs.register(runnable.name, runnable)
        async with tools, runs, questions, agents or nullcontext():
            self.offered.begin(tools, agents)
            runs.resume()
            self._runs = runs
            try:
                yield Work(runs, questions, tools, agents)
            finally:
                self._runs = None
                self.offered.end()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Core]:
        """Open the store and the services; close them in reverse order.

        Raises:
            DataDirectoryInUse, StorageError
        """
        settings = self.settings
        broker = RoutedBroker(self._open_store(), _volatile(settings))
        self.authenticator = authenticator = self.authenticator or self._open_authenticator()
        async with (
            Hub(broker, keep=_keep(settings)) as hub,
            self._working(hub) as work,
            _conversing(hub, work, settings) as forum,  # before what writes the logs that it watches
            Logs(hub, settings.log) as logs,
            Wrapping(hub, work.runs) as voices,
            Processes(hub, settings.process, settings.server.data, voices=voices) as supervised,
            Crew() as crew,
            _singing(hub) as canary,
        ):
            for family in RESERVED:
                hub.claim(family)
            limits = settings.limits
            core = Core(
                settings=settings,
                hub=hub,
                processes=supervised,
                logs=logs,
                runs=work.runs,
                questions=work.questions,
                tools=work.tools,
                agents=work.agents,
                forum=forum,
                runnables=self.runnables,
                authenticator=authenticator,
                connections=Connections(limits.connections, work.runs.disconnected),
                rates=Rates(limits.publishes_per_s),
                crew=crew,
                canary=canary,
                readiness=Readiness(hub, canary, None),
            )
            self.app.state.core = core
            self.app.state.authenticator = self.authenticator
            async with serving_mcp(self.app, core):
                with self.sites.serving(core, [live_path(core)]):
                    yield core
                    core.connections.goodbye("stopping")

    @contextmanager
    def lean_sockets(self, core: Core) -> Iterator[type[asyncio.Protocol]]:
        """A class for uvicorn's `ws=` that serves hot sockets without ASGI. Optional: ASGI serves the same paths."""
        core.active_path = "lean"
        with lean_sockets(core, self._door, self.sites.everywhere, self.sites.paths_of) as protocol:
            yield protocol

    def ticket(self) -> str:
        """A ticket for a socket of the server's own, as a query; empty where none is needed."""
        if self.authenticator is None or not self.authenticator.enabled:
            return ""
        return f"?ticket={self.authenticator.issue_ticket(User('server', ('read antiphon:*',))).ticket}"

    async def _identify(self, _: Scope, facts: Facts) -> User | None:
        return None if self.authenticator is None else self.authenticator.authenticate(facts)


def _routes() -> FastAPI:
    app = DocumentedApi(
        title="Antiphon",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        description="The HTTP API. Live delivery over WebSocket and SSE is described in docs/protocol.md.",
    )
    answer_errors(app)
    for part in (channels, processes, runs, questions, agent_routes, forum_routes, facades, session, meta, pages):
        app.include_router(part.router)
    app.include_router(pages.files)
    pages.mount_assets(app)
    pages.mount_docs(app)
    return app


def _open_store(settings: Settings) -> Broker:
    """Raises DataDirectoryInUse, StorageError."""
    store = SqliteBroker(settings.server.data, synchronous=settings.storage.synchronous)
    store.open()
    return store


@asynccontextmanager
async def _conversing(hub: Hub, work: Work, settings: Settings) -> AsyncIterator[Forum | None]:
    if not settings.forum.is_on([*settings.process, *settings.log]):
        yield None
        return
    agents = work.agents
    async with Forum(
        hub, work.runs, settings.forum, is_agent=lambda name: agents is not None and agents.knows(name)
    ) as forum:
        yield forum


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
    families = {CHANNEL: Keep(max_events=KEPT_EVENTS)} | {
        pattern: Keep(rule.max_events, rule.max_age_s, rule.max_bytes) for pattern, rule in settings.retention.items()
    }
    rules = KeepPolicy(families)
    numbered = [each.numbered for each in FACTS if getattr(settings.dialect, each.name).enabled]
    whole = {channel: replace(rules.keep(channel), since=kind) for each in numbered for channel, kind in each.items()}
    return families | whole


def _volatile(settings: Settings) -> dict[str, Volatile]:
    rules = {pattern: Volatile(rule.max_events, rule.latest_by) for pattern, rule in settings.volatile.items()}
    return {f"{ROOMS}*": Volatile(), **rules}
