"""What a channel's events add up to: its state, and the messages that are still growing.

Four types of events change it: `state.patch {ops}`, `message.open {message_id, role}`, `message.append {message_id,
delta}` and `message.close {message_id, status}`. Everything else passes by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from antiphon.brokers.base import Broker, Snapshot
from antiphon.errors import InvalidMessage, InvalidPatch
from antiphon.hub.patch import Document, Undo
from antiphon.messages import Event

PATCH, OPEN, APPEND, CLOSE = "state.patch", "message.open", "message.append", "message.close"

PATCHES_PER_SNAPSHOT = 1000
EVENTS_PER_SNAPSHOT = 10_000  # so that retention finds places to cut at where patches are rare
MAX_OPEN = 1000  # growing messages of a channel
MAX_TEXT = 16 << 20  # characters of a growing message


class State(NamedTuple):
    """A value and the offset of the last change in it; version 0 with `{}` where nothing was ever changed."""

    version: int
    value: Any


class Message(NamedTuple):
    """A message that is still growing, and its text so far."""

    message_id: str
    role: str
    text: str


class Summary(NamedTuple):
    """What a channel adds up to at one offset. The state's value may be the live one: encode it at once."""

    state: State
    messages: list[Message]

    @classmethod
    def of(cls, snapshot: Snapshot | None) -> Summary:
        if snapshot is None:
            return cls(State(0, {}), [])
        messages = [Message(*row) for row in orjson.loads(snapshot.messages)]
        return cls(State(snapshot.version, orjson.loads(snapshot.value)), messages)


class _Growing:
    __slots__ = ("pieces", "role", "size")

    def __init__(self, role: str, text: str = "") -> None:
        self.role = role
        self.pieces = [text] if text else []
        self.size = len(text)


class Fold:
    """The summary as of the newest event, and when it was last written down."""

    __slots__ = ("_document", "_growing", "_patches", "_snapshot_offset", "exists", "version")

    def __init__(self, summary: Summary, snapshot_offset: int) -> None:
        self._document = Document(summary.state.value)
        self._growing = {message.message_id: _Growing(message.role, message.text) for message in summary.messages}
        self.version = summary.state.version
        self.exists = snapshot_offset > 0  # whether the channel has anything to fold
        self._snapshot_offset = snapshot_offset
        self._patches = 0

    @classmethod
    async def load(cls, broker: Broker, channel: str) -> Fold:
        """Read the newest snapshot and what changed after it."""
        snapshot = await broker.snapshot(channel)
        fold = cls(Summary.of(snapshot), 0 if snapshot is None else snapshot.offset)
        if snapshot is not None:  # the first folded event of a channel writes one
            for event in await broker.folded(channel, after=snapshot.offset):
                fold.apply(event)
        return fold

    @property
    def has_state(self) -> bool:
        return self.version > 0

    def current(self) -> Summary:
        """As of the newest event; the state's value is the live one."""
        messages = [Message(name, found.role, "".join(found.pieces)) for name, found in self._growing.items()]
        return Summary(State(self.version, self._document.value), messages)

    def apply(self, event: Event) -> Undo:
        """Take in an event of a folded type; returns how to take it back.

        Raises:
            InvalidPatch, InvalidMessage: It does not fit; nothing was changed; `.pointer` says where.
        """
        data = event.data
        undo = self._patch(event, data) if event.type == PATCH else self._message(event.type, data)
        if not self.exists:
            self.exists = True
            undo.insert(0, self._begin_again)
        return undo

    def _begin_again(self) -> None:
        self.exists = False

    def _patch(self, event: Event, data: Any) -> Undo:
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

    def _message(self, kind: str, data: Any) -> Undo:
        name = _text(data, "message_id")
        if kind == OPEN:
            return [self._open(name, _text(data, "role"))]
        if name not in self._growing:
            raise InvalidMessage(f"message {name[:80]!r} is not open", pointer="/data/message_id")
        if kind == APPEND:
            return [self._append(self._growing[name], _text(data, "delta"))]
        _text(data, "status")
        return [self._close(name)]

    def _open(self, name: str, role: str) -> Callable[[], object]:
        if name in self._growing:
            raise InvalidMessage(f"message {name[:80]!r} is open already", pointer="/data/message_id")
        if len(self._growing) >= MAX_OPEN:
            raise InvalidMessage(f"a channel may have {MAX_OPEN} growing messages", pointer="/data/message_id")
        self._growing[name] = _Growing(role)
        return lambda: self._growing.pop(name)

    def _append(self, message: _Growing, delta: str) -> Callable[[], object]:
        if message.size + len(delta) > MAX_TEXT:
            raise InvalidMessage(f"a growing message may have {MAX_TEXT} characters", pointer="/data/delta")
        message.pieces.append(delta)
        message.size += len(delta)

        def undo() -> None:
            message.pieces.pop()
            message.size -= len(delta)

        return undo

    def _close(self, name: str) -> Callable[[], object]:
        before = dict(self._growing)  # the order of messages is part of what late joiners see
        del self._growing[name]

        def undo() -> None:
            self._growing.clear()
            self._growing.update(before)

        return undo

    def snapshot_if_due(self, offset: int) -> Snapshot | None:
        """A snapshot as of `offset` if it is time for one."""
        since = offset - self._snapshot_offset
        due = self._snapshot_offset == 0 or self._patches >= PATCHES_PER_SNAPSHOT or since >= EVENTS_PER_SNAPSHOT
        if not (self.exists and due):
            return None
        self._patches, self._snapshot_offset = 0, offset
        summary = self.current()
        messages = orjson.dumps([tuple(message) for message in summary.messages])
        return Snapshot(offset, self.version, orjson.dumps(summary.state.value), messages)


def _text(data: Any, key: str) -> str:
    if not isinstance(data, dict) or not isinstance(data.get(key), str):
        raise InvalidMessage(f"`{key}` must be a string", pointer=f"/data/{key}")
    return str(data[key])
