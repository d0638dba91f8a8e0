"""Channels over HTTP: publish, look back, search, and follow as Server-Sent Events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from antiphon.errors import AntiphonError
from antiphon.messages import MAX_OFFSET
from antiphon.server import publishing
from antiphon.server.body import body_of, documented
from antiphon.server.http.answers import Json, TheChannel, TheCore, TheUser
from antiphon.server.http.stream import EventStream
from antiphon.server.live import commands, encode
from antiphon.server.live.params import (
    MAX_LIMIT,
    MAX_NEEDLE,
    ChannelListParams,
    ChannelParams,
    EventParams,
    HistoryParams,
    SearchParams,
)

router = APIRouter(prefix="/api", tags=["channels"])

Offset = Annotated[int | None, Query(ge=0, le=MAX_OFFSET, description="Exclusive offset")]


@router.get("/channels")
async def channel_list(core: TheCore, user: TheUser, prefix: Annotated[str, Query(max_length=255)] = "") -> Response:
    """The channels that have events."""
    return Json(await commands.channel_list(core, user, ChannelListParams(prefix=prefix)))


@router.post("/channels/{channel}/events", status_code=201, openapi_extra=documented(EventParams))
async def publish(
    core: TheCore, user: TheUser, channel: TheChannel, wanted: Annotated[EventParams, Depends(body_of(EventParams))]
) -> Response:
    """Append an event; answered after its commit."""
    event = publishing.new_event(core, user, channel, wanted)
    try:
        cursor = await core.hub.publish(event)
    except AntiphonError as exc:
        raise publishing.located(exc, at="") from None
    return Json(encode.cursor_object(cursor), status_code=201)


@router.get("/channels/{channel}/events")
async def history(
    core: TheCore,
    user: TheUser,
    channel: TheChannel,
    after: Offset = None,
    before: Offset = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
) -> Response:
    """Events after or before an offset, or the newest; ascending."""
    wanted = HistoryParams(channel=channel, after=after, before=before, limit=limit)
    return Json(await commands.history(core, user, wanted))


@router.get("/channels/{channel}/search")
async def search(
    core: TheCore,
    user: TheUser,
    channel: TheChannel,
    text: Annotated[str, Query(min_length=1, max_length=MAX_NEEDLE)],
    before: Offset = None,
    limit: Annotated[int, Query(ge=0, le=MAX_LIMIT)] = 50,
    ignore_case: bool = False,
) -> Response:
    """One slice of a search, newest hit first; go on with `before` = `scanned_to` until `complete`."""
    wanted = SearchParams(channel=channel, text=text, before=before, limit=limit, ignore_case=ignore_case)
    return Json(await commands.search(core, user, wanted))


@router.get("/channels/{channel}/state")
async def state(core: TheCore, user: TheUser, channel: TheChannel) -> Response:
    """The channel's state and its version."""
    return Json(await commands.state(core, user, ChannelParams(channel=channel)))


@router.get("/stream", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def stream(
    request: Request,
    core: TheCore,
    user: TheUser,
    channel: Annotated[list[str], Query(description="Repeat for several channels")],
    after: Annotated[str, Query(description='"start", "now", or a cursor per channel, joined by ","')] = "now",
) -> Any:
    """Follow channels as Server-Sent Events; `Last-Event-ID` wins over `after`."""
    given = request.headers.get("last-event-id") or after
    return await EventStream.open(core, user, request, channel, given)
