"""Processes over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from antiphon.server.access import require
from antiphon.server.body import body_of, documented
from antiphon.server.http.answers import Json, TheCore, TheUser
from antiphon.server.live import commands
from antiphon.server.live.params import ProcessAction, ProcessWriteParams, TextParams

router = APIRouter(prefix="/api/processes", tags=["processes"])


@router.get("")
async def rows(core: TheCore, user: TheUser) -> Response:
    """The process table."""
    require(user, "read", "processes")
    return Json({"processes": core.processes.rows()})


@router.post("/{name}/stdin", openapi_extra=documented(TextParams))
async def write(
    core: TheCore, user: TheUser, name: str, wanted: Annotated[TextParams, Depends(body_of(TextParams))]
) -> Response:
    """Write to the program's standard input."""
    return Json(await commands.process_write(core, user, ProcessWriteParams(name=name, text=wanted.text)))


@router.post("/{name}/{action}")
async def act(core: TheCore, user: TheUser, name: str, action: ProcessAction) -> Response:
    """Start, stop or restart; `stop` answers when the tree is gone."""
    return Json(await commands.process_action(core, user, name, action))
