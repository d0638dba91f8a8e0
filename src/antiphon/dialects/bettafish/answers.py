"""HTTP: statuses and logs, which the pages poll."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import orjson

from antiphon.dialects.base import Ask, Caller, Reply, Route
from antiphon.dialects.bettafish.apps import APPS, ENGINES, FORUM, STARTING, channel_of, status_of, statuses
from antiphon.dialects.bettafish.bodies import object_of, refused
from antiphon.dialects.bettafish.desk import Desk, Look
from antiphon.dialects.bettafish.lines import clock
from antiphon.dialects.bettafish.space import PROCESSES
from antiphon.errors import Unauthenticated
from antiphon.messages import now_ms

MAX_TAIL: Final = 2000
MAX_PAGE: Final = 5000
OUTPUT, FORUM_LOG, FORUM_HISTORY = "/api/output/{app}", "/api/forum/log", "/api/forum/log/history"
STATUS, SYSTEM_STATUS = "/api/status", "/api/system/status"


def caller_of(asked: Ask) -> Caller:
    """Raises Unauthenticated."""
    if asked.caller is None:
        raise Unauthenticated("log in first")
    return asked.caller


class Answers:
    """What is only looked at."""

    def __init__(self, desk: Desk) -> None:
        self._consoles = desk.consoles
        self._system = desk.system

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", STATUS, self._status),
            Route("GET", SYSTEM_STATUS, self._system_status),
            Route("GET", OUTPUT, self._output),
            Route("GET", FORUM_LOG, self._forum),
            Route("POST", FORUM_HISTORY, self._history),
        )

    async def _status(self, asked: Ask) -> Reply:
        """The table as it is: no health check is waited for."""
        caller = caller_of(asked)
        caller.require("read", PROCESSES)
        found = statuses(self._system.rows(), has_forum=self._system.has_forum)
        for app in APPS:
            found[app]["output_lines"] = await (await self._look(caller, app)).count()
        return Reply(found)

    async def _system_status(self, asked: Ask) -> Reply:
        caller_of(asked).require("read", PROCESSES)
        rows = self._system.rows()
        is_starting = self._system.is_starting or any(status_of(rows.get(app)) == STARTING for app in ENGINES)
        is_started = self._system.is_started
        return Reply({"success": True, "started": is_started, "starting": is_starting and not is_started})

    async def _look(self, caller: Caller, app: str) -> Look:
        caller.require("read", channel_of(app))
        return await self._consoles.look(app)

    async def _output(self, asked: Ask) -> Reply:
        """All lines since the start; `tail` asks for the newest only, and cannot then be counted from the beginning."""
        app = asked.path["app"]
        if app not in APPS:
            return Reply(refused(f"unknown app: {app[:80]}"))
        look = await self._look(caller_of(asked), app)
        tail = _number(asked.query.get("tail"), 1, MAX_TAIL)
        tag = f'"{look.tag}"' if tail is None else f'"{look.tag}-{tail}"'
        if (same := _unchanged(asked, tag)) is not None:
            return same
        if tail is None:
            return _reply(_whole(look, {"output": 0}), tag)
        found = {"success": True, "output": await look.last(tail), "total_lines": await look.count()}
        return Reply(found, headers=_headers(tag))

    async def _forum(self, asked: Ask) -> Reply:
        look = await self._look(caller_of(asked), FORUM)
        tag = f'"{look.tag}"'
        same = _unchanged(asked, tag)
        return _reply(_whole(look, {"log_lines": 0, "parsed_messages": 1}), tag) if same is None else same

    async def _history(self, asked: Ask) -> Reply:
        """Page by page: `position` counts lines. Each line gets the time of this request before it."""
        look = await self._look(caller_of(asked), FORUM)
        body = object_of(asked.body)
        position = _number(body.get("position", 0), 0, 2**53)
        wanted = _number(body.get("max_lines", 1000), 1, MAX_PAGE)
        if position is None or wanted is None:
            return Reply(refused("position and max_lines must be numbers"), status=400)
        lines = await look.page(position, wanted)
        prefix = f"[{clock(now_ms())}] "
        after = position + len(lines)
        has_more = bool(lines) and after < await look.count()
        found = {"log_lines": [prefix + line for line in lines], "position": after, "has_more": has_more}
        return Reply({"success": True, **found})


async def _whole(look: Look, columns: dict[str, int]) -> AsyncIterator[bytes]:
    """An object with arrays, written as it is read: the log may be long."""
    yield b'{"success":true'
    for name, index in columns.items():
        yield b"," + orjson.dumps(name) + b":["
        async for piece in look.column(index):
            yield piece
        yield b"]"
    yield b',"total_lines":%d}' % await look.count()


def _reply(content: AsyncIterator[bytes], tag: str) -> Reply:
    return Reply(content, headers=_headers(tag))


def _headers(tag: str) -> dict[str, str]:
    """Browsers keep it, and ask each time whether it is still the same."""
    return {"etag": tag, "cache-control": "no-cache"}


def _unchanged(asked: Ask, tag: str) -> Reply | None:
    given = [part.strip().removeprefix("W/") for part in asked.headers.get("if-none-match", "").split(",")]
    return Reply(b"", status=304, headers=_headers(tag)) if tag in given or "*" in given else None


def _number(value: Any, low: int, high: int) -> int | None:
    """A whole number, moved into its bounds; None where it is none."""
    try:
        return max(low, min(high, int(value)))
    except (TypeError, ValueError):
        return None
