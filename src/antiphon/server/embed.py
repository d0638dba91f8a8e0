"""Antiphon inside somebody's own FastAPI or Starlette app.

live = Antiphon(data="./data", auth=current_user)
live.mount(app, "/antiphon")
"""

from __future__ import annotations

import asyncio
import inspect
import os
import secrets
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from antiphon.errors import Busy
from antiphon.hub import Hub
from antiphon.messages import Cursor, NewEvent
from antiphon.server.access import LOCAL, User
from antiphon.server.admission import Facts, Policy
from antiphon.server.app import Server
from antiphon.server.auth import Authenticator
from antiphon.server.auth.sessions import Sessions
from antiphon.server.core import Core
from antiphon.server.door import Receive, Scope, Send, refuse
from antiphon.server.settings import load, policy_of

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
        self._settings = load(None if config is None else Path(config), flags, os.environ).settings
        self._auth = auth
        self._policy = self._make_policy()
        sessions = Sessions(secrets.token_bytes(32), clock=time.time)  # signs nothing: the host has its own
        self._authenticator = Authenticator(enabled=auth is not None, users={}, sessions=sessions)
        self._server = Server(
            self._settings, lambda: self._policy, identify=self._identify, authenticator=self._authenticator
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
        """Open the store and the services. `mount` does this with the app's lifespan."""
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

    def _make_policy(self) -> Policy:
        policy = policy_of(self._settings, ports=[], mounted_without_auth=self._auth is None)
        return policy if self._auth is None else replace(policy, auth=True)

    async def _identify(self, scope: Scope, facts: Facts) -> User | None:
        if self._auth is None:
            return LOCAL
        ticket = parse_qs(facts.query.decode("latin-1")).get("ticket")
        if ticket:
            return self._authenticator.redeem(ticket[0])
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
