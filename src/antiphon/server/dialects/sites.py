"""Which app answers on which port: the whole server on the main one, a dialect alone on a port of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fastapi import FastAPI

from antiphon.server.core import Core
from antiphon.server.dialects.http import Pages, elsewhere, has_page, playground_at, route_of
from antiphon.server.dialects.known import Served, make_all
from antiphon.server.door import Receive, Scope, Send
from antiphon.server.http.answers import answer_errors
from antiphon.server.sockets import SocketPath, SocketPaths


class Sites:
    """The ASGI app behind the door, and where lean sockets look up their paths.

    Args:
        main: All that is not a dialect's.
    """

    def __init__(self, main: FastAPI) -> None:
        self.main = main
        self.everywhere = SocketPaths(())
        self._main_paths = SocketPaths(())
        self._own: dict[str, tuple[FastAPI, SocketPaths]] = {}  # by dialect
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
        mine = [*sockets, *(path for each in served for path in each.sockets)]
        self.everywhere = self._main_paths = SocketPaths(mine)
        self.main.router.routes += [path.route(core) for path in mine]
        for each in served:
            _add_routes(self.main, core, each)
            self.main.router.routes += [playground_at(path) for path in each.dialect.playgrounds]
            if each.settings.listen is not None:
                self._own[each.name] = (
                    _own_app(core, each, self.main, lambda: self._main_port),
                    SocketPaths(each.sockets),
                )
        try:
            yield
        finally:
            for each in served:
                if each.sweep is not None:
                    each.sweep.stop()

    def paths_of(self, scope: Scope) -> SocketPaths:
        """The sockets of the port that was asked on."""
        own = self._own_of(scope)
        return self._main_paths if own is None else own[1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = self._own_of(scope)
        await (self.main if own is None else own[0])(scope, receive, send)

    def _own_of(self, scope: Scope) -> tuple[FastAPI, SocketPaths] | None:
        server = scope.get("server")
        return None if not server else self._own.get(self._ports.get(server[1], ""))


def _add_routes(app: FastAPI, core: Core, served: Served) -> None:
    app.router.routes += [*served.routes, *(route_of(core, route) for route in served.dialect.routes)]


def _own_of(self, scope: Scope) -> tuple[FastAPI, SocketPaths] | None:
    server = scope.get("server")
    return None if not server else self._own.get(self._ports.get(server[1], ""))


def _add_routes(app: FastAPI, core: Core, served: Served, elsewhere: Sequence[str]) -> None:
    """A dialect's HTTP; the paths in `elsewhere` are answered by its own pages."""
    dialect = served.dialect
    app.router.routes += [*served.routes, *(route_of(core, route) for route in dialect.routes)]
    app.router.routes += [playground_at(path) for path in dialect.playgrounds if path not in elsewhere]


def _own_app(core: Core, served: Served, main: FastAPI, main_port: Callable[[], int]) -> FastAPI:
    """A dialect whole at the root: its sockets and routes, then its pages; our playground is on the main port."""
    directory = served.settings.pages
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state = main.state
    answer_errors(app)
    app.router.routes += [path.route(core) for path in served.sockets]
    _add_routes(app, core, served)
    for path in served.dialect.playgrounds:
        if directory is None or not has_page(directory, path):
            app.router.routes.append(elsewhere(path, main_port))
    if directory is not None:
        app.mount("/", Pages(directory), name="pages")
    return app
