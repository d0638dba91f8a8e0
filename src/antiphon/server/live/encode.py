"""Events and answers as JSON. An event's payload is put in as it was stored: it is encoded once in its life."""

from __future__ import annotations

from typing import Any

import orjson

from antiphon.brokers.base import SearchSlice
from antiphon.errors import AntiphonError
from antiphon.hub import Gap, History, State, Subscribed, Summary
from antiphon.messages import Cursor, Event, encode_time


def dumps(value: Any) -> bytes:
    return orjson.dumps(value)


def event_object(event: Event) -> dict[str, Any]:
    """The params of an `event` notification."""
    found = {
        "channel": event.channel,
        "offset": event.offset,
        "type": event.type,
        "data": orjson.Fragment(event.payload),
        "time": encode_time(event.time_ms),
    }
    if event.by is not None:
        found["by"] = event.by
    return found


def cursor_object(cursor: Cursor) -> dict[str, Any]:
    return {"epoch": cursor.epoch, "offset": cursor.offset}


def state_object(state: State) -> dict[str, Any]:
    return {"version": state.version, "value": state.value}


def summary_object(summary: Summary) -> dict[str, Any]:
    """`state` and `messages` of a subscribe reply or a gap."""
    messages = [message._asdict() for message in summary.messages]
    return {"state": state_object(summary.state), "messages": messages}


def subscribed_object(reply: Subscribed) -> dict[str, Any]:
    found: dict[str, Any] = {
        "epoch": reply.epoch,
        "after": reply.after,
        "head": reply.head,
        "oldest": reply.oldest,
        "recovered": reply.recovered,
    }
    if reply.summary is not None:
        found |= summary_object(reply.summary)
    return found


def history_object(history: History) -> dict[str, Any]:
    return {
        "epoch": history.epoch,
        "events": [event_object(event) for event in history.events],
        "oldest": history.oldest,
        "head": history.head,
    }


def search_object(found: SearchSlice) -> dict[str, Any]:
    return {
        "hits": [event_object(event) for event in found.hits],
        "count": found.count,
        "scanned_to": found.scanned_to,
        "complete": found.complete,
    }


def gap_object(gap: Gap) -> dict[str, Any]:
    found: dict[str, Any] = {
        "channel": gap.channel,
        "epoch": gap.epoch,
        "from": gap.first,
        "to": gap.last,
        "reason": gap.reason,
    }
    if gap.summary is not None:
        found |= summary_object(gap.summary)
    return found


def problem_object(error: AntiphonError) -> dict[str, Any]:
    """An error over HTTP, where parameters are the body itself: services point to them as on sockets."""
    facts = error.facts()
    if error.pointer is not None:
        facts["pointer"] = error.pointer.removeprefix("/params")
    return {"message": error.message, **facts}
