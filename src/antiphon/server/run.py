"""`antiphon serve`: bind, open, serve, and leave in order."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import structlog
import uvicorn

from antiphon.server.app import Server
from antiphon.server.auth import operator_token
from antiphon.server.core import Core
from antiphon.server.imported import check_agents, imported_namespaces, imported_runnables
from antiphon.server.listeners import Listeners, bound, port_of, url_host
from antiphon.server.readiness import Readiness
from antiphon.server.runnables import Runnable
from antiphon.server.settings import Loaded, Settings, policy_of
from antiphon.transports.socketio.namespace import Namespace

FAREWELL_S = 1.0  # for clients to take what is queued before their sockets are closed
PING_INTERVAL_S = 25.0
PING_TIMEOUT_S = 20.0
COLLECT_AFTER = (20_000, 20, 20)

log = structlog.get_logger(__name__)


def serve(loaded: Loaded, *, announce: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM or SIGINT; a second signal ends at once.

    Args:
        announce: Called with the address to open, once connections are accepted.
    Raises:
        DataDirectoryInUse, StorageError, SettingsError
    """
    settings = loaded.settings
    runnables, namespaces = imported_runnables(loaded), imported_namespaces(loaded)
    check_agents(loaded)
    for warning in loaded.warnings:
        log.warning(warning)
    _calm_collector()
    with bound(settings) as listeners, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, runnables, namespaces, listeners, announce))


async def _serve(
    settings: Settings,
    runnables: Sequence[Runnable],
    namespaces: Mapping[str, Namespace],
    listeners: Listeners,
    announce: Callable[[str], None],
) -> None:
    port = listeners.port
    policy = policy_of(settings, ports=listeners.ports)
    app = Server(settings, lambda: policy)
    app.sites.listens(port)
    for dialect, own in listeners.own.items():
        app.sites.listens(port_of(own), dialect)
    for runnable in runnables:
        app.offer(runnable)
    app.namespaces.update(namespaces)
    async with app.running() as core:
        live = f"ws://{_name(settings)}:{port}/live"
        core.readiness = Readiness(core.hub, core.canary, lambda: live + app.ticket())
        with _sockets(app, core) as sockets:
            server = _Uvicorn(_config(app, settings, sockets), core, partial(_announce, settings, listeners, announce))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, server.stop, number)
            await server.serve(sockets=listeners.all)


def _calm_collector() -> None:
    """Collect garbage less often: what a publish makes is freed without it, and each pass looks at all that waits."""
    gc.freeze()  # modules and settings stay
    gc.set_threshold(*COLLECT_AFTER)


def _sockets(app: Server, core: Core) -> AbstractContextManager[Any]:
    """What uvicorn's `ws=` is given."""
    return app.lean_sockets(core) if core.settings.server.sockets == "auto" else nullcontext("websockets-sansio")


class _Uvicorn(uvicorn.Server):
    """Says goodbye before it closes sockets, and leaves signals to us: services stop after it has returned."""

    def __init__(self, config: uvicorn.Config, core: Core, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._core = core
        self._listening = listening

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self, number: int) -> None:
        if self.should_exit:
            os._exit(128 + number)  # asked twice: whatever still runs is found again at the next start
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or []:
            listener.close()  # nobody new while the others leave
        await self._core.connections.leave("stopping", within_s=FAREWELL_S)
        await super().shutdown(sockets)


def _config(app: Any, settings: Settings, sockets: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws=sockets,
        ws_max_size=settings.limits.message_bytes,
        ws_ping_interval=PING_INTERVAL_S,
        ws_ping_timeout=PING_TIMEOUT_S,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
        proxy_headers=False,  # admission reads them, and only from trusted proxies
        server_header=False,
        access_log=False,
        log_level="warning",
    )


def _announce(settings: Settings, listeners: Listeners, announce: Callable[[str], None]) -> None:
    announce(_address(settings, listeners.port))
    for dialect, own in listeners.own.items():
        host, port = own.getsockname()[:2]
        log.info("a dialect has a port of its own", dialect=dialect, address=f"http://{url_host(host)}:{port}/")


def _address(settings: Settings, port: int) -> str:
    token = f"#token={operator_token(settings.server.data)}" if settings.auth else ""
    return f"http://{_name(settings)}:{port}/{token}"


def _name(settings: Settings) -> str:
    """The server's host in a URL."""
    return url_host(settings.server.host)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not made for every platform
        return None
    return uvloop.new_event_loop
