"""Runs of this process: functions that anybody may start, in tasks that the service owns and waits for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
import structlog

from antiphon.errors import AntiphonError, ConflictError, NotFound
from antiphon.messages import Cursor, NewEvent, encode_time
from antiphon.services.runs.clock import Clock
from antiphon.services.runs.ending import Endings
from antiphon.services.runs.ledger import Change, Ledger
from antiphon.services.runs.outcome import Outcome, failed, failed_by
from antiphon.services.runs.record import Record
from antiphon.services.runs.says import encode
from antiphon.services.runs.states import Phase, Step, advance
from antiphon.services.runs.values import NewRun

STOPPED: Final = "the server was stopped"
LEAVE_S: Final = 5.0  # so long a local run may take to end when the server stops
_log = structlog.get_logger(__name__)


class Turn(Protocol):
    """A place in a line of runs that go one after the other."""

    async def wait(self) -> None:
        """Until it is this run's turn; meanwhile it is `queued`."""

    def leave(self) -> None:
        """The run has its outcome, or never began. May be called twice."""


Turns = Callable[[str, NewRun], Turn]
"""Given a run that is about to begin: its place, taken in this step. What it raises keeps the run from beginning."""


@dataclass(frozen=True, slots=True)
class Runnable:
    """What can be started under a name; it is called with a `LocalPort`."""

    run: Callable[[Any], Awaitable[Any]]
    at_once: asyncio.Semaphore | None  # None = as many at once as are wanted
    turns: Turns | None = None  # None = no run waits for another


class Locals:
    """The runnables and the tasks of those that were started."""

    def __init__(self, ledger: Ledger, endings: Endings, clock: Clock) -> None:
        self._ledger = ledger
        self._endings = endings
        self._clock = clock
        self._runnables: dict[str, Runnable] = {}
        self._tasks: dict[Record, asyncio.Task[None]] = {}
        self._turns: dict[Record, Turn] = {}
        self._begun: set[Record] = set()
        self._closing = False

    @property
    def names(self) -> list[str]:
        return sorted(self._runnables)

    def register(
        self, name: str, run: Callable[[Any], Awaitable[Any]], at_once: int | None, turns: Turns | None
    ) -> None:
        """Raises ConflictError."""
        if name in self._runnables:
            raise ConflictError(f"{name!r} is registered already")
        self._runnables[name] = Runnable(run, None if at_once is None else asyncio.Semaphore(at_once), turns)

    def take_turn(self, record: Record, runnable: Runnable, wanted: NewRun) -> None:
        """Let it have its place in a line, where there is one. Raises what the line raises."""
        if runnable.turns is not None:
            self._turns[record] = runnable.turns(record.run_id, wanted)

    def find(self, name: str) -> Runnable:
        """Raises NotFound, which says what there is."""
        found = self._runnables.get(name)
        if found is None:
            known = ", ".join(self.names) or "nothing"
            raise NotFound(f"nothing called {name[:80]!r} can be started; there is: {known}", pointer="/params/name")
        return found

    def start(self, record: Record, runnable: Runnable, port: Callable[[], Any]) -> None:
        """Run it in a task of its own; the record is that of a queued run, `port` makes what it is called with."""
        task = asyncio.create_task(self._wait_and_run(record, runnable, port), name=f"run {record.run_id}")
        self._tasks[record] = task
        task.add_done_callback(lambda _: self._forget(record))

    def _forget(self, record: Record) -> None:
        self._tasks.pop(record, None)
        self._begun.discard(record)
        if self._ledger.records.get(record.run_id) is not record:  # it never began; else its outcome is waited for
            self.leave_turn(record)

    def leave_turn(self, record: Record) -> None:
        """Let the next one in its line go on."""
        turn = self._turns.pop(record, None)
        if turn is not None:
            turn.leave()

    def interrupt(self, record: Record) -> None:
        """Let the task of a run see a CancelledError."""
        task = self._tasks.get(record)
        if task is not None:
            task.cancel()

    def let_go(self, record: Record) -> None:
        """A run has its outcome: a task that still waits for its turn need not."""
        self.leave_turn(record)
        task = self._tasks.get(record)
        if task is not None and record not in self._begun:
            task.cancel()

    async def close(self) -> None:
        """Interrupt all and wait for them, with a limit."""
        self._closing = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, stuck = await asyncio.wait(tasks, timeout=LEAVE_S)
        for task in stuck:
            _log.error("local run does not end; it is left behind", task=task.get_name())

    async def _wait_and_run(self, record: Record, runnable: Runnable, port: Callable[[], Any]) -> None:
        """Whatever happens in it, the run gets an outcome and the task ends."""
        try:
            if record.opening is not None:
                await asyncio.shield(record.opening)
            if record in self._turns:
                await self._turns[record].wait()
            async with runnable.at_once or contextlib.nullcontext():
                await self._run(record, runnable, port)
        except asyncio.CancelledError:
            self._interrupted(record)
        except AntiphonError as error:
            if record.run_id in self._ledger.records:  # else it never began
                self._end(record, failed_by(error))
        except Exception as error:
            _log.info("local run failed", run_id=record.run_id, exc_info=error)
            self._end(record, failed_by(error))

    async def _run(self, record: Record, runnable: Runnable, port: Callable[[], Any]) -> None:
        if record.phase is not Phase.QUEUED:
            return  # cancelled while it waited
        self._begun.add(record)
        self._begin(record)
        result = await runnable.run(port())
        try:
            outcome = Outcome("succeeded", orjson.loads(encode(result, "/result")))
        except AntiphonError as error:
            outcome = failed(f"its result is {error.message}", "TypeError")
        self._end(record, outcome)

    def _end(self, record: Record, outcome: Outcome) -> None:
        record.is_finished = True
        self._endings.end(record, outcome)

    def _begin(self, record: Record) -> None:
        record.phase = advance(record.phase, Step.BEGIN)
        data = orjson.dumps({"status": "running", "reason": None, "by": None})
        started_at = encode_time(int(self._clock.now() * 1000))
        change = Change(
            [NewEvent(record.channel, "run.status", data)],
            fields={record.run_id: {"status": "running", "started_at": started_at}},
        )

        def told(answer: list[Cursor] | AntiphonError) -> None:
            if isinstance(answer, AntiphonError):
                _log.warning("beginning of a run not published", run_id=record.run_id, error=str(answer))
                self._ledger.lag(record, status=record.status, started_at=started_at)

        self._ledger.store(change, told)

    def _interrupted(self, record: Record) -> None:
        if record.cancelled is None and self._closing:
            self._end(record, Outcome("lost", reason=STOPPED))
        else:  # by somebody, or by itself
            self._end(record, Outcome("cancelled", reason="it cancelled itself"))

    def left(self) -> Sequence[Record]:
        """Local runs that have no outcome."""
        return [record for record in self._ledger.speaking() if record.kind == "local"]
