"""What enters: the parameters of every command, for JSON-RPC and HTTP alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from antiphon.errors import InputError, InvalidChannel, InvalidCursor, InvalidParams
from antiphon.hub import Start
from antiphon.messages import CHANNEL_PATTERN, EPOCH_PATTERN, MAX_OFFSET, Cursor

MAX_TYPE = 128
MAX_KEY = 255
MAX_NEEDLE = 1024
MAX_LIMIT = 1000

P = TypeVar("P", bound="Params")


class _CursorParams(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    epoch: Annotated[str, Field(pattern=f"^{EPOCH_PATTERN}$")]
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)]


def _after(value: Any) -> Cursor | Start:
    if isinstance(value, str) and value in (start.value for start in Start):
        return Start(value)
    try:
        found = _CursorParams.model_validate(value)
    except ValidationError:
        why = 'a cursor is {epoch, offset}, "start" or "now"'
        raise PydanticCustomError(InvalidCursor.code, "{why}", {"why": why}) from None
    return Cursor(found.epoch, found.offset)


SINGLE_LINE = r"^[^\x00-\x1f\x7f]+$"

Channel = Annotated[str, Field(pattern=f"^{CHANNEL_PATTERN}$")]
After = Annotated[Any, BeforeValidator(_after), Field(json_schema_extra={"examples": ["now", "start"]})]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET)]


class Params(BaseModel):
    """Nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NoParams(Params):
    pass


class ChannelParams(Params):
    channel: Channel


class SubscribeParams(Params):
    channel: Channel
    after: After = Start.NOW


class EventParams(Params):
    """An event to be published."""

    type: Annotated[str, Field(pattern=SINGLE_LINE, max_length=MAX_TYPE)]
    data: Any
    idempotency_key: Annotated[str, Field(pattern=SINGLE_LINE, max_length=MAX_KEY)] | None = None


class PublishParams(EventParams):
    channel: Channel


class HistoryParams(Params):
    channel: Channel
    after: Offset | None = None
    before: Offset | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 100


class SearchParams(Params):
    channel: Channel
    text: Annotated[str, Field(min_length=1, max_length=MAX_NEEDLE)]
    before: Offset | None = None
    limit: Annotated[int, Field(ge=0, le=MAX_LIMIT)] = 50
    ignore_case: bool = False


class ChannelListParams(Params):
    prefix: Annotated[str, Field(max_length=255)] = ""


class ProcessParams(Params):
    name: Annotated[str, Field(min_length=1, max_length=255)]


class ProcessWriteParams(ProcessParams):
    text: str


class TokenParams(Params):
    token: Annotated[str, Field(min_length=1, max_length=1024)]


class TextParams(Params):
    text: str


def check(model: type[P], value: Any, *, at: str) -> P:
    """Validate parameters.

    Args:
        at: JSON Pointer to where they stand in the message, e.g. "/params".
    Raises:
        InvalidParams, InvalidChannel, InvalidCursor: `.pointer` says where.
    """
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        raise input_error(exc.errors(include_url=False, include_input=False), at=at) from None


def input_error(errors: Sequence[ErrorDetails], *, at: str) -> InputError:
    """The first of a validation's errors, as ours."""
    first = errors[0]
    pointer = at + "".join(f"/{part}" for part in first["loc"])
    name = str(first["loc"][-1]) if first["loc"] else "parameters"
    if first["type"] == InvalidCursor.code:
        return InvalidCursor(f"`{name}`: {first['msg']}", pointer=pointer)
    if name == "channel" and first["type"] == "string_pattern_mismatch":
        return InvalidChannel("no channel can have this name: 1 to 255 of A-Z a-z 0-9 _ . : ~ -", pointer=pointer)
    return InvalidParams(f"`{name}`: {first['msg']}", pointer=pointer)


ProcessAction = Literal["start", "stop", "restart"]
