"""Publishing on behalf of a client: what is allowed, and which part of its input an error speaks of."""

from __future__ import annotations

import orjson

from antiphon.errors import AntiphonError, ChannelOwned
from antiphon.messages import NewEvent
from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live.params import EventParams


def new_event(core: Core, user: User, channel: str, wanted: EventParams) -> NewEvent:
    """The event that a client asks for. Raises ChannelOwned, Forbidden, Busy where the user publishes too fast."""
    if core.hub.is_owned(channel):
        raise ChannelOwned(f"channel {channel} belongs to a service; clients cannot publish into it")
    require(user, "publish", channel)
    core.rates.take(user)
    return NewEvent(channel, wanted.type, orjson.dumps(wanted.data), user.name, wanted.idempotency_key)


def located(error: AntiphonError, *, at: str) -> AntiphonError:
    """The hub's error with a pointer into the client's message."""
    if error.pointer is None or not at:
        return error
    moved = type(error)(error.message, pointer=at + error.pointer)
    return moved.with_traceback(None)
