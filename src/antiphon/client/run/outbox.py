"""What a run has said and the server has not yet acknowledged. Plain code but for the wake-ups: no sockets.

Events are sent in batches, one per turn of the event loop, several under way at a time; over reconnects they are sent
again in order, each with its idempotency key, so that nothing is lost or doubled. Refusals:

- cancelled: what grows is dropped, the rest (closing, logs, state) goes out again;
- to be tried again (a full disk, too fast): if nothing behind it was accepted it goes out again, in order, a little
  later; else the order cannot be kept, and that is an error;
- anything else is final. A run whose story has a hole must not go on as if it had none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from antiphon.client.backoff import Backoff
from antiphon.client.requests import Answered
from antiphon.client.run.cutting import Cut
from antiphon.client.run.plain import encode
from antiphon.client.run.port import RunEvent, new_id
from antiphon.client.sizes import frame_problem
from antiphon.client.wire import Limits
from antiphon.errors import AntiphonError, RunCancelled

MAX_EVENTS = 500  # of one batch; the server's own limit
MAX_BATCHES = 32  # under way
MAX_UNSTORED_EVENTS = 5000
MAX_UNSTORED_BYTES = 4 << 20
BATCH_BYTES = 256 << 10
OVERHEAD_BYTES = 512  # of an event's key and the frame around it
AROUND_LEVELS = 4  # request, params, events, event

Post = Callable[[str, dict[str, Any], Answered], object]


class _Said(NamedTuple):
    type: str
    data: Any
    json: bytes
    key: str

    def frame(self) -> dict[str, Any]:
        return {"type": self.type, "data": orjson.Fragment(self.json), "idempotency_key": self.key}


class _Batch:
    __slots__ = ("error", "events", "is_answered")

    def __init__(self, events: list[_Said]) -> None:
        self.events = events
        self.is_answered = False
        self.error: AntiphonError | None = None


class Outbox:
    """The events of one run, in order.

    Args:
        post: Sends a request, over reconnects, and calls back with its answer.
        params: What every `run.emit` carries: the run and its lease.
        limits: The server's.
        on_cancelled: The server says that the run was cancelled.
        on_broken: Something was refused for good.
    """

    def __init__(
        self,
        post: Post,
        params: Mapping[str, Any],
        limits: Limits,
        *,
        on_cancelled: Callable[[], None],
        on_broken: Callable[[AntiphonError], None],
    ) -> None:
        self.error: AntiphonError | None = None  # why nothing more can be said
        self._post = post
        self._params = params
        self._batch_bytes = min(BATCH_BYTES, limits.message_bytes - OVERHEAD_BYTES)
        self._event_limits = Limits(
            message_bytes=limits.message_bytes - OVERHEAD_BYTES, nesting=limits.nesting - AROUND_LEVELS
        )
        self._on_cancelled = on_cancelled
        self._on_broken = on_broken
        self._cut: Cut | None = None  # once the run has been cancelled
        self._waiting: deque[_Said] = deque()
        self._under_way: deque[_Batch] = deque()
        self._count = self._bytes = 0  # of both
        self._changed = asyncio.Event()
        self._turn: asyncio.Handle | None = None  # the sending at the end of this turn of the loop
        self._retry: asyncio.TimerHandle | None = None  # the sending after a refusal
        self._backoff = Backoff(base_s=0.2, cap_s=5.0)
        self._prefix = new_id("k")
        self._number = 0

    def add(self, events: Iterable[RunEvent]) -> None:
        """Say something, all of it or nothing. Raises TypeError, TooLarge, TooDeep, or what ended this."""
        self.check()
        said = [self._read(event) for event in events]
        if self._cut is not None:
            said = self._cut.keep(said)
        self._waiting.extend(said)
        self._count += len(said)
        self._bytes += sum(len(event.json) for event in said)
        if said and self._turn is None and self._retry is None:
            self._turn = asyncio.get_running_loop().call_soon(self._send)

    def _read(self, event: RunEvent) -> _Said:
        data = encode(event.data)
        problem = frame_problem(data, self._event_limits)
        if problem is not None:
            raise problem
        self._number += 1
        key = event.idempotency_key or f"{self._prefix}.{self._number}"
        return _Said(event.type, event.data, data, key)

    def check(self) -> None:
        """Raise what ended this, if something did."""
        if self.error is not None:
            raise self.error

    def end(self, error: AntiphonError) -> None:
        """Nothing more can be said: whoever waits learns why."""
        self.error = self.error or error
        self.close()
        self._changed.set()

    def close(self) -> None:
        """Send nothing more."""
        for timer in (self._turn, self._retry):
            if timer is not None:
                timer.cancel()
        self._turn = self._retry = None

    async def room(self) -> None:
        """Wait until not too much is unacknowledged. Raises what ended this."""
        while self.error is None and (self._count > MAX_UNSTORED_EVENTS or self._bytes > MAX_UNSTORED_BYTES):
            await self._change()
        self.check()

    async def stored(self) -> None:
        """Wait until everything has been acknowledged. Raises what ended this."""
        while self.error is None and self._count:
            await self._change()
        self.check()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def flush(self) -> None:
        """Send now what waits for the end of this turn, so that what is asked next comes behind it."""
        if self._turn is not None:
            self._turn.cancel()
            self._send()

    # Sending

    def _send(self) -> None:
        self._turn = self._retry = None
        while self._waiting and self.error is None and len(self._under_way) < MAX_BATCHES and not self._is_refused:
            batch = self._next_batch()
            self._under_way.append(batch)
            params = {**self._params, "events": [event.frame() for event in batch.events]}
            try:
                self._post("run.emit", params, self._answer_to(batch))
            except AntiphonError as exc:  # the client has ended
                self._break(exc)

    @property
    def _is_refused(self) -> bool:
        """Whether something was refused while answers are missing: first see what became of the rest."""
        return any(batch.error is not None for batch in self._under_way)

    def _next_batch(self) -> _Batch:
        events: list[_Said] = []
        size = 0
        while self._waiting and len(events) < MAX_EVENTS:
            size += len(self._waiting[0].json) + OVERHEAD_BYTES // 2
            if events and size > self._batch_bytes:
                break
            events.append(self._waiting.popleft())
        return _Batch(events)

    # Answers

    def _answer_to(self, batch: _Batch) -> Answered:
        def answered(_result: Any, error: AntiphonError | None) -> None:
            batch.is_answered, batch.error = True, error
            if self.error is None:
                self._settle()

        return answered

    def _settle(self) -> None:
        if not self._is_refused:
            while self._under_way and self._under_way[0].is_answered:
                self._stored(self._under_way.popleft())
                self._backoff.reset()
            if self._turn is None:
                self._send()
        elif all(batch.is_answered for batch in self._under_way):
            self._sort_out()
        self._changed.set()

    def _stored(self, batch: _Batch) -> None:
        self._count -= len(batch.events)
        self._bytes -= sum(len(event.json) for event in batch.events)

    def _sort_out(self) -> None:
        """Some were refused, and there is an answer to all."""
        batches = list(self._under_way)
        refused = [batch for batch in batches if batch.error is not None]
        errors = [batch.error for batch in refused if batch.error is not None]
        self._under_way.clear()
        for batch in batches:
            if batch.error is None:
                self._stored(batch)
        if all(isinstance(error, RunCancelled) for error in errors):
            self._again(refused)
            self._cancelled(errors[0])
        elif all(error.retryable for error in errors) and batches[-len(refused) :] == refused:
            self._again(refused)
            self._retry = asyncio.get_running_loop().call_later(self._backoff.next_s(at_least_s=0.05), self._send)
        else:
            self._break(next(error for error in errors if not isinstance(error, RunCancelled)))

    def _break(self, error: AntiphonError) -> None:
        self.end(error)
        self._on_broken(error)

    def _again(self, refused: list[_Batch]) -> None:
        self._waiting.extendleft(event for batch in reversed(refused) for event in reversed(batch.events))

    def _cancelled(self, error: AntiphonError) -> None:
        self._cut = self._cut or Cut()
        kept = self._cut.keep(self._waiting)
        if len(kept) == len(self._waiting):  # refused without growing: it was cut off
            self._break(error)
            return
        self._waiting = deque(kept)
        self._count = len(kept)
        self._bytes = sum(len(event.json) for event in kept)
        self._on_cancelled()
        self._send()
