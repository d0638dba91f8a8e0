"""What enters about runs, for JSON-RPC and HTTP alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from antiphon.server.live.params import MAX_LIMIT, SINGLE_LINE, EventParams, Params
from antiphon.services.names import Name
from antiphon.services.runs import DEFAULT_LEASE_S, NewRun, RunId, ThreadId

MAX_EVENTS = 500  # of one `run.emit`
MAX_WAIT_S = 600
MAX_TOKEN_S = 30 * 24 * 3600
PRINTABLE = r"^[\x21-\x7e]+$"

Lease = Annotated[str, Field(pattern=PRINTABLE, min_length=16, max_length=128)]
Text = Annotated[str, Field(max_length=4000)]
Line = Annotated[str, Field(pattern=SINGLE_LINE, max_length=200)]
Status = Literal["queued", "running", "waiting", "cancelling", "succeeded", "failed", "cancelled", "lost"]


class RunParams(Params):
    run_id: RunId


class RunStartParams(NewRun, Params):
    """A run to be started."""


class RunOpenParams(RunStartParams):
    """A run that the caller executes."""

    lease: Lease | None = None
    lease_s: Annotated[float, Field(ge=2, le=3600)] = DEFAULT_LEASE_S
    client: Line | None = None
    pid: Annotated[int, Field(ge=0)] | None = None


class RunEmitParams(RunParams):
    """What a run says, in order."""

    events: Annotated[list[EventParams], Field(min_length=1, max_length=MAX_EVENTS)]
    lease: Lease | None = None


class RunRenewParams(RunParams):
    lease: Lease


class RunError(Params):
    """Why a run failed."""

    message: Annotated[str, Field(max_length=16_000)]
    type: Line | None = None


class RunFinishParams(RunParams):
    """How a run ended."""

    lease: Lease
    status: Literal["succeeded", "failed", "cancelled"]
    result: Any = None
    error: RunError | None = None
    reason: Text | None = None


class RunCancelParams(RunParams):
    reason: Text | None = None


class RunListParams(Params):
    status: list[Status] | None = None
    name: Name | None = None
    by: Annotated[str, Field(max_length=255)] | None = None
    thread_id: ThreadId | None = None
    parent_run_id: RunId | None = None
    label: dict[str, str] = Field(default_factory=dict)
    before: RunId | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 100


class RunResultParams(RunParams):
    timeout_s: Annotated[float, Field(ge=0, le=MAX_WAIT_S)] = 30.0


class RunTokenParams(RunParams):
    lease: Lease
    ttl_s: Annotated[float, Field(ge=1, le=MAX_TOKEN_S)] = 3600.0
