"""Every method and path has one owner: no dialect takes a path of ours or of another dialect."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute

from antiphon.brokers.memory import MemoryBroker
from antiphon.dialects import FACTS
from antiphon.server.app import Server
from antiphon.server.settings import load, policy_of


class Owned(NamedTuple):
    method: str  # WS for sockets
    path: str
    route: BaseRoute


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    settings = load(None, {"server.data": str(tmp_path / "data")}, cwd=tmp_path).settings
    found = Server(settings, lambda: policy_of(settings, ports=[]), open_store=MemoryBroker)
    async with found.running():
        yield found


def flat(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    """In the order in which they are asked; FastAPI keeps included routers whole."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from (route,) if inner is None else flat(inner.routes)


def owned(server: Server) -> Iterator[Owned]:
    for route in flat(server.app.routes):
        if isinstance(route, WebSocketRoute):
            yield Owned("WS", route.path, route)
        elif isinstance(route, Route):
            yield from (Owned(method, route.path, route) for method in sorted(route.methods or ()))
        elif isinstance(route, Mount):
            yield Owned("GET", f"{route.path}/{{rest:path}}", route)


async def test_every_method_and_path_has_one_owner(server: Server) -> None:
    shapes = Counter((each.method, re.sub(r"{[^}]*}", "{}", each.path)) for each in owned(server))
    assert [shape for shape, count in shapes.items() if count > 1] == []
    assert len(shapes) > 50


async def test_no_path_is_hidden_by_another(server: Server) -> None:
    """The route that answers is the one that was made for it."""
    hidden = []
    for each in owned(server):
        path = re.sub(r"{[^}]*}", "x", each.path)
        kind = "websocket" if each.method == "WS" else "http"
        scope = {"type": kind, "path": path, "method": each.method, "root_path": "", "headers": []}
        first = next(route for route in flat(server.app.routes) if route.matches(scope)[0] is Match.FULL)
        if first is not each.route:
            hidden.append(f"{each.method} {each.path} by {getattr(first, 'path', first)}")
    assert hidden == []


async def test_every_path_of_a_dialect_is_declared(server: Server) -> None:
    """What is served in a dialect's name is what its documented origins may use."""
    ours = {each.path for each in owned(server)}
    for facts in FACTS:
        assert set(facts.paths) <= ours
        assert set(facts.public) <= set(facts.paths)
        assert all(origin.startswith(("http://localhost:", "http://127.0.0.1:")) for origin in facts.origins)
