"""The runs as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import antiphon
from antiphon.cli.ending import say
from antiphon.cli.output import STATUS_STYLES, cost, duration, moment, print_json, safe
from antiphon.cli.watching import Row, watch, watch_as_json

if TYPE_CHECKING:
    from rich.table import Table

    from antiphon import AsyncLive


def list_runs(wanted: dict[str, Any], *, as_json: bool) -> None:
    """Print the runs that match."""
    with antiphon.connect(first_connection_s=0) as live:
        found = live.request("run.list", wanted)
    if as_json:
        print_json(found["runs"])
    elif found["runs"]:
        _print(table(found["runs"]))
    else:
        _say_none(found["names"], is_filtered=bool(wanted.keys() - {"limit"}))


def watch_runs(wanted: dict[str, Any], *, as_json: bool) -> None:
    """Show the runs that match until Ctrl-C."""

    async def ask(live: AsyncLive) -> list[Row]:
        rows: list[Row] = (await live.request("run.list", wanted))["runs"]
        return rows

    if as_json:
        watch_as_json("runs", ask, "run_id")
    else:
        watch("runs", ask, table, if_none="no run matches")


def table(rows: list[Row]) -> Table:
    """A table of runs, in the order given."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("RUN", "STATUS", "NAME", "BY"):
        shown.add_column(title, no_wrap=True)
    for title in ("AGE", "TOOK", "COST"):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("WHAT", overflow="fold")
    for row in rows:
        status = Text(row["status"], style=STATUS_STYLES.get(row["status"], ""))
        by = Text(safe(row["by"] or ""))
        shown.add_row(row["run_id"], status, Text(safe(row["name"])), by, *_times(row), cost(row["usage"]), what(row))
    return shown


def what(row: Row) -> Any:
    """What there is to say about a run: that it waits for people, why it ended, how far it is, its title."""
    from rich.text import Text

    if row["questions"] and row["ended_at"] is None:
        some = "a question" if row["questions"] == 1 else f"{row['questions']} questions"
        return Text(f"{some} waits for you: antiphon questions", style="bold yellow")
    said = [_why(row) or _progress(row), row["title"]]
    return Text(safe(" · ".join(part for part in said if part)))


def took(row: Row) -> timedelta | None:
    """How long it has been at work; None: not begun."""
    if row["started_at"] is None:
        return None
    end = moment(row["ended_at"]) if row["ended_at"] else datetime.now(UTC)
    return end - moment(row["started_at"])


def _times(row: Row) -> tuple[str, str]:
    span = took(row)
    return duration(datetime.now(UTC) - moment(row["created_at"])), "" if span is None else duration(span)


def _why(row: Row) -> str:
    if row["error"]:
        return str(row["error"]["message"])
    return row["reason"] or "" if row["ended_at"] or row["status"] == "cancelling" else ""


def _progress(row: Row) -> str:
    done = "" if row["progress"] is None else f"{row['progress']:.0%}"
    return f"{done} {row['progress_message'] or ''}".strip() if row["ended_at"] is None else ""


def _print(shown: Table) -> None:
    from rich.console import Console

    Console(soft_wrap=False).print(shown)


def _say_none(names: list[str], *, is_filtered: bool) -> None:
    if is_filtered:
        say("no run matches")
        return
    say("there are no runs yet: `antiphon run -- COMMAND` makes one, or `async with live.run(...)` in your program")
    if names:
        say(f"what can be started: {', '.join(names)}   (antiphon runs start NAME)")
