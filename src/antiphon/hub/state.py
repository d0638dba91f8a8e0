"""A channel's state: one JSON value, changed only by `state.patch` events."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from antiphon.brokers.base import Broker, Snapshot
from antiphon.errors import InvalidPatch
from antiphon.hub.patch import Document, Undo
from antiphon.messages import Event

PATCH = "state.patch"
PATCHES_PER_SNAPSHOT = 1000
EVENTS_PER_SNAPSHOT = 10_000  # so that retention finds places to cut at where patches are rare


class State(NamedTuple):
    """A value and the offset of the last change in it; version 0 with `{}` where nothing was ever changed."""

    version: int
    value: Any

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot | None) -> State:
        return cls(0, {}) if snapshot is None else cls(snapshot.version, orjson.loads(snapshot.value))


class ChannelState:
    """The state as of the newest event, and when it was last written down."""

    __slots__ = ("_document", "_patches", "_snapshot_offset", "version")

    def __init__(self, state: State, snapshot_offset: int) -> None:
        self._document = Document(state.value)
        self.version = state.version
        self._snapshot_offset = snapshot_offset
        self._patches = 0

    @classmethod
    async def load(cls, broker: Broker, channel: str) -> ChannelState:
        """Read the newest snapshot and the patches after it."""
        snapshot = await broker.snapshot(channel)
        state = cls(State.from_snapshot(snapshot), 0 if snapshot is None else snapshot.offset)
        if snapshot is not None:  # the first patch of a channel writes one
            for event in await broker.patches(channel, after=snapshot.offset):
                state.apply(event)
        return state

    @property
    def exists(self) -> bool:
        return self.version > 0

    def current(self) -> State:
        """The live value: encode it at once, or do not keep it."""
        return State(self.version, self._document.value)

    def apply(self, event: Event) -> Undo:
        """Change the value; returns how to take it back. Raises InvalidPatch, having changed nothing."""
        data = event.data
        if not isinstance(data, dict) or set(data) != {"ops"}:
            raise InvalidPatch("the data of a state.patch is {ops: [...]}", pointer="/data")
        version, patches = self.version, self._patches
        try:
            undo = self._document.apply(data["ops"])
        except InvalidPatch as exc:
            raise InvalidPatch(exc.message, pointer=f"/data{exc.pointer}") from None
        undo.insert(0, lambda: self._restore(version, patches))
        self.version = event.offset
        self._patches += 1
        return undo

    def _restore(self, version: int, patches: int) -> None:
        self.version, self._patches = version, patches

    def snapshot_if_due(self, offset: int) -> Snapshot | None:
        """A snapshot as of `offset` if it is time for one."""
        first = self.exists and self._snapshot_offset == 0
        due = self._patches >= PATCHES_PER_SNAPSHOT or offset - self._snapshot_offset >= EVENTS_PER_SNAPSHOT
        if not (first or (self.exists and due)):
            return None
        self._patches, self._snapshot_offset = 0, offset
        return Snapshot(offset, self.version, orjson.dumps(self._document.value))
