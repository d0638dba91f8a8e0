"""What a run's owner may say, as models; everything else in the channel of a run is the service's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, to_jsonable_python

from antiphon.errors import InvalidParams
from antiphon.services.runs.values import Said
from antiphon.services.table import pointer

CUSTOM: Final = re.compile(r"x\.[A-Za-z0-9_.:-]{1,100}")
MAX_EVENTS: Final = 500

PartId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=0)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Progress(_Data):
    progress: Share | None = None
    message: str | None = None


class Usage(_Data):
    """Totals so far."""

    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    total_tokens: Tokens | None = None
    cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    model: str | None = None


class MessageOpen(_Data):
    message_id: PartId
    role: Literal["user", "assistant", "reasoning", "system"]


class MessageAppend(_Data):
    message_id: PartId
    delta: str


class MessageClose(_Data):
    message_id: PartId
    status: Literal["completed", "cancelled", "failed"]


class ToolStart(_Data):
    tool_call_id: PartId
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    parent_message_id: PartId | None = None


class ToolArgs(_Data):
    tool_call_id: PartId
    delta: str


class ToolProgress(_Data):
    tool_call_id: PartId
    progress: Share | None = None
    message: str | None = None


class ToolEnd(_Data):
    tool_call_id: PartId
    status: Literal["succeeded", "failed", "cancelled"]
    result: Any = None
    error: Any = None  # a sentence, or {message, type}
    duration_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class Patch(_Data):
    ops: list[Any]  # the hub checks them


class Log(_Data):
    level: Literal["debug", "info", "warning", "error", "critical"]
    text: str
    logger: str | None = None


MODELS: Final[Mapping[str, type[_Data]]] = {
    "run.progress": Progress,
    "run.usage": Usage,
    "message.open": MessageOpen,
    "message.append": MessageAppend,
    "message.close": MessageClose,
    "tool.start": ToolStart,
    "tool.args": ToolArgs,
    "tool.progress": ToolProgress,
    "tool.end": ToolEnd,
    "state.patch": Patch,
    "log": Log,
}

GROWING: Final = frozenset({"message.open", "message.append", "tool.start", "tool.args"})
"""What a cancelled run may not say any more."""


class Checked(NamedTuple):
    """Something that may be said, encoded."""

    type: str
    data: Any
    payload: bytes
    idempotency_key: str | None


def check(events: Sequence[Said]) -> list[Checked]:
    """Raises InvalidParams; `.pointer` begins with `/params/events/N`."""
    if not 1 <= len(events) <= MAX_EVENTS:
        raise InvalidParams(f"1 to {MAX_EVENTS} events", pointer="/params/events")
    return [_check(event, f"/params/events/{index}") for index, event in enumerate(events)]


def _check(event: Said, where: str) -> Checked:
    model = MODELS.get(event.type)
    if model is not None:
        _check_data(model, event.data, where + "/data")
    elif not CUSTOM.fullmatch(event.type):
        known = ", ".join(MODELS)
        raise InvalidParams(
            f"{event.type[:80]!r} is not for owners to say: {known}, or x.NAME", pointer=where + "/type"
        )
    key = event.idempotency_key
    if key is not None and not 1 <= len(key) <= 255:
        raise InvalidParams("1 to 255 characters", pointer=where + "/idempotency_key")
    return Checked(event.type, event.data, encode(event.data, where + "/data"), key)


def _check_data(model: type[_Data], data: Any, where: str) -> None:
    try:
        model.model_validate(data)
    except ValidationError as exc:
        raise _named(exc.errors(include_url=False)[0], where) from None


def _named(found: ErrorDetails, where: str) -> InvalidParams:
    return InvalidParams(found["msg"], pointer=where + pointer(*map(str, found["loc"])))


def encode(value: Any, where: str) -> bytes:
    """A value as JSON; models and the like are turned into it. Raises InvalidParams."""
    try:
        return orjson.dumps(value, default=to_jsonable_python)
    except (TypeError, ValueError) as exc:
        raise InvalidParams(f"no JSON: {exc}", pointer=where) from None
