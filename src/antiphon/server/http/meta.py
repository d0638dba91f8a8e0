"""The server about itself: facts, connections, health and metrics."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from antiphon import __version__
from antiphon.server.http.answers import Json, TheCore, TheUser
from antiphon.server.live import commands
from antiphon.server.live.params import NoParams
from antiphon.server.metrics import render

router = APIRouter(tags=["server"])


@router.get("/api/server")
async def server(request: Request, core: TheCore, user: TheUser) -> Response:
    """What this server is and allows."""
    found: dict[str, Any] = {
        "server": f"antiphon/{__version__}",
        "protocol": 1,
        "epoch": core.hub.epoch,
        "user": user.name,
        "features": core.features,
        "limits": core.settings.limits.model_dump(),
        "auth": request.app.state.authenticator.enabled,
        "active_path": core.active_path,
        "uptime_s": round(time.monotonic() - core.started, 1),
    }
    if user.has_all:
        found["data"] = str(core.settings.server.data.absolute())
    return Json(found)


@router.get("/api/server/connections")
async def connections(core: TheCore, user: TheUser) -> Response:
    """Who is connected over what, and why the last ones left."""
    return Json(await commands.connection_list(core, user, NoParams()))


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return Json({"status": "ok"})


@router.get("/readyz")
async def readyz(core: TheCore) -> Response:
    """An event, published now, arrived at a socket of the server's own."""
    return Json({"status": "ready", "round_trip_ms": round(await core.readiness.check() * 1000, 2)})


@router.get("/metrics")
async def metrics(core: TheCore) -> Response:
    """Counters in Prometheus text format."""
    return PlainTextResponse(render(core), media_type="text/plain; version=0.0.4")
