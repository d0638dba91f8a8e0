"""The native protocol as this client reads and writes it: every frame is checked here, nothing else sees JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from antiphon.client.items import Event, Message, State

PROTOCOL = 1

M = TypeVar("M", bound=BaseModel)


class ProtocolFault(Exception):
    """The server sent what no server of this protocol sends. Internal: the connection is given up."""


class Wire(BaseModel):
    """New fields of a newer server are no fault."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Limits(Wire):
    message_bytes: int = 2**20
    nesting: int = 64


class Welcome(Wire):
    protocol: int
    server: str
    epoch: str
    connection_id: str
    user: str | None = None
    features: tuple[str, ...] = ()
    limits: Limits = Limits()


class WireEvent(Wire):
    channel: str
    offset: int
    type: str
    data: Any
    time: datetime
    by: str | None = None

    def of(self, epoch: str) -> Event:
        """The event as a client sees it; the frame does not repeat the epoch."""
        return Event(self.channel, self.offset, self.type, self.data, self.time, self.by, epoch)


class WireCaughtUp(Wire):
    channel: str
    offset: int


class WireGap(Wire):
    channel: str
    epoch: str
    first: Annotated[int, Field(alias="from")]
    last: Annotated[int, Field(alias="to")]
    reason: str
    state: State | None = None
    messages: tuple[Message, ...] = ()


class Facts(Wire):
    code: str = "internal"
    pointer: str | None = None
    retryable: bool = False
    question: dict[str, Any] | None = None  # of `already_answered`: the question as it is now


class WireError(Wire):
    code: int
    message: str
    data: Facts = Facts()


class Goodbye(Wire):
    reason: str = ""
    reconnect_after_s: float | None = None


class Subscribed(Wire):
    epoch: str
    after: int
    head: int
    oldest: int
    recovered: bool
    state: State | None = None
    messages: tuple[Message, ...] = ()


class Reply(Wire):
    """An answer to one of our requests; `id` None: the server could not read one of them."""

    id: int | None
    result: Any = None
    error: WireError | None = None


Notification = Welcome | WireEvent | WireCaughtUp | WireGap | WireError | Goodbye

_notifications: dict[str, type[BaseModel]] = {
    "event": WireEvent,
    "caught_up": WireCaughtUp,
    "gap": WireGap,
    "welcome": Welcome,
    "problem": WireError,
    "goodbye": Goodbye,
}


def encode_request(request_id: int, method: str, params: dict[str, Any]) -> bytes:
    """One frame. Raises TypeError if `params` hold what JSON cannot."""
    return orjson.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})


def decode(frame: bytes | str) -> Reply | Notification | None:
    """What a frame says; None for notifications of a newer server. Raises ProtocolFault."""
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError as exc:
        raise ProtocolFault("a frame is not JSON") from exc
    if not isinstance(message, dict):
        raise ProtocolFault("a frame is not an object")
    if "method" not in message:
        return checked(Reply, message)
    model = _notifications.get(message["method"])
    return None if model is None else checked(model, message.get("params"))  # type: ignore[return-value]


def checked(model: type[M], value: Any) -> M:
    """`value` as `model`. Raises ProtocolFault, which says where it is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProtocolFault(f"{model.__name__}: {where}: {first['msg']}") from exc
