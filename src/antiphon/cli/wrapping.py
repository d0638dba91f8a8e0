"""From a program to a run: what is settled before it starts.

The run is opened here, so that it is there when the program's first line is, and belongs to whoever typed the command.
Then this process becomes the program's shim. Its other half, which says in the run what the program writes, lives in
the server and goes by the ticket in the program's directory: see docs/decisions/0009. Without a server the ticket
alone is left, and the next server opens the run by it.
"""

from __future__ import annotations

import os
import secrets
import time
from typing import Any, NamedTuple

from pydantic import ValidationError

from antiphon.cli.ending import say
from antiphon.cli.http import call
from antiphon.cli.options import read_labels
from antiphon.client.address import Address, find_address
from antiphon.errors import AntiphonError, ConnectionFailed, InputError, NotFound, RunEnded
from antiphon.services.processes.wrapped import CLIENT, LEASE_S, Ticket
from antiphon.services.runs.ids import new_run_id
from antiphon.services.runs.values import NewRun

TOKEN_S = 24 * 3600.0


class Wrapped(NamedTuple):
    """What a program is started with."""

    ticket: Ticket | None  # None = it is no run
    environment: dict[str, str]


def without_run() -> Wrapped:
    """Only lines."""
    return Wrapped(None, dict(os.environ))


def wrap(
    name: str, title: str | None, thread: str | None, labels: list[str] | None, address: Address | None
) -> Wrapped:
    """Make a run of what is about to start. Where the server refuses, it says why and the program starts without.

    Args:
        address: Of the server to ask; None = there is none yet.
    Raises:
        InputError: No run can be like this.
    """
    ticket = _ticket({"name": name, "title": title, "thread_id": thread, "labels": read_labels(labels)})
    token = ""
    if address is not None:
        try:
            token = _open(address, ticket)
        except ConnectionFailed:
            pass  # it has gone this moment: as without one
        except InputError:
            raise
        except AntiphonError as exc:
            say(f"not a run, its lines are kept all the same: {exc.message}")
            return without_run()
    return Wrapped(ticket, _environment(ticket, token, address))


def _ticket(wanted: dict[str, Any]) -> Ticket:
    try:
        NewRun.model_validate(wanted)
    except ValidationError as exc:
        found = exc.errors(include_url=False)[0]
        raise InputError(f"{found['loc'][0]}: {found['msg']}") from None
    return Ticket(run_id=new_run_id(time.time()), lease=secrets.token_urlsafe(32), **wanted)


def _open(address: Address, ticket: Ticket) -> str:
    """Open the run; returns the token for the program, empty where none is needed."""
    wanted = {
        **ticket.model_dump(exclude_none=True),
        "client": CLIENT,
        "pid": os.getpid(),  # the shim's: this process becomes it
        "lease_s": LEASE_S,
    }
    parent = os.environ.get("ANTIPHON_RUN_ID")
    try:
        call(address, "/api/runs", {**wanted, **({"parent_run_id": parent} if parent else {})})
    except (NotFound, RunEnded):
        if not parent:
            raise
        call(address, "/api/runs", wanted)  # the surrounding run is of another server, or over
    made: dict[str, Any] = call(address, f"/api/runs/{ticket.run_id}/token", {"lease": ticket.lease, "ttl_s": TOKEN_S})
    return made["token"] or ""


def _environment(ticket: Ticket, token: str, address: Address | None) -> dict[str, str]:
    """The program's: one's own token is replaced, for what one may do is not for every program."""
    url = (address or find_address(None, None)).url
    run = {"ANTIPHON_URL": url, "ANTIPHON_TOKEN": token, "ANTIPHON_RUN_ID": ticket.run_id}
    return {**os.environ, **run}
