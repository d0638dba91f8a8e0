"""Runs over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from antiphon.errors import InvalidParams
from antiphon.server.access import require
from antiphon.server.body import body_of, documented, read_object
from antiphon.server.http.answers import Json, TheCore, TheUser
from antiphon.server.http.exchange import NDJSON, name_of, read_lines
from antiphon.server.live import encode, run_commands
from antiphon.server.live.params import Params, check
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
from antiphon.services.runs import run_channel

router = APIRouter(prefix="/api/runs", tags=["runs"])

P = TypeVar("P", bound=Params)
TheRunId = Annotated[str, Path(description="Id of a run")]


def of_run(model: type[P]) -> Callable[[Request, str], Awaitable[P]]:
    """A dependency that reads the body as `model`; the path says which run."""

    async def read(request: Request, run_id: TheRunId) -> P:
        return check(model, await read_object(request, run_id=run_id), at="")

    return read


def documented_of_run(model: type[Params]) -> dict[str, Any]:
    return documented(model, "run_id")


@router.get("")
async def list_runs(
    core: TheCore,
    user: TheUser,
    status: Annotated[list[str] | None, Query(description="Repeat for several")] = None,
    name: str | None = None,
    by: str | None = None,
    thread_id: str | None = None,
    parent_run_id: str | None = None,
    label: Annotated[list[str] | None, Query(description="`KEY:VALUE`; repeat for several")] = None,
    before: Annotated[str | None, Query(description="Id of a run: only older ones")] = None,
    limit: int = 100,
) -> Response:
    """Runs, newest first, and the names of what can be started."""
    given = {"name": name, "by": by, "thread_id": thread_id, "parent_run_id": parent_run_id, "before": before}
    wanted = {"status": status, "label": dict(map(_label, label or [])), "limit": limit, **given}
    return Json(await run_commands.list_runs(core, user, check(RunListParams, wanted, at="")))


@router.post("", status_code=201, openapi_extra=documented(RunOpenParams))
async def open_run(
    core: TheCore, user: TheUser, wanted: Annotated[RunOpenParams, Depends(body_of(RunOpenParams))]
) -> Response:
    """Open a run whose work the caller does; keep its lease."""
    return Json(await run_commands.open_run(core, user, wanted), status_code=201)


@router.post("/start", status_code=201, openapi_extra=documented(RunStartParams))
async def start(
    core: TheCore, user: TheUser, wanted: Annotated[RunStartParams, Depends(body_of(RunStartParams))]
) -> Response:
    """Start something that this server can run."""
    return Json(await run_commands.start(core, user, wanted), status_code=201)


@router.post("/import", status_code=201, openapi_extra={"requestBody": {"required": True, "content": {NDJSON: {}}}})
async def import_run(request: Request, core: TheCore, user: TheUser) -> Response:
    """Take in an exported run as a new one."""
    lines = await read_lines(request)
    require(user, "control", f"run:{name_of(lines)}")
    row = await core.runs.import_(lines, by=user.name)
    return Json({"run_id": row["run_id"], "run": row}, status_code=201)


@router.get("/{run_id}")
async def get(core: TheCore, user: TheUser, run_id: TheRunId) -> Response:
    """All about one run, with its children and questions."""
    return Json(await run_commands.get(core, user, check(RunParams, {"run_id": run_id}, at="")))


@router.post("/{run_id}/events", status_code=201, openapi_extra=documented_of_run(RunEmitParams))
async def say(
    core: TheCore, user: TheUser, wanted: Annotated[RunEmitParams, Depends(of_run(RunEmitParams))]
) -> Response:
    """Say something in a run; answered after the commit, with the cursor of the last event."""
    return Json(encode.cursor_object(await run_commands.say(core, user, wanted)), status_code=201)


@router.post("/{run_id}/lease", openapi_extra=documented_of_run(RunRenewParams))
async def renew(
    core: TheCore, user: TheUser, wanted: Annotated[RunRenewParams, Depends(of_run(RunRenewParams))]
) -> Response:
    """Give a sign of life."""
    return Json(await run_commands.renew(core, user, wanted))


@router.post("/{run_id}/finish", openapi_extra=documented_of_run(RunFinishParams))
async def finish(
    core: TheCore, user: TheUser, wanted: Annotated[RunFinishParams, Depends(of_run(RunFinishParams))]
) -> Response:
    """Give the outcome."""
    return Json(await run_commands.finish(core, user, wanted))


@router.post("/{run_id}/cancel", openapi_extra=documented_of_run(RunCancelParams))
async def cancel(
    core: TheCore, user: TheUser, wanted: Annotated[RunCancelParams, Depends(of_run(RunCancelParams))]
) -> Response:
    """Cancel a run and all below it; answered with a receipt."""
    return Json(await run_commands.cancel(core, user, wanted))


@router.get("/{run_id}/result")
async def result(core: TheCore, user: TheUser, run_id: TheRunId, timeout_s: float = 30.0) -> Response:
    """Wait for the outcome, at most `timeout_s` seconds."""
    wanted = check(RunResultParams, {"run_id": run_id, "timeout_s": timeout_s}, at="")
    return Json(await run_commands.result(core, user, wanted))


@router.post("/{run_id}/token", openapi_extra=documented_of_run(RunTokenParams))
async def token(
    core: TheCore, user: TheUser, wanted: Annotated[RunTokenParams, Depends(of_run(RunTokenParams))]
) -> Response:
    """A token for the run's own children, which may follow it and speak in it."""
    return Json(await run_commands.token(core, user, wanted))


@router.get("/{run_id}/export", response_class=Response, responses={200: {"content": {NDJSON: {}}}})
async def export(core: TheCore, user: TheUser, run_id: TheRunId) -> Response:
    """A run as a file: a line about it, then a line for each event."""
    require(user, "read", run_channel(check(RunParams, {"run_id": run_id}, at="").run_id))
    lines = core.runs.export(run_id)
    first = await anext(lines)  # where there is no such run, this says so before anything is sent
    headers = {"content-disposition": f'attachment; filename="{run_id}.ndjson"', "x-content-type-options": "nosniff"}
    return StreamingResponse(_chained(first, lines), media_type=NDJSON, headers=headers)


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for line in rest:
        yield line


def _label(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon:
        raise InvalidParams("a label is KEY:VALUE", pointer="/label")
    return key, value
