"""Runs, as clients may ask about them: what each command does, and what its caller needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antiphon.errors import Forbidden, NotFound
from antiphon.hub.turn import Done
from antiphon.messages import Cursor, encode_time
from antiphon.server.access import User, require
from antiphon.server.core import Core
from antiphon.server.live.run_params import (
    RunCancelParams,
    RunEmitParams,
    RunFinishParams,
    RunListParams,
    RunOpenParams,
    RunParams,
    RunRenewParams,
    RunResultParams,
    RunStartParams,
    RunTokenParams,
)
from antiphon.services.runs import Filter, NewRun, Owner, Said, run_channel
from antiphon.services.table import Row


async def start(
    core: Core, user: User, wanted: RunStartParams, connection: str | None = None, *, said: Sequence[Said] = ()
) -> dict[str, Any]:
    """`said` is what the server itself keeps in the run, stored with its beginning."""
    _check_new(core, user, wanted)
    _check_input(core, wanted)
    row = await core.runs.start(_new(wanted), by=user.name, connection=connection, said=said)
    return {"run_id": row["run_id"], "channel": run_channel(row["run_id"]), "run": row}


async def open_run(core: Core, user: User, wanted: RunOpenParams, connection: str | None = None) -> dict[str, Any]:
    _check_new(core, user, wanted)
    opened = await core.runs.open(
        _new(wanted),
        by=user.name,
        lease=wanted.lease,
        lease_s=wanted.lease_s,
        owner=Owner("remote", wanted.client, wanted.pid),
        connection=connection,
    )
    return opened._asdict()


def emit(core: Core, user: User, wanted: RunEmitParams, done: Done) -> None:
    """Say something in the order of calls; `done` is told after the commit. The hub must have room."""
    _check_speaker(core, user, wanted)
    core.runs.emit(wanted.run_id, wanted.events, lease=wanted.lease, by=user.name, done=done)


async def say(core: Core, user: User, wanted: RunEmitParams) -> Cursor:
    """`emit`, and wait for the commit."""
    _check_speaker(core, user, wanted)
    return await core.runs.say(wanted.run_id, wanted.events, lease=wanted.lease, by=user.name)


async def renew(core: Core, _: User, wanted: RunRenewParams, connection: str | None = None) -> dict[str, Any]:
    return core.runs.renew(wanted.run_id, wanted.lease, connection=connection)._asdict()


async def finish(core: Core, user: User, wanted: RunFinishParams) -> dict[str, Any]:
    _require_control(core, user, wanted.run_id)
    row = await core.runs.finish(
        wanted.run_id,
        wanted.status,
        lease=wanted.lease,
        result=wanted.result,
        error=None if wanted.error is None else wanted.error.model_dump(),
        reason=wanted.reason,
    )
    return {"run": row}


async def cancel(core: Core, user: User, wanted: RunCancelParams) -> dict[str, Any]:
    _require_control(core, user, wanted.run_id)
    core.cancels += 1
    receipt = await core.runs.cancel(wanted.run_id, reason=wanted.reason, by=user.name)
    return receipt._asdict()


async def get(core: Core, user: User, wanted: RunParams) -> dict[str, Any]:
    require(user, "read", run_channel(wanted.run_id))
    found = await core.runs.get(wanted.run_id)
    return {**found._asdict(), "questions": core.questions.list(run_id=wanted.run_id)}


async def list_runs(core: Core, user: User, wanted: RunListParams) -> dict[str, Any]:
    require(user, "read", "runs")
    names = [name for name in core.runs.names if user.may("control", f"run:{name}")]
    return {"runs": core.runs.find(Filter(**wanted.model_dump())), "names": names}


async def result(core: Core, user: User, wanted: RunResultParams) -> dict[str, Any]:
    require(user, "read", run_channel(wanted.run_id))
    found = await core.runs.result(wanted.run_id, timeout_s=wanted.timeout_s)
    return found._asdict()


async def token(core: Core, _: User, wanted: RunTokenParams) -> dict[str, Any]:
    core.runs.check_lease(wanted.run_id, wanted.lease)
    issued = core.authenticator.issue_run_token(wanted.run_id, wanted.ttl_s)
    if issued is None:
        return {"token": None, "expires_at": None}
    return {"token": issued.token, "expires_at": encode_time(issued.expires_at * 1000)}


def row_of(core: Core, run_id: str) -> Row:
    """A run's row. Raises NotFound."""
    row = core.runs.rows.get(run_id)
    if row is None:
        raise NotFound(f"there is no run {run_id!r}", pointer="/params/run_id")
    return row


def _new(wanted: RunStartParams) -> NewRun:
    return NewRun(**{name: getattr(wanted, name) for name in NewRun.model_fields})


def _require_control(core: Core, user: User, run_id: str) -> None:
    require(user, "control", f"run:{row_of(core, run_id)['name']}")


def _check_new(core: Core, user: User, wanted: RunStartParams) -> None:
    """A child is seen in its parent and cancelled with it, so its starter must have a say there."""
    require(user, "control", f"run:{wanted.name}")
    parent = core.runs.rows.get(wanted.parent_run_id or "")
    if parent is None or user.may("control", f"run:{parent['name']}"):
        return
    if not user.may("publish", run_channel(parent["run_id"])):
        raise Forbidden(
            f"User {user.name!r} lacks the grant 'control run:{parent['name']}' for the parent",
            pointer="/params/parent_run_id",
        )


def _check_input(core: Core, wanted: RunStartParams) -> None:
    """Whoever starts a run is told what is wrong with its input, not only the run."""
    if wanted.name in core.runnables:
        core.runnables[wanted.name].arguments(wanted.input)
    elif core.agents is not None and core.agents.knows(wanted.name) and wanted.run_id not in core.runs.rows:
        core.agents.check_start(wanted.name, wanted.input, wanted.thread_id)


def _check_speaker(core: Core, user: User, wanted: RunEmitParams) -> None:
    if wanted.lease is None:
        require(user, "publish", run_channel(wanted.run_id))
    core.rates.take(user, len(wanted.events))
