"""The one writer: everything that is published passes through here, in the order in which it was submitted.

Commits are clocked by themselves: what was submitted during the last one is the next batch. An event's state change is
applied just before its batch is stored and forgotten if the store refuses.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

import structlog

from antiphon.brokers.base import Batch, Broker, Receipt, ReceiptKey
from antiphon.errors import AntiphonError, Busy, InternalError, KeyConflict
from antiphon.hub.channel import Channel, Channels
from antiphon.hub.patch import Undo, rollback
from antiphon.hub.state import PATCH
from antiphon.messages import Cursor, Event, NewEvent, now_ms

BATCH_EVENTS = 500  # about 2 ms of the loop
BATCH_BYTES = 1 << 20
QUEUE_BYTES = 16 << 20  # beyond it publishers wait
QUEUE_EVENTS = 20_000

T = TypeVar("T")
Answer = list[Cursor]
log = structlog.get_logger(__name__)


class Submission(NamedTuple):
    """Events that are stored together or not at all."""

    events: Sequence[NewEvent]
    checkpoint: tuple[str, str] | None
    answer: asyncio.Future[Answer]
    size: int


class _Turn:
    """One batch on its way: the answers that it will give, and the offsets that it has handed out."""

    def __init__(self) -> None:
        self.batch = Batch()
        self.answers: list[tuple[asyncio.Future[Answer], Answer]] = []
        self.heads: dict[str, int] = {}
        self.touched: dict[str, Channel] = {}


class Writer:
    """Owns the order of events. `committed(channels)` is called after each commit."""

    def __init__(
        self, broker: Broker, channels: Channels, committed: Callable[[dict[Channel, list[Event]]], None]
    ) -> None:
        self._broker = broker
        self._channels = channels
        self._committed = committed
        self._queue: deque[Submission] = deque()
        self._jobs: deque[Callable[[], Awaitable[None]]] = deque()
        self._bytes = 0
        self._events = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._settled = asyncio.Event()
        self._settled.set()
        self._closing = False

    @property
    def queued(self) -> int:
        """Events that wait to be stored."""
        return self._events

    async def room(self) -> None:
        """Wait until there is room in the queue."""
        await self._room.wait()

    async def settled(self) -> None:
        """Wait until no batch or job is under way, so that what is in memory is what is in the store."""
        await self._settled.wait()

    def submit(self, events: Sequence[NewEvent], checkpoint: tuple[str, str] | None = None) -> asyncio.Future[Answer]:
        """Take events in order; the future has their cursors after the commit, or why there was none.

        Raises:
            Busy: The writer is stopping.
        """
        if self._closing:
            raise Busy("the server is stopping: nothing was stored")
        size = sum(len(event.payload) + 100 for event in events)
        submission = Submission(events, checkpoint, asyncio.get_running_loop().create_future(), size)
        self._queue.append(submission)
        self._count(size, len(events))
        self._wake.set()
        return submission.answer

    async def perform(self, job: Callable[[], Awaitable[T]]) -> T:
        """Do something with the store between two batches."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def turn() -> None:
            self._settled.clear()
            try:
                result = await job()
                if not done.done():  # whoever asked may have gone
                    done.set_result(result)
            except Exception as exc:  # one job must not end the writer: whoever asked decides
                if not done.done():
                    done.set_exception(exc)
            finally:
                self._settled.set()

        self._jobs.append(turn)
        self._wake.set()
        return await done

    async def run(self) -> None:
        """Write until `close` was called and all is written."""
        while not (self._closing and not self._queue and not self._jobs):
            await self._wake.wait()
            self._wake.clear()
            while self._queue or self._jobs:
                await self._write()
                while self._jobs:
                    await self._jobs.popleft()()
                await asyncio.sleep(0)  # others must have their turn between two batches

    def close(self) -> None:
        """Take nothing more; `run` ends when the queue is empty."""
        self._closing = True
        self._wake.set()

    def _count(self, size: int, events: int) -> None:
        self._bytes += size
        self._events += events
        full = self._bytes > QUEUE_BYTES or self._events > QUEUE_EVENTS
        self._room.clear() if full else self._room.set()

    def _take(self) -> list[Submission]:
        taken: list[Submission] = []
        events = size = 0
        while self._queue and events < BATCH_EVENTS and size < BATCH_BYTES:
            submission = self._queue.popleft()
            taken.append(submission)
            events += len(submission.events)
            size += submission.size
        self._count(-size, -events)
        return taken

    async def _write(self) -> None:
        submissions = self._take()
        if not submissions:
            return
        turn = _Turn()
        self._settled.clear()
        try:
            for submission in submissions:
                await self._prepare(submission, turn)
            await self._store(turn)
        except Exception as exc:  # one batch must not end the writer
            self._fail(submissions, turn, exc)
        finally:
            for channel in turn.touched.values():
                channel.users -= 1
            self._settled.set()

    async def _prepare(self, submission: Submission, turn: _Turn) -> None:
        """Add a submission to the batch, or answer it without. Whatever goes wrong concerns it alone."""
        undo: Undo = []
        try:
            answer, events = await self._resolve(submission, turn, undo)
        except Exception as exc:  # a fault in one must not refuse the others
            rollback(undo)
            _refuse(submission.answer, _blame(exc, submission.events))
            return
        turn.batch.events += events
        for event in events:
            turn.heads[event.channel] = event.offset
        if submission.checkpoint is not None:
            turn.batch.checkpoints.update([submission.checkpoint])
        turn.answers.append((submission.answer, answer))

    async def _resolve(self, submission: Submission, turn: _Turn, undo: Undo) -> tuple[Answer, list[Event]]:
        answer: Answer = []
        events: list[Event] = []
        heads = dict(turn.heads) if len(submission.events) > 1 else turn.heads
        now = now_ms()
        for new in submission.events:
            receipt_key, digest = _receipt_key(new), b""
            if receipt_key is not None:
                digest = _digest(new)
                earlier = await self._receipt(receipt_key, turn)
                if earlier is not None:
                    answer.append(self._repeat(new, earlier, digest))
                    continue
            channel = turn.touched.get(new.channel) or await self._touch(new.channel, turn)
            offset = heads.get(new.channel, channel.head) + 1
            event = Event(
                new.channel, offset, new.type, new.payload, now if new.time_ms is None else new.time_ms, new.by
            )
            if new.type == PATCH:
                undo += (await self._channels.state(channel)).apply(event)
            if receipt_key is not None:
                turn.batch.receipts[receipt_key] = Receipt(offset, digest)
                undo.append(_forget(turn, receipt_key))
            if heads is not turn.heads:
                heads[new.channel] = offset
            events.append(event)
            answer.append(Cursor(self._broker.epoch, offset))
        return answer, events

    async def _touch(self, name: str, turn: _Turn) -> Channel:
        channel = await self._channels.get(name)
        channel.users += 1  # must not be forgotten and loaded again while its head is about to move
        turn.touched[name] = channel
        return channel

    async def _receipt(self, key: ReceiptKey, turn: _Turn) -> Receipt | None:
        return turn.batch.receipts.get(key) or (await self._broker.receipts([key])).get(key)

    def _repeat(self, new: NewEvent, earlier: Receipt, digest: bytes) -> Cursor:
        if earlier.digest != digest:
            raise KeyConflict(
                f"idempotency key {new.idempotency_key!r} was used in {new.channel} with other data",
                pointer="/idempotency_key",
            )
        return Cursor(self._broker.epoch, earlier.offset)

    async def _store(self, turn: _Turn) -> None:
        for channel in turn.touched.values():
            if channel.state is not None and channel.name in turn.heads:
                snapshot = channel.state.snapshot_if_due(turn.heads[channel.name])
                if snapshot is not None:
                    turn.batch.snapshots[channel.name] = snapshot
        if turn.batch.events or turn.batch.checkpoints:
            await self._broker.append(turn.batch)
            self._committed(_by_channel(turn))
        for future, answer in turn.answers:
            if not future.done():  # whoever asked may have gone
                future.set_result(answer)

    def _fail(self, submissions: list[Submission], turn: _Turn, exc: Exception) -> None:
        for channel in turn.touched.values():
            channel.state = None  # it may hold changes that were not stored: read it again
        error = _blame(exc, turn.batch.events)
        for submission in submissions:
            _refuse(submission.answer, error)


def _blame(exc: Exception, events: Sequence[object]) -> AntiphonError:
    if isinstance(exc, AntiphonError):
        return exc
    log.error("events could not be written", events=len(events), exc_info=exc)
    return InternalError("a fault of the server: nothing was stored")


def _by_channel(turn: _Turn) -> dict[Channel, list[Event]]:
    events: dict[Channel, list[Event]] = {}
    for event in turn.batch.events:
        events.setdefault(turn.touched[event.channel], []).append(event)
    return events


def _forget(turn: _Turn, key: ReceiptKey) -> Callable[[], object]:
    return lambda: turn.batch.receipts.pop(key)


def _receipt_key(new: NewEvent) -> ReceiptKey | None:
    return None if new.idempotency_key is None else ReceiptKey(new.by or "", new.channel, new.idempotency_key)


def _digest(new: NewEvent) -> bytes:
    return hashlib.blake2b(new.type.encode() + b"\0" + new.payload, digest_size=16).digest()


def _refuse(answer: asyncio.Future[Answer], error: AntiphonError) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # fire-and-forget publishers look at it in a callback or not at all
