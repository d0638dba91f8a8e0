"""One batch in the making: each submission becomes events with offsets, or is refused alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
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


class Submission(NamedTuple):
    """Events that are stored together or not at all."""

    events: Sequence[NewEvent]
    checkpoint: tuple[str, str] | None
    answer: asyncio.Future[Answer]
    size: int
    is_rolled: bool  # the events are parts of one: appends to a growing message
    at: float  # when it was submitted, time.monotonic


class Turn:
    """Collects submissions into one transaction."""

    def __init__(self, broker: Broker, channels: Channels, since: float) -> None:
        self.since = since
        self.batch = Batch()
        self.answers: list[tuple[asyncio.Future[Answer], Answer]] = []
        self.touched: dict[str, Channel] = {}
        self._heads: dict[str, int] = {}
        self._broker = broker
        self._channels = channels

    async def take(self, submission: Submission) -> None:
        """Add a submission to the batch, or answer it without. Whatever goes wrong concerns it alone."""
        undo: Undo = []
        events: list[Event] = []
        try:
            answer = await self._resolve(submission, events, undo)
        except Exception as exc:  # a fault in one must not refuse the others
            rollback(undo)
            refuse(submission.answer, blame(exc, submission.events))
            return
        self.batch.events += events
        for event in events:
            self._heads[event.channel] = event.offset
        if submission.checkpoint is not None:
            self.batch.checkpoints.update([submission.checkpoint])
        self.answers.append((submission.answer, answer))

    async def _resolve(self, submission: Submission, events: list[Event], undo: Undo) -> Answer:
        if submission.is_rolled:
            return await self._parts(submission.events, events, undo)
        answer: Answer = []
        for new in submission.events:
            earlier = await self._earlier(new)
            if isinstance(earlier, AntiphonError):
                raise earlier
            answer.append(earlier or await self._append(new, [new], events, undo))
        return answer

    async def _parts(self, parts: Sequence[NewEvent], events: list[Event], undo: Undo) -> Answer:
        """Parts that were stored before are left out of the one event; the others share its cursor."""
        answer: list[Cursor | AntiphonError | None] = [await self._earlier(part) for part in parts]
        fresh: dict[object, NewEvent] = {}
        for index, part in enumerate(parts):
            if answer[index] is None:
                fresh.setdefault(part.idempotency_key or index, part)  # a retry may stand beside its first attempt
        if not fresh:
            return [found for found in answer if found is not None]
        kept = list(fresh.values())
        cursor = await self._append(kept[0]._replace(payload=_joined(kept)), kept, events, undo)
        return [found or cursor for found in answer]

    async def _append(self, new: NewEvent, parts: list[NewEvent], events: list[Event], undo: Undo) -> Cursor:
        channel = self.touched.get(new.channel) or await self._touch(new.channel)
        offset = self._next(channel, events)
        time_ms = now_ms() if new.time_ms is None else new.time_ms
        event = Event(new.channel, offset, new.type, new.payload, time_ms, new.by)
        if new.type in FOLDED:
            undo += (await self._channels.fold(channel)).apply(event)
        for part in parts:
            key = _receipt_key(part)
            if key is not None:
                self.batch.receipts[key] = Receipt(offset, _digest(part))
                undo.append(self._forget(key))
        events.append(event)
        return Cursor(channel.epoch, offset)

    def _next(self, channel: Channel, events: list[Event]) -> int:
        if events:
            for event in reversed(events):
                if event.channel == channel.name:
                    return event.offset + 1
        return self._heads.get(channel.name, channel.head) + 1

    async def _touch(self, name: str) -> Channel:
        channel = await self._channels.get(name)
        channel.users += 1  # must not be forgotten and loaded again while its head is about to move
        self.touched[name] = channel
        return channel

    async def _earlier(self, new: NewEvent) -> Cursor | AntiphonError | None:
        """What became of an earlier publish under the same key."""
        key = _receipt_key(new)
        if key is None:
            return None
        receipt = self.batch.receipts.get(key) or (await self._broker.receipts([key])).get(key)
        if receipt is None:
            return None
        if receipt.digest != _digest(new):
            return KeyConflict(
                f"idempotency key {new.idempotency_key!r} was used in {new.channel} with other data",
                pointer="/idempotency_key",
            )
        return Cursor((await self._channels.get(new.channel)).epoch, receipt.offset)

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


def refuse(answer: asyncio.Future[Answer], error: AntiphonError) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # fire-and-forget publishers look at it in a callback or not at all


def _joined(parts: list[NewEvent]) -> bytes:
    """One append with the deltas of all."""
    if len(parts) == 1:
        return parts[0].payload
    data = [orjson.loads(part.payload) for part in parts]
    return orjson.dumps({**data[0], "delta": "".join(part["delta"] for part in data)})


def _receipt_key(new: NewEvent) -> ReceiptKey | None:
    return None if new.idempotency_key is None else ReceiptKey(new.by or "", new.channel, new.idempotency_key)


def _digest(new: NewEvent) -> bytes:
    return hashlib.blake2b(new.type.encode() + b"\0" + new.payload, digest_size=16).digest()
