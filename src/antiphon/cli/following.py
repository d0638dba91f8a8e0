"""Show what a run says, until its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

import antiphon
from antiphon import Event
from antiphon.cli.ending import FAILED, say
from antiphon.cli.run_text import RunText
from antiphon.cli.tailing import Lines, Notices, say_gap
from antiphon.client import Gap

if TYPE_CHECKING:
    from antiphon import Item, Live

OUTCOMES = {"run.succeeded", "run.failed", "run.cancelled", "run.lost"}


def follow_run(run_id: str, *, as_json: bool) -> None:
    """Show a run from its first word to its outcome; ends with status 0 only if it succeeded. Raises NotFound."""
    with antiphon.connect(first_connection_s=0, on_status=Notices()) as live:
        follow_until_end(live, run_id, as_json=as_json)


def follow_until_end(live: Live, run_id: str, *, as_json: bool) -> None:
    """The same over a connection that is there already."""
    row = live.request("run.get", {"run_id": run_id})["run"]
    shown = Lines() if as_json else RunText()
    try:
        outcome = _show(live, run_id, shown)
    except KeyboardInterrupt:
        shown.close()
        say(f"the run goes on; to end it: antiphon runs cancel {run_id}")
        raise
    if outcome is None:  # its events are no longer kept
        row = live.request("run.get", {"run_id": run_id})["run"]
        say(f"{run_id} {row['status']}")
        outcome = f"run.{row['status']}"
    if outcome != "run.succeeded":
        raise typer.Exit(FAILED)


def _show(live: Live, run_id: str, shown: RunText | Lines) -> str | None:
    """Show events until the outcome, and name it; None if it has ended and its outcome will not come."""
    with live.subscribe(f"run:{run_id}", after="start") as items:
        while batch := items.take():
            outcome = _take(batch, shown)
            if outcome is not None:
                return outcome
            if any(isinstance(item, Gap) for item in batch) and _is_over(live, run_id):
                return None
    return None


def _take(batch: list[Item], shown: RunText | Lines) -> str | None:
    for item in batch:
        if isinstance(item, Gap):
            say_gap(item)
        elif isinstance(item, Event):
            shown.show(item)
            if item.type in OUTCOMES:
                shown.close()
                return item.type
    shown.flush()
    return None


def _is_over(live: Live, run_id: str) -> bool:
    row: dict[str, Any] = live.request("run.get", {"run_id": run_id})["run"]
    return row["ended_at"] is not None
