"""What the results of requests mean: from JSON values to the values of `items`."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from antiphon.client.items import ChannelInfo, Connections, History, Process, SearchSlice, State
from antiphon.client.wire import ProtocolFault, Wire, WireEvent, checked
from antiphon.errors import RemoteError
from antiphon.messages import Cursor

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], result: Any) -> M:
    """A reply's result as `model`. Raises RemoteError if it is not what the protocol says."""
    try:
        return checked(model, result)
    except ProtocolFault as exc:
        raise RemoteError(f"the server's answer cannot be read: {exc}", code="invalid_answer", retryable=False) from exc


class _Page(Wire):
    epoch: str
    events: tuple[WireEvent, ...]
    oldest: int
    head: int


class _Found(Wire):
    hits: tuple[WireEvent, ...]
    count: int
    scanned_to: int
    complete: bool


class _Listed(Wire):
    epoch: str
    channels: tuple[ChannelInfo, ...]


def read_history(result: Any) -> History:
    """The result of `history`."""
    page = read(_Page, result)
    return History(page.epoch, tuple(e.of(page.epoch) for e in page.events), page.oldest, page.head)


def read_search(result: Any, epoch: str) -> SearchSlice:
    """The result of `search`; it does not name the epoch."""
    found = read(_Found, result)
    return SearchSlice(tuple(e.of(epoch) for e in found.hits), found.count, found.scanned_to, found.complete)


def read_channels(result: Any) -> tuple[ChannelInfo, ...]:
    """The result of `channel.list`."""
    return read(_Listed, result).channels


class _Value(Wire):
    epoch: str
    version: int
    value: Any


def read_state(result: Any) -> State:
    """The result of `state`."""
    state = read(_Value, result)
    return State(state.version, state.value)


class _Connected(Wire):
    connections: tuple[dict[str, Any], ...]
    recent: tuple[dict[str, Any], ...]


def read_connections(result: Any) -> Connections:
    """The result of `connection.list`."""
    found = read(_Connected, result)
    return Connections(found.connections, found.recent)


class _Row(Wire):
    name: str
    process: Process


def read_process(result: Any) -> Process:
    """The result of `process.start`, `process.stop`, `process.restart`."""
    return read(_Row, result).process


class _Table(Wire):
    value: dict[str, Process]


def read_processes(result: Any) -> dict[str, Process]:
    """The state of channel `processes`."""
    return read(_Table, result).value


class _Place(Wire):
    epoch: str
    offset: int


def read_cursor(result: Any) -> Cursor:
    """The result of `publish`."""
    place = read(_Place, result)
    return Cursor(place.epoch, place.offset)
