"""The runs: everything that can be watched, cancelled, resumed and asked about.

`states` has the phases, `ledger` how they are written down; a module each for beginning, speaking, ending, cancelling,
watching the time, finding again and forgetting. This one puts them together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import orjson

from antiphon.errors import AntiphonError, Busy, ConflictError
from antiphon.hub import Answer, Hub
from antiphon.hub.turn import Done
from antiphon.messages import Cursor, NewEvent
from antiphon.services.runs import looking, recovery, transfer
from antiphon.services.runs.asking import transact
from antiphon.services.runs.cancelling import Cancels
from antiphon.services.runs.clock import Clock, SystemClock
from antiphon.services.runs.config import RunsConfig
from antiphon.services.runs.emitting import Voice, check_owner, outcome_of
from antiphon.services.runs.ending import Ending, Endings
from antiphon.services.runs.forgetting import Forgetting
from antiphon.services.runs.ids import new_lease
from antiphon.services.runs.importing import Imports
from antiphon.services.runs.ledger import SECRETS, Ledger
from antiphon.services.runs.local import STOPPED, Locals, Turns
from antiphon.services.runs.opening import Opening, Openings
from antiphon.services.runs.outcome import Outcome, failed
from antiphon.services.runs.port import LocalPort
from antiphon.services.runs.record import Cancelled, OnCancel, OnLost, Record, digest, refusal
from antiphon.services.runs.says import encode
from antiphon.services.runs.states import Phase
from antiphon.services.runs.values import (
    DEFAULT_LEASE_S,
    RUNS,
    CancelReceipt,
    Details,
    Filter,
    Finished,
    NewRun,
    Opened,
    Owner,
    Renewed,
    RunResult,
    Said,
)
from antiphon.services.runs.watch import Watch
from antiphon.services.table import Row

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Given a run and what `question.ask` takes: asks, waits, and returns what the run's owner is given."""

FAREWELL_S = 5.0  # for the outcomes of local runs, when the server ends
RESTARTED = "the server was restarted"


class Runs:
    """Owns all runs while entered. Entering finds again what an earlier server knew; then `resume` is to be called.

    Args:
        hub: The channels `runs`, `run:...` and `thread:...` are claimed.
        config: Limits; None = the defaults.
        clock: None = the machine's.
    """

    def __init__(self, hub: Hub, config: RunsConfig | None = None, *, clock: Clock | None = None) -> None:
        for name in (RUNS, "run:", "thread:", SECRETS):
            hub.claim(name)
        self.clock: Clock = clock or SystemClock()
        self.on_opening: list[Opening] = []
        self.on_ending: list[Ending] = []
        self.ask: Ask | None = None  # set by the questions service; None = local runs cannot ask
        self._hub = hub
        self._config = config or RunsConfig()
        self._ledger = Ledger(hub)
        self._watch = Watch(self._ledger, self.clock)
        self._voice = Voice(self._ledger, self.clock)
        self._openings = Openings(self._ledger, self._config, self.clock, self.on_opening)
        self._endings = Endings(
            self._ledger, self.clock, self.on_ending, changed=self._watch.changed, ended=self._ended
        )
        self._cancels = Cancels(self._ledger, self._endings, self._config, self.clock, self._watch.changed)
        self._locals = Locals(self._ledger, self._endings, self.clock)
        self._forgetting = Forgetting(hub, self._ledger, self._config.keep)
        self._imports = Imports(self._ledger, self.clock)
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    @property
    def rows(self) -> Mapping[str, Row]:
        """The table as it is stored, in the order in which runs began; a row is replaced, never changed."""
        return self._ledger.rows

    @property
    def leases_lost(self) -> int:
        """How many runs this server has declared lost because their owners gave no sign."""
        return self._watch.lost

    # Beginning

    def register(
        self,
        name: str,
        run: Callable[[Any], Awaitable[Any]],
        *,
        at_once: int | None = None,
        turns: Turns | None = None,
    ) -> None:
        """Make something startable: `run(port)` is called with a `LocalPort`, what it returns is the result.

        Args:
            at_once: How many of it may run at the same time; the others are `queued`. None = no limit of its own.
            turns: Gives each new run its place in a line; it is `queued` until its turn comes.
        Raises:
            ConflictError: The name is taken.
        """
        self._locals.register(name, run, at_once, turns)

    @property
    def names(self) -> list[str]:
        """What can be started, sorted."""
        return self._locals.names

    async def open(
        self,
        wanted: NewRun,
        *,
        by: str | None,
        lease: str | None = None,
        lease_s: float = DEFAULT_LEASE_S,
        owner: Owner | None = None,
        connection: str | None = None,
    ) -> Opened:
        """Begin a run whose work the caller does.

        Args:
            lease: A secret of the caller, so that it can repeat this call; None = one is made.
            lease_s: The run is lost when its owner gives no sign for so many seconds; not where the owner is local.
            connection: Names the caller's connection, for `on_disconnect`.
        Raises:
            ConflictError: There is a run with this id and another lease or name.
            NotFound, RunCancelled, RunEnded: The parent does not exist, is being cancelled, or has ended.
            Busy: As many runs as may be are under way.
        """
        await self.room()
        owner = owner or Owner("remote")
        record = self._openings.existing(wanted, kind=owner.kind)
        lease = lease or new_lease()
        if record is None:
            record = self._record(wanted, owner.kind, Phase.RUNNING, connection)
            record.lease_sha256, record.lease_s = digest(lease), lease_s
            self._openings.begin(wanted, record, owner=owner, by=by)
        elif not record.owns(lease):
            raise ConflictError(f"run {record.run_id!r} belongs to another lease", pointer="/params/run_id")
        row = await self._opened(record)
        if record.is_speaking:
            self._attach(record, connection)
        return Opened(record.run_id, record.channel, self._hub.epoch, lease, record.lease_s, row)

    async def start(
        self, wanted: NewRun, *, by: str | None, connection: str | None = None, said: Sequence[Said] = ()
    ) -> Row:
        """Start something registered; raises as `open` does, NotFound names what can be started.

        Args:
            said: What the starter keeps in it, stored with its beginning; not where an earlier call has begun it.
        """
        await self.room()
        runnable = self._locals.find(wanted.name)
        record = self._openings.existing(wanted, kind="local")
        if record is None:
            record = self._record(wanted, "local", Phase.QUEUED, connection)
            lease = new_lease()
            record.lease_sha256 = digest(lease)
            record.on_cancel = self._interrupting(record, None)
            self._locals.take_turn(record, runnable, wanted)
            try:
                self._openings.begin(wanted, record, owner=Owner("local"), by=by, said=said)
            except BaseException:
                self._locals.leave_turn(record)
                raise
            self._locals.start(record, runnable, partial(self._port, record, wanted, lease, by))
        elif record.is_speaking:
            self._attach(record, connection)
        return await self._opened(record)

    def _port(self, record: Record, wanted: NewRun, lease: str, by: str | None) -> LocalPort:
        row = self._ledger.rows[record.run_id]
        opened = Opened(record.run_id, record.channel, self._hub.epoch, lease, 0.0, row)
        return LocalPort(self, opened=opened, wanted=wanted, by=by)

    def port(self, *, by: str | None = None) -> LocalPort:
        """For a run of this process that nobody started by name: open it there."""
        return LocalPort(self, by=by)

    def _record(self, wanted: NewRun, kind: str, phase: Phase, connection: str | None) -> Record:
        if self._closing:
            raise Busy("the server is stopping")
        return Record(
            self._openings.new_id(wanted),
            wanted.name,
            kind,
            wanted.parent_run_id,
            phase,
            on_disconnect=wanted.on_disconnect,
            connection=connection,
        )

    async def _opened(self, record: Record) -> Row:
        """The row once it is stored; who asks again gets it as it is now."""
        row: Row = {}
        if record.opening is not None:
            row = await asyncio.shield(record.opening)
        return self._ledger.rows.get(record.run_id, row)

    # What owners say

    async def room(self) -> None:
        """Wait until there is room for events; call before `emit`."""
        await self._hub.room()

    def emit(self, run_id: str, events: Sequence[Said], *, lease: str | None, by: str | None, done: Done) -> None:
        """Say something, in the order of calls. Wait for `room` before.

        Args:
            lease: That of the owner; None = a participant, who may say the same and renews nothing.
            done: Told once, after the commit of all: a list with the cursor of the last, or the first error, whose
                pointer begins with `/params/events/N`.
        Raises:
            NotFound, LeaseLost, RunEnded, RunCancelled, InvalidParams: Nothing was said.
        """
        record = self._ledger.known(run_id)
        if lease is not None:
            check_owner(record, lease)
        self._voice.emit(record, events, by, done)
        if lease is not None:
            self._watch.renew(record)

    async def say(self, run_id: str, events: Sequence[Said], *, lease: str | None, by: str | None) -> Cursor:
        """`emit`, and wait."""
        await self.room()
        answer: asyncio.Future[Cursor] = asyncio.get_running_loop().create_future()

        def told(found: Answer | AntiphonError) -> None:
            if answer.done():  # whoever asked may have gone
                return
            last = found if isinstance(found, AntiphonError) else found[0]
            if isinstance(last, AntiphonError):
                answer.set_exception(last)
            else:
                answer.set_result(last)

        self.emit(run_id, events, lease=lease, by=by, done=told)
        return await answer

    def renew(self, run_id: str, lease: str, *, connection: str | None = None) -> Renewed:
        """A sign of life. Raises NotFound, LeaseLost, RunEnded, RunCancelled (it was cut off)."""
        self.check_lease(run_id, lease)
        record = self._ledger.known(run_id)
        self._attach(record, connection)
        return Renewed(record.lease_s, record.status)

    def check_lease(self, run_id: str, lease: str) -> None:
        """Raise NotFound; LeaseLost unless this is the run's lease; RunEnded, RunCancelled where it has ended."""
        record = self._ledger.known(run_id)
        check_owner(record, lease)
        self._voice.check_speaking(record)

    def _attach(self, record: Record, connection: str | None) -> None:
        if connection is not None:
            record.connection = connection
        record.leaves_at = None
        self._watch.renew(record)

    async def finish(
        self,
        run_id: str,
        status: Finished,
        *,
        lease: str,
        result: Any = None,
        error: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> Row:
        """Give the outcome; a run that is being cancelled becomes `cancelled` whatever is said here.

        Returns:
            The row as it ended; also for a repeated call.
        Raises:
            NotFound, LeaseLost, StorageError, Busy
            InvalidParams: The result is no JSON.
        """
        record = self._ledger.known(run_id)
        check_owner(record, lease)
        result = orjson.loads(encode(result, "/params/result"))
        if record.is_speaking:
            record.is_finished = True
        elif outcome_of(record, self._ledger) == "lost":
            raise refusal(run_id, "lost")
        outcome = _outcome(status, result, error, reason)
        if self._closing and record.kind == "local" and status == "cancelled":  # by nobody but the end of the server
            outcome = Outcome("lost", reason=STOPPED)
        return await self._endings.end(record, outcome)

    # What others ask

    async def cancel(self, run_id: str, *, reason: str | None = None, by: str | None = None) -> CancelReceipt:
        """Cancel a run and all below it. Raises NotFound, StorageError, Busy."""
        return await self._cancels.cancel(self._ledger.known(run_id), Cancelled(reason, by))

    async def result(self, run_id: str, *, timeout_s: float = 30.0) -> RunResult:
        """Wait for the outcome. Raises NotFound, StorageError."""
        return await looking.result(self._hub, self._ledger, self._ledger.known(run_id), timeout_s)

    async def get(self, run_id: str) -> Details:
        """All about one run. Raises NotFound, StorageError."""
        return await looking.details(self._hub, self._ledger, self._ledger.known(run_id))

    def find(self, wanted: Filter) -> list[Row]:
        """The rows that fit, newest first."""
        return looking.find(self._ledger, wanted)

    def disconnected(self, connection: str) -> None:
        """A connection has ended."""
        self._watch.disconnected(connection)

    # As a file

    def export(self, run_id: str) -> AsyncIterator[bytes]:
        """A run as lines of JSON, each with its end: a head, then its events. Raises NotFound."""
        record = self._ledger.known(run_id)
        return transfer.export(self._hub, record, self._ledger.rows[run_id])

    async def import_(self, lines: Iterable[bytes], *, by: str | None) -> Row:
        """Take in what `export` gave as a new run.

        Raises:
            InvalidParams: The message names the line.
            InvalidMessage, InvalidPatch: An event does not follow from those before it.
            StorageError
        """
        record = await self._imports.take(lines, by)
        self._forgetting.look()
        return self._ledger.rows[record.run_id]

    # For other services

    async def transact(
        self,
        run_id: str,
        events: Sequence[NewEvent],
        *,
        tables: Sequence[NewEvent] = (),
        asked: int = 0,
        then: Callable[[AntiphonError | None], None] | None = None,
        checkpoint: tuple[str, str] | None = None,
    ) -> list[Cursor]:
        """Store events of a run and changes of other tables together.

        They are submitted in the step in which this is awaited, without a wait before, so that what the caller has
        just looked at still holds. The outcome of the run waits for it.

        Args:
            events: In `run:ID`.
            tables: In other channels, usually `state.patch`.
            asked: How many questions are open more (1) or less (-1); keeps `questions` and `waiting` of the row.
            then: Called in the step in which it is stored (None) or refused, before anything else can be decided, and
                also when whoever awaits this is gone by then.
            checkpoint: As for `hub.publish_many`.
        Returns:
            The cursors of `events` and `tables`.
        Raises:
            NotFound, RunEnded, LeaseLost: Nothing can be said in it any more.
            RunCancelled: The same, or something was to be asked.
            InvalidPatch, StorageError
        """
        record = self._ledger.known(run_id)
        self._voice.check_speaking(record)
        return await transact(self._ledger, record, [*events, *tables], asked, then, checkpoint=checkpoint)

    def hear(self, run_id: str, on_cancel: OnCancel | None, on_lost: OnLost | None) -> None:
        """Who is told of a cancel, and of an end that its owner did not give; for ports."""
        record = self._ledger.records.get(run_id)
        if record is not None:
            record.on_cancel = self._interrupting(record, on_cancel)
            record.on_lost = on_lost
            if record.phase is Phase.CANCELLING and record.cancelled is not None and on_cancel is not None:
                on_cancel(record.cancelled.reason)

    def abandon(self, run_id: str) -> None:
        """A local run whose code has let go of it."""
        record = self._ledger.records.get(run_id)
        if record is not None and record.is_speaking:
            self._endings.end(record, Outcome("lost", reason="its code let go of it without an outcome"))

    def _interrupting(self, record: Record, on_cancel: OnCancel | None) -> OnCancel:
        def cancelled(reason: str | None) -> None:
            if on_cancel is not None:
                on_cancel(reason)
            self._locals.interrupt(record)

        return cancelled

    def _ended(self, record: Record) -> None:
        self._locals.let_go(record)
        if record.on_lost is not None and not record.is_finished and record.outcome is not None:
            record.on_lost(refusal(record.run_id, record.outcome.status))
        self._forgetting.look()

    # Coming and going

    async def __aenter__(self) -> Self:
        """Find everything again. Raises StorageError."""
        await recovery.load(self._hub, self._ledger, self._config, self.clock.monotonic())
        await self._group.__aenter__()
        return self

    def resume(self) -> None:
        """Begin to watch: leases count, local runs of an earlier server are lost.

        To be called once whoever wants to add to outcomes (`on_ending`) is ready; again it does nothing.
        """
        if self._tasks:
            return
        for record in self._locals.left():
            if record.opening is None:  # not begun by this server
                self._endings.end(record, Outcome("lost", reason=RESTARTED))
        self._forgetting.look()
        watching = self._watch.run(self._endings, self._cancels)
        self._tasks.append(self._group.create_task(watching, name="runs watch"))
        self._tasks.append(self._group.create_task(self._forgetting.run(), name="runs forgetting"))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the local runs, as lost, and let go of the others."""
        try:
            await self.end_locals()
        finally:
            self._ledger.close()
            for task in self._tasks:
                task.cancel()
            await self._group.__aexit__(kind, error, trace)

    async def end_locals(self) -> None:
        """Begin no further run, and end the local ones, as lost; for those that hold what local runs need."""
        self._closing = True
        await self._locals.close()
        answers = [self._endings.end(record, Outcome("lost", reason=STOPPED)) for record in self._locals.left()]
        if answers:
            await asyncio.wait(answers, timeout=FAREWELL_S)


def _outcome(status: Finished, result: Any, error: Mapping[str, Any] | None, reason: str | None) -> Outcome:
    if status == "failed":
        error = error or {}
        return failed(str(error.get("message") or reason or "failed"), error.get("type"))
    return Outcome("succeeded", result) if status == "succeeded" else Outcome("cancelled", reason=reason)
