"""Which app answers on which port: the whole server on the main one, a dialect alone on a port of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from fastapi import FastAPI

from antiphon.server import socketio
from antiphon.server.core import Core
from antiphon.server.dialects.http import OUR_PAGE, Pages, elsewhere, has_page, playground_at, route_of
from antiphon.server.dialects.known import Served, make_all
from antiphon.server.door import Receive, Scope, Send
from antiphon.server.http.answers import answer_errors
from antiphon.server.sockets import SocketPath, SocketPaths
from antiphon.transports.socketio.namespace import Namespace


class Site(NamedTuple):
    """One listener."""

    app: FastAPI
    sockets: SocketPaths
    rooms: socketio.SocketSite | None = None


class Sites:
    """The ASGI app behind the door, and where lean sockets look up their paths.

    Args:
        main: All that is not a dialect's.
        namespaces: Of the embedding program, over Socket.IO on the main port; by name.
    """

    def __init__(self, main: FastAPI, namespaces: Mapping[str, Namespace]) -> None:
        self.main = main
        self.everywhere = SocketPaths(())
        self._main_site = Site(main, SocketPaths(()))
        self._namespaces = namespaces
        self._own: dict[str, Site] = {}  # by dialect
        self._ports: dict[int, str] = {}
        self._main_port = 0

    def listens(self, port: int, dialect: str | None = None) -> None:
        """This port belongs to a dialect alone; None = it is the main one."""
        if dialect is None:
            self._main_port = port
        else:
            self._ports[port] = dialect

    @contextmanager
    def serving(self, core: Core, sockets: Sequence[SocketPath]) -> Iterator[None]:
        """Add the sockets of the server itself and all dialects; at the end nothing of theirs goes on."""
        served = make_all(core)
        rooms = socket_site(core, served, self._namespaces)
        mine = [*sockets, *(path for each in served for path in each.sockets), *rooms_paths(rooms)]
        self.everywhere = SocketPaths(mine)
        self._main_site = Site(self.main, self.everywhere, rooms)
        self.main.router.routes += [path.route(core) for path in mine]
        for each in served:
            _add_routes(self.main, core, each)
            self.main.router.routes += [playground_at(path) for path in each.dialect.playgrounds]
            if each.settings.listen is not None:
                self._own[each.name] = _own_site(core, each, self.main, lambda: self._main_port)
        try:
            yield
        finally:
            for site in (self._main_site, *self._own.values()):
                if site.rooms is not None:
                    site.rooms.close()
            for each in served:
                if each.sweep is not None:
                    each.sweep.stop()

    def paths_of(self, scope: Scope) -> SocketPaths:
        """The sockets of the port that was asked on."""
        return self._of(scope).sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        site = self._of(scope)
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if site.rooms is not None and scope["type"] == "http" and path == socketio.PATH:
            await site.rooms(scope, receive, send)  # polled often: past all that other requests need
        else:
            await site.app(scope, receive, send)

    def _of(self, scope: Scope) -> Site:
        server = scope.get("server")
        return self._main_site if not server else self._own.get(self._ports.get(server[1], ""), self._main_site)


def _add_routes(app: FastAPI, core: Core, served: Served) -> None:
    app.router.routes += [*served.routes, *(route_of(core, route) for route in served.dialect.routes)]


def _own_site(core: Core, served: Served, main: FastAPI, main_port: Callable[[], int]) -> Site:
    """A dialect whole at the root: its sockets and routes, then its pages; our playground is on the main port."""
    rooms = socket_site(core, [served], {})
    sockets = [*served.sockets, *rooms_paths(rooms)]
    directory = served.settings.pages
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state = main.state
    answer_errors(app)
    app.router.routes += [path.route(core) for path in sockets]
    _add_routes(app, core, served)
    for path in served.dialect.playgrounds:
        if directory is None or not has_page(directory, path):
            app.router.routes.append(elsewhere(path, main_port))
    if directory is not None:
        app.mount("/", Pages(directory), name="pages")
    elif served.dialect.home is not None:
        app.mount("/", Pages(served.dialect.home, OUR_PAGE), name="pages")
    return Site(app, SocketPaths(sockets), rooms)


def socket_site(
    core: Core, served: Sequence[Served], namespaces: Mapping[str, Namespace]
) -> socketio.SocketSite | None:
    """Socket.IO of one listener; None where nobody speaks it."""
    spaces = [each.dialect.space for each in served if each.dialect.space is not None]
    if not spaces and not namespaces:
        return None
    return socketio.open_site(core, spaces, namespaces)


def rooms_paths(rooms: socketio.SocketSite | None) -> list[SocketPath]:
    return [] if rooms is None else [rooms.sockets]
