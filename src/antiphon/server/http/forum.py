"""Forums over HTTP. What is said there is in the channels `forum:NAME`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from antiphon.server.body import documented, read_object
from antiphon.server.http.answers import Json, TheCore, TheUser
from antiphon.server.live import forum_commands
from antiphon.server.live.forum_params import (
    ForumMuteParams,
    ForumParams,
    ForumPostParams,
    ForumReplayParams,
    ForumThresholdParams,
)
from antiphon.server.live.params import Params, check

router = APIRouter(prefix="/api/forums/{name}", tags=["forum"])

P = TypeVar("P", bound=Params)
TheName = Annotated[str, Path(description="Name of a forum: `main`, or that of a replayed file")]


def of_forum(model: type[P]) -> Callable[[Request, str], Awaitable[P]]:
    """A dependency that reads the body as `model`; the path says which forum."""

    async def read(request: Request, name: TheName) -> P:
        return check(model, await read_object(request, name=name), at="")

    return read


def documented_of_forum(model: type[Params]) -> dict[str, Any]:
    return documented(model, "name")


@router.get("")
async def get(core: TheCore, user: TheUser, name: TheName) -> Response:
    """Who speaks, what the host does, how many speeches it has not heard."""
    return Json(await forum_commands.get(core, user, check(ForumParams, {"name": name}, at="")))


@router.post("/speeches", status_code=201, openapi_extra=documented_of_forum(ForumPostParams))
async def post(
    core: TheCore, user: TheUser, wanted: Annotated[ForumPostParams, Depends(of_forum(ForumPostParams))]
) -> Response:
    """Say something."""
    return Json(await forum_commands.post(core, user, wanted), status_code=201)


@router.post("/mute", openapi_extra=documented_of_forum(ForumMuteParams))
async def mute(
    core: TheCore, user: TheUser, wanted: Annotated[ForumMuteParams, Depends(of_forum(ForumMuteParams))]
) -> Response:
    """Mute a source, or with `muted: false` hear it again."""
    return Json(await forum_commands.mute(core, user, wanted))


@router.post("/threshold", openapi_extra=documented_of_forum(ForumThresholdParams))
async def set_threshold(
    core: TheCore, user: TheUser, wanted: Annotated[ForumThresholdParams, Depends(of_forum(ForumThresholdParams))]
) -> Response:
    """After how many speeches of agents the host speaks."""
    return Json(await forum_commands.set_threshold(core, user, wanted))


@router.post("/host/call", openapi_extra=documented_of_forum(ForumParams))
async def call_host(
    core: TheCore, user: TheUser, wanted: Annotated[ForumParams, Depends(of_forum(ForumParams))]
) -> Response:
    """Let the host speak now."""
    return Json(await forum_commands.call_host(core, user, wanted))


@router.post("/host/stop", openapi_extra=documented_of_forum(ForumParams))
async def stop_host(
    core: TheCore, user: TheUser, wanted: Annotated[ForumParams, Depends(of_forum(ForumParams))]
) -> Response:
    """Stop the host in mid-sentence."""
    return Json(await forum_commands.stop_host(core, user, wanted))


@router.post("/replay", status_code=201, openapi_extra=documented_of_forum(ForumReplayParams))
async def replay(
    core: TheCore, user: TheUser, wanted: Annotated[ForumReplayParams, Depends(of_forum(ForumReplayParams))]
) -> Response:
    """Read an old `forum.log` into a forum of its own; the same file again changes nothing."""
    return Json(await forum_commands.replay(core, user, wanted), status_code=201)
