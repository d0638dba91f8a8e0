"""What enters about questions, for JSON-RPC and HTTP alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from antiphon.server.live.params import SINGLE_LINE, Params
from antiphon.server.live.run_params import Lease
from antiphon.services.runs import RunId

MAX_OPTIONS = 100
MAX_TIMEOUT_S = 366 * 24 * 3600

QuestionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Line = Annotated[str, Field(pattern=SINGLE_LINE, max_length=200)]


class OptionParams(Params):
    """One of the answers to choose from."""

    value: Any
    label: Line | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None


class QuestionAskParams(Params):
    """A question that a run asks of people."""

    run_id: RunId
    lease: Lease | None = None
    question_id: QuestionId | None = None
    prompt: Annotated[str, Field(min_length=1, max_length=4000)]
    kind: Literal["choice", "form", "approval", "text"] | None = None
    details: Annotated[str, Field(max_length=64_000)] | None = None
    options: Annotated[list[OptionParams], Field(min_length=1, max_length=MAX_OPTIONS)] | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    value: Any = None
    timeout_s: Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)] | None = None
    default: Any = None  # given as null is a default too: see `model_fields_set`


class QuestionParams(Params):
    question_id: QuestionId


class QuestionAnswerParams(QuestionParams):
    """Somebody's answer."""

    answer: Any = None
    action: Literal["answer", "approve", "edit", "reject"] | None = None


class QuestionWithdrawParams(QuestionParams):
    lease: Lease | None = None


class QuestionListParams(Params):
    status: Literal["open", "answered", "withdrawn"] | None = None
    run_id: RunId | None = None
    by: Annotated[str, Field(max_length=255)] | None = None
