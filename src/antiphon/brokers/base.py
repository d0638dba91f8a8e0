"""The contract of a store of logs.

A broker keeps what the hub decides: events at the offsets that the hub assigned, snapshots of states, receipts of
idempotency keys and the checkpoints of those who import from elsewhere. One `append` is one transaction. A broker knows
nothing of subscribers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from antiphon.messages import Event

KEPT_SNAPSHOTS = 16  # per channel, always the oldest and the newest: retention needs some to cut at, not all


FOLDED = frozenset(("state.patch", "message.open", "message.append", "message.close"))
"""Types of events that change what a channel adds up to."""


class Bounds(NamedTuple):
    """What a channel holds: `oldest` is `head + 1` where nothing is kept, `head` is 0 before the first event."""

    oldest: int
    head: int


class Snapshot(NamedTuple):
    """A channel's state as of `offset`; `version` is the offset of the last change in it."""

    offset: int
    version: int
    value: bytes  # JSON
    messages: bytes = b"[]"  # JSON: the messages that are growing, as [message_id, role, text]


class ReceiptKey(NamedTuple):
    """Scope and text of an idempotency key."""

    by: str  # "" = the server itself
    channel: str
    key: str


class Receipt(NamedTuple):
    """What became of the first publish under a key."""

    offset: int
    digest: bytes  # of type and payload: tells a retry from a conflict


class Search(NamedTuple):
    """Look for `text` in the string values of a channel's events, from `before` backwards."""

    channel: str
    text: str
    before: int  # exclusive
    limit: int  # hits at which a slice ends; 0 = only count
    ignore_case: bool  # ASCII letters


@dataclass(frozen=True, slots=True)
class SearchSlice:
    """Matches with `scanned_to <= offset < before`; complete when nothing older is kept."""

    hits: list[Event]  # newest first
    count: int
    scanned_to: int
    complete: bool


@dataclass(slots=True)
class Batch:
    """One transaction: all of it is stored, or nothing."""

    events: list[Event] = field(default_factory=list)
    receipts: dict[ReceiptKey, Receipt] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)  # by channel
    checkpoints: dict[str, str] = field(default_factory=dict)  # by name


class Broker(Protocol):
    """A store of logs. Every method may raise StorageError."""

    @property
    def epoch(self) -> str:
        """Names one life of the store; another epoch means that old cursors mean nothing."""

    def epoch_of(self, channel: str) -> str:
        """The epoch of a channel: that of the store, or of the process where the channel lives only in memory."""

    def is_volatile(self, channel: str) -> bool:
        """Whether the channel lives only in memory, and may lose events from between others."""

    async def bounds(self, channel: str) -> Bounds:
        """What the channel holds; (1, 0) for one without events."""

    async def append(self, batch: Batch) -> None:
        """Store the batch in one transaction and return once it is as durable as the store can make it.

        Offsets continue each channel without a hole.
        Raises:
            StorageFull: No room; nothing was stored.
            StorageFailed: The store refused; nothing was stored.
        """

    async def read(self, channel: str, *, after: int, upto: int, max_events: int, max_bytes: int) -> list[Event]:
        """Events with `after < offset <= upto`, ascending; stops at either limit, but returns at least one if any."""

    async def read_back(self, channel: str, *, before: int, max_events: int, max_bytes: int) -> list[Event]:
        """The newest events with `offset < before`, ascending; limits as in `read`."""

    async def last_of(self, channel: str, kind: str, *, after: int) -> int:
        """The offset of the newest event of a type behind `after`, 0 where there is none."""

    async def folded(self, channel: str, *, after: int) -> list[Event]:
        """All events after an offset whose type is one of FOLDED, ascending."""

    async def search(self, query: Search) -> SearchSlice:
        """One time-bounded slice of a search."""

    async def snapshot(self, channel: str, *, upto: int | None = None) -> Snapshot | None:
        """The newest snapshot, of those at or before `upto` where given; None if the channel has none."""

    async def receipts(self, keys: Sequence[ReceiptKey]) -> Mapping[ReceiptKey, Receipt]:
        """The receipts that exist for these keys."""

    async def checkpoint(self, name: str) -> str | None:
        """The text last stored under the name."""

    async def channels(self, prefix: str) -> list[tuple[str, Bounds]]:
        """The channels that have or had events and whose name starts with `prefix`, by name."""

    async def newer(self, channel: str, *, than_ms: int) -> int:
        """The first offset that is not older than this Unix time, times being taken as ascending; else head + 1."""

    async def fitting(self, channel: str, *, max_bytes: int) -> int:
        """The smallest offset from which on the payloads fit into `max_bytes`; at most the head."""

    async def cut(self, channel: str, *, oldest: int) -> None:
        """Forget all before `oldest`, at once and durably; the room is given back by `purge`."""

    async def purge(self, channel: str) -> bool:
        """Give back the room of a bounded number of forgotten events; true while there is more to do."""

    async def forget_receipts(self, *, before_ms: int) -> None:
        """Forget receipts stored before this Unix time."""

    async def maintain(self) -> None:
        """Run the store's own upkeep until cancelled."""

    async def close(self) -> None:
        """Release the store; may be called twice."""
