"""The clock: a moment as it is called in a time zone."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from antiphon.errors import ToolError
from antiphon.services.tools import Tools, ToolsConfig
from antiphon.services.tools.clock import clock_tool, tell
from antiphon.services.tools.config import ClockConfig
from antiphon.services.tools.values import ToolContext

SUMMER = dt.datetime(2026, 7, 1, 22, 30, 15, 999_999, dt.UTC)


def test_a_moment_in_a_time_zone() -> None:
    assert tell(SUMMER, "Europe/Berlin") == {
        "iso": "2026-07-02T00:30:15+02:00",
        "date": "2026-07-02",
        "time": "00:30:15",
        "weekday": "Thursday",
        "zone": "Europe/Berlin",
        "utc_offset": "+02:00",
        "unix": 1782945015,
    }
    assert tell(SUMMER, "Asia/Kolkata")["utc_offset"] == "+05:30"
    assert tell(SUMMER, "UTC")["iso"] == "2026-07-01T22:30:15+00:00"


@pytest.mark.parametrize("zone", ["Nowhere/Land", "../../etc/passwd", "/etc/localtime", "", "Europe", "\0", "x" * 70])
def test_what_is_no_time_zone_is_said(zone: str) -> None:
    with pytest.raises(ToolError, match="is no time zone"):
        tell(SUMMER, zone)


async def test_the_settings_say_which_zone_counts() -> None:
    tool = clock_tool(ClockConfig(zone="Asia/Tokyo"), lambda: SUMMER)
    assert (await tool.call(ToolContext(), {}))["zone"] == "Asia/Tokyo"
    assert (await tool.call(ToolContext(), {"zone": "UTC"}))["zone"] == "UTC"
    assert "Asia/Tokyo" in str(tool.parameters)
    with pytest.raises(ValidationError, match="is no time zone"):
        ClockConfig(zone="Nowhere/Land")


async def test_the_tool_tells_now() -> None:
    before = int(dt.datetime.now(dt.UTC).timestamp())
    async with Tools(ToolsConfig()) as tools:
        found = await tools.call("clock", {})
    assert before <= found["unix"]
    assert found["zone"] == "UTC"
