"""The forum, as clients may ask about it."""

from __future__ import annotations

from typing import Any

from antiphon.errors import ConflictError, NotFound
from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live.forum_params import (
    ForumMuteParams,
    ForumParams,
    ForumPostParams,
    ForumReplayParams,
    ForumThresholdParams,
)
from antiphon.services.forum import MAIN, Forum, forum_channel


async def get(core: Core, user: User, wanted: ForumParams) -> dict[str, Any]:
    require(user, "read", forum_channel(wanted.name))
    return {"forum": await the_forum(core).get(wanted.name)}


async def post(core: Core, user: User, wanted: ForumPostParams) -> dict[str, Any]:
    require(user, "publish", forum_channel(wanted.name))
    forum = _live(core, wanted)
    found = await forum.post(wanted.text, by=user.name, source=wanted.source, speech_id=wanted.speech_id)
    return found._asdict()


async def mute(core: Core, user: User, wanted: ForumMuteParams) -> dict[str, Any]:
    return {"forum": await _controlled(core, user, wanted).mute(wanted.source, wanted.muted)}


async def call_host(core: Core, user: User, wanted: ForumParams) -> dict[str, Any]:
    return {"host": (await _controlled(core, user, wanted).call_host())._asdict()}


async def stop_host(core: Core, user: User, wanted: ForumParams) -> dict[str, Any]:
    return {"host": (await _controlled(core, user, wanted).stop_host(by=user.name))._asdict()}


async def set_threshold(core: Core, user: User, wanted: ForumThresholdParams) -> dict[str, Any]:
    return {"forum": await _controlled(core, user, wanted).set_threshold(wanted.threshold)}


async def replay(core: Core, user: User, wanted: ForumReplayParams) -> dict[str, Any]:
    require(user, "publish", forum_channel(wanted.name))
    return (await the_forum(core).replay(wanted.name, wanted.records))._asdict()


def the_forum(core: Core) -> Forum:
    """Raises NotFound where it is turned off."""
    if core.forum is None:
        raise NotFound("this server has no forum: set forum.enabled = true")
    return core.forum


def _live(core: Core, wanted: ForumParams) -> Forum:
    """The forum in which people can talk. Raises NotFound, ConflictError."""
    forum = the_forum(core)
    if wanted.name != MAIN:
        raise ConflictError(f"the forum {wanted.name} is a replayed file: nobody talks there", pointer="/params/name")
    return forum


def _controlled(core: Core, user: User, wanted: ForumParams) -> Forum:
    require(user, "control", forum_channel(wanted.name))
    return _live(core, wanted)
