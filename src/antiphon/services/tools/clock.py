"""The tool `clock`: what time it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from antiphon.errors import ToolError
from antiphon.services.tools.config import ClockConfig
from antiphon.services.tools.tool import Tool
from antiphon.services.tools.values import ToolContext


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def clock_tool(config: ClockConfig, now: Callable[[], dt.datetime] = _now) -> Tool:
    """Args: now: The time in UTC; None = the machine's."""

    async def call(_: ToolContext, arguments: dict[str, Any]) -> dict[str, Any]:
        return tell(now(), arguments.get("zone") or config.zone)

    return Tool(
        name="clock",
        description="Tell the current date and time, in a time zone.",
        parameters={
            "type": "object",
            "properties": {
                "zone": {
                    "type": "string",
                    "maxLength": 80,
                    "description": f"An IANA time zone such as Europe/Berlin; {config.zone} where none is given.",
                }
            },
            "additionalProperties": False,
        },
        call=call,
        timeout_s=10,
    )


def tell(moment: dt.datetime, zone: str) -> dict[str, Any]:
    """A moment as it is called there: `{iso, date, time, weekday, zone, utc_offset, unix}`.

    Raises:
        ToolError: There is no such time zone.
    """
    try:
        here = moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ToolError(f"{zone[:80]!r} is no time zone; examples: UTC, Europe/Berlin, America/New_York") from None
    offset = here.isoformat()[-6:]
    return {
        "iso": here.isoformat(timespec="seconds"),
        "date": here.date().isoformat(),
        "time": here.strftime("%H:%M:%S"),
        "weekday": here.strftime("%A"),
        "zone": zone,
        "utc_offset": offset,
        "unix": int(here.timestamp()),
    }
