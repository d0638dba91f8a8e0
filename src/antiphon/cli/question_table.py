"""The questions as a table, ordered by deadline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

import antiphon
from antiphon.cli.ending import say
from antiphon.cli.output import duration, moment, print_json, safe
from antiphon.cli.watching import Row, watch, watch_as_json

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from antiphon import AsyncLive

URGENT_S = 60.0


def list_questions(wanted: dict[str, Any], *, as_json: bool) -> None:
    """Print the questions that match."""
    with antiphon.connect(first_connection_s=0) as live:
        rows = live.request("question.list", wanted)["questions"]
    if as_json:
        print_json(rows)
    elif rows:
        from rich.console import Console

        Console(soft_wrap=False).print(table(rows))
    else:
        say("no run asks anything" if wanted.get("status") == "open" else "no question matches")


def watch_questions(wanted: dict[str, Any], *, as_json: bool) -> None:
    """Show the open questions until Ctrl-C; as JSON also how each of them ended."""
    given = wanted if as_json else {**wanted, "status": "open"}

    async def ask(live: AsyncLive) -> list[Row]:
        rows: list[Row] = (await live.request("question.list", given))["questions"]
        return rows

    if as_json:
        watch_as_json("questions", ask, "question_id", old_news=lambda row: row["status"] != "open")
    else:
        watch("questions", ask, table, if_none="no run asks anything")


def table(rows: list[Row]) -> Table:
    """A table of questions, in the order given."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("QUESTION", "LEFT", "RUN"):
        shown.add_column(title, no_wrap=True, justify="right" if title == "LEFT" else "left")
    for title in ("ASKS", "ANSWERS", "ELSE"):
        shown.add_column(title, overflow="fold")
    for row in rows:
        asks, answers = Text(safe(row["prompt"])), Text(safe(_answers(row)))
        shown.add_row(row["question_id"], _left(row), Text(safe(row["run_name"] or "")), asks, answers, _else(row))
    return shown


def _left(row: Row) -> Text:
    from rich.text import Text

    if row["status"] != "open":
        return Text(row["status"], style="dim")
    if row["deadline"] is None:
        return Text("")
    left = moment(row["deadline"]) - datetime.now(UTC)
    return Text(duration(left), style="bold yellow" if left.total_seconds() < URGENT_S else "")


def _answers(row: Row) -> str:
    """What may be answered; for one that has ended, what was."""
    if row["status"] == "answered":
        action = "" if row["action"] in (None, "answer") else f"{row['action']} "
        who = "by default" if row["is_default"] else f"by {row['by']}"
        return f"{action}{_json(row['answer'])} {who}"
    if row["status"] == "withdrawn":
        return row["reason"] or ""
    if row["kind"] == "approval":
        return "--approve / --edit / --reject"
    if row["options"]:
        return " / ".join(_text(option["value"]) for option in row["options"])
    return "JSON of its form" if row["schema"] else "any text"


def _else(row: Row) -> str:
    """What happens at the deadline if nobody answers."""
    if row["status"] != "open" or row["deadline"] is None:
        return ""
    return _text(row["default"]) if row["has_default"] else "withdrawn"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
