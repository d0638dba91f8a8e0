"""One batch in the making: each submission becomes events with offsets, or is refused alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import orjson
import structlog

from antiphon.brokers.base import FOLDED, Batch, Broker, Receipt, ReceiptKey
from antiphon.errors import AntiphonError, InternalError, KeyConflict
from antiphon.hub.channel import Channel, Channels
from antiphon.hub.patch import Undo, rollback
from antiphon.messages import Cursor, Event, NewEvent, now_ms

log = structlog.get_logger(__name__)
Answer = list[Cursor | AntiphonError]  # an error only where parts of one event were submitted by several
Done = Callable[[Answer | AntiphonError], object]
"""Told once: the cursors after the commit, or why there are none."""


class Submission(NamedTuple):
    """Events that are stored together or not at all."""

    events: Sequence[NewEvent]
    checkpoint: tuple[str, str] | None
    done: Done
    size: int
    is_rolled: bool  # the events are parts of one: appends to a growing message
    at: float  # when it was submitted, time.monotonic


class Turn:
    """Collects submissions into one transaction: `prepare`, then `take` each."""

    def __init__(self, broker: Broker, channels: Channels, since: float) -> None:
        self.since = since
        self.batch = Batch()
        self.answers: list[tuple[Done, Answer]] = []
        self.touched: dict[str, Channel] = {}
        self._broken: dict[str, Exception] = {}  # channels that could not be loaded
        self._receipts: Mapping[ReceiptKey, Receipt] = {}  # of earlier batches
        self._heads: dict[str, int] = {}
        self._broker = broker
        self._channels = channels

    async def prepare(self, submissions: Sequence[Submission]) -> None:
        """Load what the events need, so that nothing has to be waited for while they get their offsets."""
        keys: list[ReceiptKey] = []
        for submission in submissions:
            for new in submission.events:
                if new.channel not in self.touched or new.type in FOLDED:
                    await self._load(new)
                if new.idempotency_key is not None:
                    keys.append(_receipt_key(new))
        if keys:
            self._receipts = await self._broker.receipts(keys)

    async def _load(self, new: NewEvent) -> None:
        """A channel that cannot be loaded refuses its own events, not its neighbours'."""
        try:
            channel = self.touched.get(new.channel) or await self._touch(new.channel)
            if new.type in FOLDED:
                await self._channels.fold(channel)
        except Exception as exc:
            self._broken[new.channel] = exc

    async def _touch(self, name: str) -> Channel:
        channel = await self._channels.get(name)
        channel.users += 1  # must not be forgotten and loaded again while its head is about to move
        self.touched[name] = channel
        return channel

    def take(self, submission: Submission) -> None:
        """Add a submission to the batch, or answer it without. Whatever goes wrong concerns it alone."""
        undo: Undo = []
        events: list[Event] = []
        try:
            answer = self._resolve(submission, events, undo)
        except Exception as exc:  # a fault in one must not refuse the others
            rollback(undo)
            tell(submission.done, blame(exc, submission.events))
            return
        self.batch.events += events
        for event in events:
            self._heads[event.channel] = event.offset
        if submission.checkpoint is not None:
            self.batch.checkpoints.update([submission.checkpoint])
        self.answers.append((submission.done, answer))

    def _resolve(self, submission: Submission, events: list[Event], undo: Undo) -> Answer:
        if submission.is_rolled:
            return self._parts(submission.events, events, undo)
        answer: Answer = []
        for new in submission.events:
            earlier = self._earlier(new)
            if isinstance(earlier, AntiphonError):
                raise earlier
            answer.append(earlier or self._append(new, (new,), events, undo))
        return answer

    def _parts(self, parts: Sequence[NewEvent], events: list[Event], undo: Undo) -> Answer:
        """Parts that were stored before are left out of the one event; the others share its cursor."""
        answer: list[Cursor | AntiphonError | None] = [self._earlier(part) for part in parts]
        fresh: dict[object, NewEvent] = {}
        for index, part in enumerate(parts):
            if answer[index] is None:
                fresh.setdefault(part.idempotency_key or index, part)  # a retry may stand beside its first attempt
        if not fresh:
            return [found for found in answer if found is not None]
        kept = list(fresh.values())
        cursor = self._append(kept[0]._replace(payload=_joined(kept)), kept, events, undo)
        return [found or cursor for found in answer]

    def _append(self, new: NewEvent, parts: Sequence[NewEvent], events: list[Event], undo: Undo) -> Cursor:
        channel = self._channel(new.channel)
        offset = self._next(channel, events)
        time_ms = now_ms() if new.time_ms is None else new.time_ms
        event = Event(new.channel, offset, new.type, new.payload, time_ms, new.by)
        if new.type in FOLDED:
            undo += channel.folded.apply(event)
        for part in parts:
            if part.idempotency_key is not None:
                key = _receipt_key(part)
                self.batch.receipts[key] = Receipt(offset, _digest(part))
                undo.append(self._forget(key))
        events.append(event)
        return Cursor(channel.epoch, offset)

    def _channel(self, name: str) -> Channel:
        if name in self._broken:
            raise self._broken[name]
        return self.touched[name]

    def _next(self, channel: Channel, events: list[Event]) -> int:
        if events:
            for event in reversed(events):
                if event.channel == channel.name:
                    return event.offset + 1
        return self._heads.get(channel.name, channel.head) + 1

    def _earlier(self, new: NewEvent) -> Cursor | AntiphonError | None:
        """What became of an earlier publish under the same key."""
        if new.idempotency_key is None:
            return None
        key = _receipt_key(new)
        receipt = self.batch.receipts.get(key) or self._receipts.get(key)
        if receipt is None:
            return None
        if receipt.digest != _digest(new):
            return KeyConflict(
                f"idempotency key {new.idempotency_key!r} was used in {new.channel} with other data",
                pointer="/idempotency_key",
            )
        return Cursor(self._channel(new.channel).epoch, receipt.offset)

    def _forget(self, key: ReceiptKey) -> Callable[[], object]:
        return lambda: self.batch.receipts.pop(key)

    def add_snapshots(self) -> None:
        """Write down what channels fold to, where it is time for it."""
        for name, offset in self._heads.items():
            fold = self.touched[name].fold
            snapshot = None if fold is None else fold.snapshot_if_due(offset)
            if snapshot is not None:
                self.batch.snapshots[name] = snapshot

    def by_channel(self) -> dict[Channel, list[Event]]:
        events: dict[Channel, list[Event]] = {}
        for event in self.batch.events:
            events.setdefault(self.touched[event.channel], []).append(event)
        return events

    def release(self) -> None:
        """The batch is done with."""
        for channel in self.touched.values():
            channel.users -= 1


def blame(exc: Exception, events: Sequence[object]) -> AntiphonError:
    """The error that publishers are told."""
    if isinstance(exc, AntiphonError):
        return exc
    log.error("events could not be written", events=len(events), exc_info=exc)
    return InternalError("a fault of the server: nothing was stored")


def tell(done: Done, answer: Answer | AntiphonError) -> None:
    """Answer whoever submitted something; a fault of theirs is not the writer's."""
    try:
        done(answer)
    except Exception:
        log.exception("whoever published failed at being answered")


def _joined(parts: list[NewEvent]) -> bytes:
    """One append with the deltas of all."""
    if len(parts) == 1:
        return parts[0].payload
    data = [orjson.loads(part.payload) for part in parts]
    return orjson.dumps({**data[0], "delta": "".join(part["delta"] for part in data)})


def _receipt_key(new: NewEvent) -> ReceiptKey:
    return ReceiptKey(new.by or "", new.channel, new.idempotency_key or "")


def _digest(new: NewEvent) -> bytes:
    return hashlib.blake2b(new.type.encode() + b"\0" + new.payload, digest_size=16).digest()
