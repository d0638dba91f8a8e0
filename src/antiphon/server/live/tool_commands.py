"""Tools, as clients may see and call them."""

from __future__ import annotations

from typing import Any

from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live.agent_params import ToolCallParams
from antiphon.server.live.params import NoParams


async def list_tools(core: Core, user: User, _: NoParams) -> dict[str, Any]:
    """The tools that the caller may call, and how the servers are that bring some of them."""
    rows = [row for row in core.tools.rows if user.may("control", f"tool:{row['name']}")]
    return {"tools": rows, "sources": core.tools.sources}


async def call_tool(core: Core, user: User, wanted: ToolCallParams) -> dict[str, Any]:
    """Nobody is asked for approval: whoever holds the grant has decided."""
    require(user, "control", f"tool:{wanted.name}")
    return {"result": await core.tools.call(wanted.name, wanted.arguments)}
