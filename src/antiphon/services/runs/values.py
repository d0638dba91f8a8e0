"""What goes into the runs service and comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from antiphon.services.names import Name
from antiphon.services.table import Row

RUN_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
THREAD_ID_PATTERN = r"^[A-Za-z0-9_.~-]{1,128}$"

RunId = Annotated[str, StringConstraints(pattern=RUN_ID_PATTERN)]
ThreadId = Annotated[str, StringConstraints(pattern=THREAD_ID_PATTERN)]
LabelKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
LabelValue = Annotated[str, StringConstraints(max_length=256)]
Lease = Annotated[str, StringConstraints(min_length=16, max_length=128)]
OnDisconnect = Literal["continue", "cancel"]
Finished = Literal["succeeded", "failed", "cancelled"]

RUNS = "runs"  # the channel whose state is the table
DEFAULT_LEASE_S = 15.0


def run_channel(run_id: str) -> str:
    """The channel in which a run speaks."""
    return f"run:{run_id}"


def thread_channel(thread_id: str) -> str:
    """The channel that lists the runs of a thread."""
    return f"thread:{thread_id}"


class NewRun(BaseModel):
    """What somebody wants to have run, or runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Name
    input: Any = None
    run_id: RunId | None = None  # None = made by the service; a retry with the same id finds the same run
    thread_id: ThreadId | None = None
    parent_run_id: RunId | None = None
    title: Annotated[str, StringConstraints(max_length=500)] | None = None
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = Field(default_factory=dict)
    on_disconnect: OnDisconnect = "continue"


class Owner(NamedTuple):
    """Who does the work of a run."""

    kind: Literal["remote", "local", "imported"]
    client: str | None = None  # what the program calls itself
    pid: int | None = None

    def encode(self) -> dict[str, Any]:
        return self._asdict()


class Opened(NamedTuple):
    """The answer to `run.open`; its fields are those of the wire."""

    run_id: str
    channel: str
    epoch: str
    lease: str  # the secret that whoever owns the run shows from now on
    lease_s: float
    run: Row


class RunEvent(NamedTuple):
    """One thing that a run says."""

    type: str
    data: Any
    idempotency_key: str | None = None


class Said(Protocol):
    """Anything shaped like a `RunEvent`."""

    @property
    def type(self) -> str: ...
    @property
    def data(self) -> Any: ...
    @property
    def idempotency_key(self) -> str | None: ...


class Renewed(NamedTuple):
    """The answer to `run.renew`."""

    lease_s: float
    status: str  # `cancelling` here is how an owner learns of a cancel whose event could not be stored


class CancelReceipt(NamedTuple):
    """What a cancel has reached by the time it is answered."""

    run_id: str
    status: str
    stopped: list[str]  # runs that have ended
    draining: list[str]  # runs whose owners have been told and still have to end


class RunResult(NamedTuple):
    """The answer to `run.result`; `running` with two None while it has not ended."""

    status: str
    result: Any
    error: dict[str, Any] | None


class Details(NamedTuple):
    """The answer to `run.get`, without the questions, which their own service adds."""

    run: Row
    input: Any
    result: Any
    error: dict[str, Any] | None
    children: list[Row]


class Filter(BaseModel):
    """Which rows `run.list` wants; what is None or empty does not restrict."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    status: list[str] | None = None
    name: str | None = None
    by: str | None = None
    thread_id: str | None = None
    parent_run_id: str | None = None
    label: Mapping[str, str] = Field(default_factory=dict)
    before: str | None = None  # a run id: only runs that were opened before it
    limit: int = Field(default=100, ge=1, le=1000)
