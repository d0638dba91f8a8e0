"""Antiphon inside somebody's own FastAPI or Starlette app.

live = Antiphon(data="./data", auth=current_user)
live.mount(app, "/antiphon")
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload
from urllib.parse import parse_qs

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from antiphon.errors import Busy, ConflictError, SettingsError
from antiphon.hub import Hub
from antiphon.messages import Cursor, NewEvent
from antiphon.server.access import LOCAL, User
from antiphon.server.admission import Facts, Policy
from antiphon.server.agents import OwnAgent
from antiphon.server.app import Server
from antiphon.server.auth import Authenticator, RunTokens
from antiphon.server.auth.authenticator import bearer
from antiphon.server.auth.secrets import session_key
from antiphon.server.auth.sessions import Sessions
from antiphon.server.core import Core
from antiphon.server.door import Receive, Scope, Send, refuse
from antiphon.server.imported import check_agents, imported_namespaces, imported_runnables
from antiphon.server.live.params import input_error
from antiphon.server.runnables import Function, Runnable
from antiphon.server.settings import load, policy_of
from antiphon.services.agents import AgentConfig
from antiphon.services.names import check_name
from antiphon.services.tools import Tool
from antiphon.transports.socketio.namespace import Namespace

if TYPE_CHECKING:  # an extra
    from pydantic_ai import Agent as PydanticAgent

F = TypeVar("F", bound=Function)
T = TypeVar("T", bound=Callable[..., Any])
CurrentUser = Callable[[HTTPConnection], User | Awaitable[User | None] | None]


class Antiphon:
    """One Antiphon in this process.

    Args:
        data: Directory of the log; one process owns it at a time, so an app with several workers connects to
            `antiphon serve` instead.
        auth: Finds the user of a request or socket; None from it means nobody. Without `auth`, only clients on this
            machine are answered, and nothing that a proxy passed on.
        config: A file of settings; None = `antiphon.toml` in the current directory if there is one.
        settings: Further settings by their full names, e.g. `{"server.allowed_hosts": ["app.example"]}`.
    Raises:
        SettingsError: A setting is unknown or wrong.
    """

    def __init__(
        self,
        data: str | Path = "./data",
        *,
        auth: CurrentUser | None = None,
        config: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        flags = {"server.data": str(data), **(settings or {})}
        self._loaded = load(None if config is None else Path(config), flags, os.environ)
        self._settings = self._loaded.settings
        self._has_imported = False
        self._auth = auth
        self._policy = self._make_policy()
        self._server = Server(
            self._settings,
            lambda: self._policy,
            identify=self._identify,
            open_authenticator=self._open_authenticator,
        )
        self._core: Core | None = None

    def mount(self, app: Starlette, path: str = "/antiphon") -> None:
        """Add the routes under `path` and open and close Antiphon with the app: its lifespan is wrapped."""
        app.mount(path, self._asgi, name="antiphon")
        inner = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(host: Starlette) -> AsyncIterator[Any]:
            async with self.running(), inner(host) as state:
                yield state

        app.router.lifespan_context = lifespan

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the store and the services. `mount` does this with the app's lifespan.

        Raises:
            SettingsError: What the settings name cannot be imported.
            DataDirectoryInUse, StorageError
        """
        if not self._has_imported:
            check_agents(self._loaded)
            for runnable in imported_runnables(self._loaded):
                self._server.offer(runnable)
            self._server.namespaces.update(imported_namespaces(self._loaded) | self._server.namespaces)
            self._has_imported = True
        async with self._server.running() as core:
            self._core = core
            try:
                with _farewell(core):
                    yield
            finally:
                self._core = None

    @property
    def hub(self) -> Hub:
        """The hub, for code of this process. Raises Busy while the app is not running."""
        if self._core is None:
            raise Busy("Antiphon is not running: mount it, or use `async with live.running()`")
        return self._core.hub

    def runnable(self, name: str) -> Callable[[F], F]:
        """A decorator that makes a function startable from the page, REST and the SDK, detached from whoever asked.

        `async def f(run: Run, q: str) -> str`: first the run, then the input by name. An input that does not fit the
        annotations is refused before the run begins; what is returned is the run's result.

        Raises:
            TypeError: The function is not `async def`, takes no run, or has a parameter that cannot be given by name.
            ConflictError, SettingsError: The name is taken, or impossible.
        """

        def offer(function: F) -> F:
            self._server.offer(Runnable(name, function))
            return function

        return offer

    def agent(self, name: str, agent: PydanticAgent[Any, Any], *, deps: Any = None, **settings: Any) -> None:
        """Offer a pydantic-ai agent of this program, unmodified: each of its answers is a run, in a thread.

        Its own model, tools and instructions stay; with `tools=[...]` it is given some of the server's too.

        Args:
            deps: What its tools and instructions get as `RunContext.deps`.
            settings: As in `[agent.NAME]`, e.g. `title="Help desk"`, `if_busy="reject"`, `needs_approval=["refund"]`.
        Raises:
            ConflictError: The name is taken.
            SettingsError: A setting is unknown or wrong, or the name is impossible.
        """
        check_name(name, "agent")
        try:
            config = AgentConfig.model_validate(settings)
        except ValidationError as exc:
            raise SettingsError(f"agent.{name}: {input_error(exc.errors(), at='').message}") from None
        self._server.offered.add_agent(OwnAgent(name, agent, deps, config))

    @overload
    def tool(self, function: T, /) -> T: ...
    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        description: str | None = None,
        needs_approval: bool = False,
        timeout_s: float | None = 60,
        in_process: bool = False,
    ) -> Callable[[T], T]: ...
    def tool(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """A decorator that makes a function a tool, for agents and for programs.

        Its signature and docstring say what a model is told. An `async def` is awaited here; any other runs in a
        process of its own, which is killed when the call is cancelled, or with `in_process` in a thread.

        Args:
            name: None = the function's.
            description: None = from the docstring.
            needs_approval: Whether a person is asked before an agent may call it.
            timeout_s: Seconds that a call may take; None = no limit.
        Raises:
            TypeError: The function cannot be called with JSON, or not in a process of its own.
            ConflictError: The name is taken.
        """

        def offer(function: T) -> T:
            self._server.offered.add_tool(Tool.from_function(function, **options))
            return function

        return offer if function is None else offer(function)

    def socketio(self, namespace: str = "/", *, recovery_s: float = 0) -> Namespace:
        """A Socket.IO namespace of the app's own, served at `/socket.io/` below the mount; see docs/socketio.md.

        Args:
            recovery_s: How long a client that was cut off may take to come back and go on where it was, with what it
                missed; at most 600. 0 = it begins anew.
        Raises:
            ValueError: No namespace can have this name, or this time is too long.
            ConflictError: It is there already, belongs to a dialect that is turned on, or the app runs.
        """
        if self._core is not None:
            raise ConflictError("namespaces are made before the app runs")
        made = Namespace(namespace, recovery_s=recovery_s)
        if namespace in self._settings.dialect.namespaces:
            raise ConflictError(
                f"the namespace {namespace!r} belongs to dialect.bettafish: turn it off, or use another"
            )
        if namespace in self._server.namespaces:
            raise ConflictError(f"there is a namespace {namespace!r} already")
        self._server.namespaces[namespace] = made
        return made

    async def publish(self, channel: str, type: str, data: Any, *, idempotency_key: str | None = None) -> Cursor:  # noqa: A002
        """Append an event on behalf of the app itself; returns its cursor after the commit.

        Raises:
            InvalidChannel, KeyConflict, InvalidPatch, StorageError, Busy
        """
        event = NewEvent(channel, type, orjson.dumps(data), None, idempotency_key)
        return await self.hub.publish(event)

    async def _asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._core is None:
            await refuse(scope, receive, send, Busy("the app is starting or stopping"))
        else:
            await self._server(scope, receive, send)

    def _open_authenticator(self) -> Authenticator:
        """The host knows its users; ours to know are tickets and the tokens of runs."""
        key = session_key(self._settings.server.data)
        return Authenticator(enabled=self._auth is not None, users={}, sessions=Sessions(key), runs=RunTokens(key))

    def _make_policy(self) -> Policy:
        policy = policy_of(self._settings, ports=[], mounted_without_auth=self._auth is None)
        return policy if self._auth is None else replace(policy, auth=True)

    async def _identify(self, scope: Scope, facts: Facts) -> User | None:
        if self._auth is None:
            return LOCAL
        authenticator = self._server.authenticator
        ticket = parse_qs(facts.query.decode("latin-1")).get("ticket")
        if ticket and authenticator is not None:
            return authenticator.redeem(ticket[0])
        token = bearer(facts)
        if token is not None and authenticator is not None and (holder := authenticator.by_run_token(token)):
            return holder
        found = self._auth(HTTPConnection(scope))
        return await found if inspect.isawaitable(found) else found


@contextmanager
def _farewell(core: Core) -> Iterator[None]:
    """Say goodbye as soon as the process is told to stop: a server waits for streams that nobody ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stopping(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(core.connections.goodbye, "stopping")
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, stopping)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
