"""Agents and tools as tables."""

from __future__ import annotations

import sys
from typing import Any

import antiphon
from antiphon.cli.ending import say
from antiphon.cli.output import print_json, safe

Row = dict[str, Any]


def list_agents(*, as_json: bool) -> None:
    """Print the agents."""
    with antiphon.connect(first_connection_s=0) as live:
        rows = live.request("agent.list")["agents"]
        features = live.features
    if as_json:
        print_json(rows)
        return
    for row in rows:
        if row.get("problem"):
            say(f"{row['name']}: {row['problem']}")
    if rows:
        _print(("AGENT", "MODEL", "TOOLS", "WHAT"), [_agent(row) for row in rows])
    elif "agents" in features:
        say("there is no agent that you may ask")
    else:
        say("this server has no agents: they need pip install 'antiphon[agents]'")


def list_tools(*, as_json: bool) -> None:
    """Print the tools; what keeps a server of tools from bringing its own is said on standard error."""
    with antiphon.connect(first_connection_s=0) as live:
        found = live.request("tool.list")
    for source in found.get("sources", ()):
        if source.get("error"):
            say(f"mcp:{source['name']}: {source['error']}")
    if as_json:
        print_json(found["tools"])
    elif found["tools"]:
        _print(("TOOL", "SOURCE", "APPROVAL", "WHAT"), [_tool(row) for row in found["tools"]])
    else:
        say("there is no tool that you may call")


def _agent(row: Row) -> tuple[str, ...]:
    tools = ", ".join(tool["name"] for tool in row["tools"])
    title = row["title"] if row["title"] != row["name"] else None
    return row["name"], row["model"] or "", tools, " · ".join(filter(None, (title, row["description"])))


def _tool(row: Row) -> tuple[str, ...]:
    sentence = next(iter(row["description"].splitlines()), "").partition(". ")[0]
    return row["name"], row["source"], "asks first" if row["needs_approval"] else "", sentence


def _print(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, header_style="dim", pad_edge=False)
    for number, title in enumerate(titles):
        shown.add_column(title, no_wrap=number < 2, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(safe(cell)) for cell in row))
    Console(file=sys.stdout).print(shown)
