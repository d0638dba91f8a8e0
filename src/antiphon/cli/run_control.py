"""Starting and cancelling runs, and waiting for their results."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import orjson
import typer

import antiphon
from antiphon.cli.ending import FAILED, say
from antiphon.cli.following import follow_until_end
from antiphon.cli.json_input import decode, given_or_read
from antiphon.cli.output import print_json
from antiphon.cli.tailing import Notices
from antiphon.errors import ConnectionLost

if TYPE_CHECKING:
    from antiphon import Live

ROUND_S = 25.0  # a wait without an end is made of such; each is one request


def start_run(wanted: dict[str, Any], input_: str, *, follow: bool, as_json: bool) -> None:
    """Start a runnable and print its id, or show it to its end. Raises NotFound, which names what there is."""
    given = {} if not input_ else {"input": decode(given_or_read(input_), "--input")}
    with antiphon.connect(first_connection_s=0, on_status=Notices()) as live:
        started = live.request("run.start", {**wanted, **given})
        if follow:
            say(f"{started['run_id']} has started")
            follow_until_end(live, started["run_id"], as_json=as_json)
        elif as_json:
            print_json(started)
        else:
            typer.echo(started["run_id"])


def cancel_run(run_id: str, reason: str | None, *, as_json: bool) -> None:
    """Cancel a run and say what that has reached. Raises NotFound."""
    with antiphon.connect(first_connection_s=0) as live:
        receipt = live.request("run.cancel", {"run_id": run_id, **({"reason": reason} if reason else {})})
    if as_json:
        print_json(receipt)
        return
    typer.echo(f"{run_id}: {receipt['status']}")
    for word, ids in (("stopped", receipt["stopped"]), ("stopping", receipt["draining"])):
        for other in ids:
            typer.echo(f"  {other}: {word}")


def print_result(run_id: str, timeout_s: float | None, *, as_json: bool) -> None:
    """Wait until a run has ended and print its result."""
    with antiphon.connect(first_connection_s=0, on_status=Notices()) as live:
        found = _wait(live, run_id, timeout_s)
    if as_json:
        print_json(found)
    elif found["status"] == "succeeded":
        sys.stdout.buffer.write(orjson.dumps(found["result"], option=orjson.OPT_APPEND_NEWLINE))
    elif found["status"] == "running":
        say(f"{run_id} is still running after {timeout_s:g} s")
    else:
        say(f"{run_id} {found['status']}{_because(found['error'])}")
    if found["status"] != "succeeded":
        raise typer.Exit(FAILED)


def _wait(live: Live, run_id: str, timeout_s: float | None) -> dict[str, Any]:
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left_s = ROUND_S if deadline is None else max(0.0, min(ROUND_S, deadline - time.monotonic()))
        is_last = deadline is not None and time.monotonic() + left_s >= deadline
        try:
            found: dict[str, Any] = live.request("run.result", {"run_id": run_id, "timeout_s": left_s}, timeout_s=None)
        except ConnectionLost:
            if is_last or live.status.phase == "closed":
                raise
            continue
        if found["status"] != "running" or is_last:
            return found


def _because(error: dict[str, Any] | None) -> str:
    return f": {error['message']}" if error else ""
