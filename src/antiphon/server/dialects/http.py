"""A dialect's HTTP routes, and the pages of a port of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute
from starlette.routing import Route as HttpRoute
from starlette.staticfiles import StaticFiles

from antiphon.dialects.base import Ask, Reply, Route
from antiphon.errors import Unauthenticated
from antiphon.server.access import User, require
from antiphon.server.body import read_body
from antiphon.server.caller import UserCaller
from antiphon.server.core import Core
from antiphon.server.http.answers import Json
from antiphon.server.http.pages import playground

WITH_BODY = ("POST", "PUT", "PATCH")
HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
OUR_PAGE = HEADERS | {
    "content-security-policy": "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


def route_of(core: Core, route: Route) -> BaseRoute:
    """One path of a dialect."""
    return HttpRoute(route.path, _answering(core, route), methods=[route.method])


def playground_at(path: str) -> BaseRoute:
    """Where a system has a test page, ours answers, ready for its protocol."""
    return HttpRoute(path, playground, methods=["GET"])


def elsewhere(path: str, port: Callable[[], int]) -> BaseRoute:
    """The same path on another port of this server."""

    async def redirect(request: Request) -> Response:
        return RedirectResponse(str(request.url.replace(port=port())))

    return HttpRoute(path, redirect, methods=["GET"])


def _answering(core: Core, route: Route) -> Callable[[Request], Awaitable[Response]]:
    action, _, resource = (route.needs or "").partition(" ")

    async def answer(request: Request) -> Response:
        user: User | None = request.state.user
        if user is None and not request.state.admitted.public:
            raise Unauthenticated("log in first")
        if route.needs is not None:
            require(user or User("", ()), action, resource)  # type: ignore[arg-type]
        has_body = route.method in WITH_BODY and not _is_empty(request)
        body = await read_body(request, core.settings.limits.message_bytes) if has_body else b""
        caller = None if user is None else UserCaller(core, user)
        asked = Ask(caller, request.path_params, dict(request.query_params), body, request.headers)
        return _response(await route.answer(asked))

    return answer


def _is_empty(request: Request) -> bool:
    return request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers


def _response(reply: Reply) -> Response:
    content, headers = reply.content, dict(reply.headers)
    if isinstance(content, AsyncIterator):
        return StreamingResponse(content, reply.status, headers, reply.media_type)
    if reply.media_type == Json.media_type and not isinstance(content, bytes):
        return Json(content, reply.status, headers)
    return Response(content, reply.status, headers, reply.media_type)


class Pages(StaticFiles):
    """The files of a directory, and only those: no links out of it, nothing hidden, no listing."""

    def __init__(self, directory: Path, headers: Mapping[str, str] = HEADERS) -> None:
        super().__init__(directory=directory, html=True, follow_symlink=False, check_dir=False)
        self._headers = headers

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        parts = path.replace("\\", "/").split("/")
        if any(part.startswith(".") and part not in (".", "") for part in parts) or "\0" in path:
            return "", None
        return super().lookup_path(path)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers.update(self._headers)
        return answer


def has_page(directory: Path, path: str) -> bool:
    """Whether a directory of pages has a file of its own at this path."""
    return (directory / path.lstrip("/")).is_file()
