"""What goes into the questions service and comes out of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from antiphon.errors import InvalidParams
from antiphon.services.questions.kinds import Kind
from antiphon.services.table import pointer

QUESTION_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
QUESTIONS = "questions"  # the channel whose state is the table
MAX_OPTIONS = 100
MAX_TIMEOUT_S = 366 * 24 * 3600.0

_DIGITS = "0123456789abcdefghijklmnopqrstuv"  # base 32 in the order of ASCII: ids sort by the time they were made


class Option(BaseModel):
    """One of the answers to choose from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    value: Any  # what the run is given
    label: Annotated[str, StringConstraints(max_length=200)] | None = None  # None = the value itself is shown
    description: Annotated[str, StringConstraints(max_length=2000)] | None = None


def _option(value: Any) -> Any:
    """A bare value is an option too."""
    return value if isinstance(value, dict | Option) else {"value": value}


class NewQuestion(BaseModel):
    """What a run wants to know. A `default` counts as stated only where it was given, null included."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    kind: Kind | None = None  # None = options: choice; value: approval; schema: form; else text
    question_id: Annotated[str, StringConstraints(pattern=QUESTION_ID_PATTERN)] | None = None  # None = a new one
    details: Annotated[str, StringConstraints(max_length=64_000)] | None = None
    options: (
        Annotated[list[Annotated[Option, BeforeValidator(_option)]], Field(min_length=1, max_length=MAX_OPTIONS)] | None
    ) = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    value: Any = None  # what is to be approved
    timeout_s: Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)] | None = None  # None = it waits as long as the run
    default: Any = None

    @property
    def has_default(self) -> bool:
        return "default" in self.model_fields_set


class Asked(NamedTuple):
    """The answer to `question.ask`."""

    question_id: str
    deadline: str | None  # RFC 3339; None = there is none


def read_question(wanted: Mapping[str, Any]) -> NewQuestion:
    """What `question.ask` takes. Raises InvalidParams, whose pointer begins with "/params"."""
    try:
        return NewQuestion.model_validate(dict(wanted))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = [str(part) for part in first["loc"]]
        name = where[-1] if where else "question"
        raise InvalidParams(f"`{name}`: {first['msg']}", pointer="/params" + pointer(*where)) from None


def new_question_id(now_s: float) -> str:
    """`q_` and 20 characters, the time first."""
    number = (int(now_s * 1000) << 52) | secrets.randbits(52)
    return "q_" + "".join(_DIGITS[(number >> shift) & 31] for shift in range(95, -1, -5))
