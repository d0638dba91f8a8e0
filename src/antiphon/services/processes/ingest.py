"""From the spool into the log: every line once, in order, whatever dies in between.

How far a life was ingested is a checkpoint stored in the transaction of the lines themselves: nothing = not even its
start was told; a position; END = its end was told too. After any failure we go on from what the log says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import structlog

from antiphon.errors import AntiphonError
from antiphon.hub import Hub
from antiphon.messages import NewEvent
from antiphon.services.backoff import Backoff
from antiphon.services.processes.life import Life
from antiphon.services.processes.row import WAITING
from antiphon.services.processes.shimlink import ExitRecord, ShimStatus
from antiphon.services.processes.spool import Batch, Position, Spool

BATCH_LINES = 1000
END = "end"
_log = structlog.get_logger(__name__)


class Ingestor:
    """Publishes the lives of one process to its channel, one after another.

    Args:
        hub: The log.
        channel: Of the process.
        fault: Told why lines wait at the moment, or None once they do not.
        recorded: Waits until a life's end is in the published table; only then its directory may go.
    """

    def __init__(
        self,
        hub: Hub,
        channel: str,
        *,
        fault: Callable[[str | None], None],
        recorded: Callable[[Life], Awaitable[None]],
    ) -> None:
        self._hub = hub
        self._channel = channel
        self._fault = fault
        self._recorded = recorded
        self._lives: asyncio.Queue[Life] = asyncio.Queue()

    def add(self, life: Life) -> None:
        """Ingest this life after those that were added before."""
        self._lives.put_nowait(life)

    async def run(self) -> None:
        """Ingest until cancelled."""
        while True:
            life = await self._lives.get()
            await self._persist(self._ingest, life)
            await self._persist(self._remove, life)
            life.done.set()

    async def _persist(self, work: Callable[[Life, Backoff], Awaitable[None]], life: Life) -> None:
        """Do the work, again and again until it succeeds."""
        backoff = Backoff()
        while True:
            try:
                await work(life, backoff)
            except (AntiphonError, OSError) as error:
                _log.warning("lines wait on disk", start=life.start.key, error=str(error))
                self._fault(f"{WAITING}: {error}")
            except Exception as error:  # one process must not end the others
                _log.exception("lines wait on disk", start=life.start.key)
                self._fault(f"{WAITING}: {type(error).__name__}")
            else:
                self._fault(None)
                return
            await asyncio.sleep(backoff.next_s())

    async def _ingest(self, life: Life, backoff: Backoff) -> None:
        mark = await self._hub.checkpoint(life.checkpoint)
        if mark == END:
            return
        if life.voice is not None:
            await life.voice.begin(life.link.status.shim_pid)
        spool = Spool(life.start.path)
        try:
            await self._follow(life, spool, mark, backoff)
        finally:
            spool.close()
        if life.voice is not None:
            await life.over.wait()
            await life.voice.end(life.link.status.exit or life.record)
        status = life.link.status
        end = [self._exited(status.exit or life.record)] if status.pid is not None else []
        await self._hub.publish_many(end, checkpoint=(life.checkpoint, END))

    async def _follow(self, life: Life, spool: Spool, mark: str | None, backoff: Backoff) -> None:
        """Publish all lines; returns when the life has ended and nothing is left."""
        position = Position() if mark is None else Position.parse(mark)
        spool.delete_before(position)
        while True:
            status = life.link.status  # asked before reading: after the end nothing is added
            batch = spool.read(position, max_lines=BATCH_LINES)
            events = self._events(batch)
            if mark is None and status.pid is not None:
                events.insert(0, self._started(status))
            if events:
                mark = str(batch.position)
                await self._publish(life, batch, position.line, events, mark)
                if batch.position.segment != position.segment:
                    spool.delete_before(batch.position)
                backoff.reset()
                self._fault(None)
            elif not status.alive:
                return
            else:
                await life.link.new_output(batch.position)
            position = batch.position

    async def _publish(self, life: Life, batch: Batch, first: int, events: list[NewEvent], mark: str) -> None:
        checkpoint = (life.checkpoint, mark)
        if life.voice is None:
            await self._hub.publish_many(events, checkpoint=checkpoint)
        else:
            await life.voice.publish(batch.lines, first, events, checkpoint)

    async def _remove(self, life: Life, _: Backoff) -> None:
        await self._recorded(life)
        await life.link.close()
        await asyncio.to_thread(life.start.remove)

    def _events(self, batch: Batch) -> list[NewEvent]:
        dumps, channel = orjson.dumps, self._channel
        return [
            NewEvent(channel, "line", dumps({"text": text, "stream": stream}), None, None, time_ms)
            for stream, time_ms, text in batch.lines
        ]

    def _started(self, status: ShimStatus) -> NewEvent:
        payload = orjson.dumps({"pid": status.pid})
        return NewEvent(self._channel, "process.started", payload, time_ms=status.started_at_ms)

    def _exited(self, record: ExitRecord | None) -> NewEvent:
        if record is None:  # lost: nobody knows when
            return NewEvent(self._channel, "process.exited", orjson.dumps({"exit_code": None, "signal": None}))
        payload = orjson.dumps({"exit_code": record.exit_code, "signal": record.signal})
        return NewEvent(self._channel, "process.exited", payload, time_ms=record.ended_at_ms)
