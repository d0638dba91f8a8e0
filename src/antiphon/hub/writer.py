"""The one writer: everything that is published passes through here, in the order in which it was submitted.

Commits are clocked by themselves: what was submitted during the last one is the next batch. An event's state change is
applied just before its batch is stored and forgotten if the store refuses.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from antiphon.brokers.base import Broker
from antiphon.errors import Busy
from antiphon.hub.channel import Channel, Channels
from antiphon.hub.stats import Stats
from antiphon.hub.turn import Done, Submission, Turn, blame, tell
from antiphon.messages import Event, NewEvent

BATCH_EVENTS = 500  # about 2 ms of the loop
BATCH_BYTES = 1 << 20
QUEUE_BYTES = 16 << 20  # beyond it publishers wait
QUEUE_EVENTS = 20_000

T = TypeVar("T")
Committed = Callable[[dict[Channel, list[Event]], float], None]
log = structlog.get_logger(__name__)


class Writer:
    """Owns the order of events.

    Args:
        committed: Called after each commit with the events by channel, and when the first of them was submitted.
    """

    def __init__(self, broker: Broker, channels: Channels, stats: Stats, committed: Committed) -> None:
        self._stats = stats
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

    @property
    def has_room(self) -> bool:
        """Whether `room` would return at once."""
        return self._room.is_set()

    async def room(self) -> None:
        """Wait until there is room in the queue."""
        await self._room.wait()

    async def settled(self) -> None:
        """Wait until no batch or job is under way, so that what is in memory is what is in the store."""
        await self._settled.wait()

    @property
    def is_committing(self) -> bool:
        """Whether a batch is under way."""
        return not self._settled.is_set()

    def submit(
        self,
        events: Sequence[NewEvent],
        done: Done,
        *,
        checkpoint: tuple[str, str] | None = None,
        is_rolled: bool = False,
    ) -> None:
        """Take events in order.

        Args:
            done: Told their cursors after the commit, or why there are none.
            checkpoint: A name and a text that are stored with the events.
            is_rolled: The events are appends to one message: they become one event, whose cursor they share.
        Raises:
            Busy: The writer is stopping.
        """
        if self._closing:
            raise Busy("the server is stopping: nothing was stored")
        size = sum([len(event.payload) + 100 for event in events])
        self._queue.append(Submission(events, checkpoint, done, size, is_rolled, time.monotonic()))
        self._count(size, len(events))
        self._wake.set()

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
        if self._bytes > QUEUE_BYTES or self._events > QUEUE_EVENTS:
            self._room.clear()
        elif not self._room.is_set():
            self._room.set()

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
        turn = Turn(self._broker, self._channels, submissions[0].at)
        waiting = [submission.done for submission in submissions]
        self._settled.clear()
        try:
            await turn.prepare(submissions)
            for submission in submissions:
                turn.take(submission)
            waiting = [done for done, _ in turn.answers]  # the others were refused
            await self._store(turn)
        except Exception as exc:  # one batch must not end the writer
            self._fail(waiting, turn, exc)
        finally:
            turn.release()
            self._settled.set()

    async def _store(self, turn: Turn) -> None:
        turn.add_snapshots()
        if turn.batch.events or turn.batch.checkpoints:
            started = time.perf_counter()
            await self._broker.append(turn.batch)
            self._stats.commit_s.observe(time.perf_counter() - started)
            self._committed(turn.by_channel(), turn.since)
        for done, answer in turn.answers:
            tell(done, answer)

    def _fail(self, waiting: list[Done], turn: Turn, exc: Exception) -> None:
        for channel in turn.touched.values():
            channel.fold = None  # it may hold changes that were not stored: read it again
        error = blame(exc, turn.batch.events)
        for done in waiting:
            tell(done, error)
