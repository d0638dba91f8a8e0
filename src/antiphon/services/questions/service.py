"""The questions: who asks, who answered first, and what happens when nobody does.

Each change is one transaction with the run that asked: its event, the row of the table, and whether the run waits. A
change is under way from the step in which it was decided until its commit; others that want the same question wait for
it and then look again, so that exactly one of them finds the question open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from antiphon.errors import AlreadyAnswered, AntiphonError, Busy, ConflictError, NotFound
from antiphon.hub import Hub
from antiphon.messages import NewEvent
from antiphon.services.questions.deadlines import Deadlines
from antiphon.services.questions.kinds import default_reply, reply_to
from antiphon.services.questions.port import ENDED, AskingRuns, Clock
from antiphon.services.questions.rows import (
    answered_row,
    as_json,
    asked_row,
    due_s,
    event_of,
    is_same,
    patch_of,
    too_late,
    withdrawn_row,
)
from antiphon.services.questions.table import Table
from antiphon.services.questions.values import (
    QUESTIONS,
    Asked,
    NewQuestion,
    new_question_id,
    read_question,
)
from antiphon.services.table import Row

T = TypeVar("T")
Rows = list[Row]  # inside the class `list` is a method
Events = list[NewEvent]
RUN_ENDED = "the run has ended"
DEADLINE_PASSED = "deadline passed"
_log = structlog.get_logger(__name__)


class Questions:
    """Owns all questions while entered.

    Enter the runs before it, and let nothing end in them until it is entered: outcomes withdraw open questions.

    Args:
        hub: The channel `questions` is claimed.
        runs: Who asks. Its `on_ending` and `ask` are made use of.
        clock: None = that of the runs.
    """

    def __init__(self, hub: Hub, runs: AskingRuns, clock: Clock | None = None) -> None:
        hub.claim(QUESTIONS)
        self._hub = hub
        self._runs = runs
        self._clock = clock or runs.clock
        self._table = Table()
        self._deadlines = Deadlines(self._clock, self._reached)
        self._changing: dict[str, asyncio.Future[None]] = {}  # by question: a change is being stored
        self._waiting: dict[str, set[asyncio.Future[Row]]] = {}  # by question: who waits for its end
        self._ending: dict[str, Rows] = {}  # by run that is about to end: its questions, withdrawn
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.Task[None] | None = None
        self._is_open = False
        self.on_asked: list[Callable[[Row], object]] = []  # called with each new question once it is stored
        runs.on_ending.append(self._withdraw_with)
        runs.ask = self.ask_and_wait

    # What others look at

    @property
    def rows(self) -> Mapping[str, Row]:
        """The table as it is now; not to be changed."""
        self._settle()
        return self._table.rows

    def get(self, question_id: str) -> Row:
        """Raises NotFound."""
        row = self.rows.get(question_id)
        if row is None:
            raise NotFound(f"there is no question {question_id[:80]!r}", pointer="/params/question_id")
        return row

    def list(self, *, status: str | None = None, run_id: str | None = None, by: str | None = None) -> Rows:
        """The questions that fit: the open ones by deadline, those without one last, then the ended, newest first.

        Args:
            by: Who started the run that asks, or who answered.
        """
        self._settle()
        found = [
            row
            for row in self._table.in_order()
            if (status is None or row["status"] == status) and (run_id is None or row["run_id"] == run_id)
        ]
        return found if by is None else [row for row in found if by in (row["by"], self._starter(row))]

    def _starter(self, row: Row) -> str | None:
        run = self._runs.rows.get(row["run_id"])
        return None if run is None else run["by"]

    async def wait(self, question_id: str) -> Row:
        """The row once it is not open any more. Raises NotFound; Busy when the service ends before."""
        row = self.get(question_id)
        if row["status"] != "open":
            return row
        self._check_open()
        ended: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(question_id, set()).add(ended)
        try:
            return await ended
        finally:
            self._waiting.get(question_id, set()).discard(ended)

    # What others do

    async def ask(self, run_id: str, wanted: NewQuestion, *, by: str | None, lease: str | None = None) -> Asked:
        """Ask people something on behalf of a run. The same question with the same id again: the same answer.

        Args:
            lease: That of the run's owner; None = whoever calls has seen to it that this is allowed.
        Raises:
            InvalidParams: The question or its default makes no sense; `.pointer` says where.
            ConflictError: The id belongs to another question.
            NotFound, LeaseLost, RunEnded, RunCancelled, StorageError
            Busy: As many questions are open as may be, or the server is stopping.
        """
        return await self._do(self._ask(run_id, wanted, by, lease))

    async def ask_and_wait(self, run_id: str, wanted: Mapping[str, Any], *, by: str | None = None) -> Row:
        """Ask what `question.ask` takes and wait; the row as it ended, answered or withdrawn. Raises as `ask` does."""
        asked = await self.ask(run_id, read_question(wanted), by=by)
        return await self.wait(asked.question_id)

    async def answer(self, question_id: str, *, answer: Any = None, action: str | None = None, by: str | None) -> Row:
        """Answer a question; the first answer counts.

        Args:
            action: answer, approve, edit or reject; None = answer.
        Raises:
            AlreadyAnswered: Somebody else was first, its time was up, or it was withdrawn; says who, with the row.
            InvalidParams: The answer does not fit the question; `.pointer` says where.
            NotFound, RunEnded, TooLarge, StorageError, Busy
        """
        return await self._do(self._answer(question_id, answer, action, by))

    async def withdraw(
        self, question_id: str, *, by: str | None, reason: str | None = None, lease: str | None = None
    ) -> Row:
        """Ask no longer; does nothing where it was withdrawn before.

        Raises:
            AlreadyAnswered, NotFound, LeaseLost, RunEnded, StorageError, Busy
        """
        return await self._do(self._withdraw(question_id, by, reason or "withdrawn", lease))

    # One change after another

    async def _ask(self, run_id: str, wanted: NewQuestion, by: str | None, lease: str | None) -> Asked:
        question_id = wanted.question_id or new_question_id(self._clock.now())
        await self._quiet(question_id)
        if lease is not None:
            self._runs.check_lease(run_id, lease)
        row = asked_row(question_id, self._run(run_id), wanted, self._clock.now())
        known = self._table.rows.get(question_id)
        if known is None:
            self._table.check_room()
            await self._store(row, by, asked=1)
        elif is_same(known, row):
            row = known
        else:
            raise ConflictError(f"there is another question {question_id}", pointer="/params/question_id")
        return Asked(question_id, row["deadline"])

    def _run(self, run_id: str) -> Row:
        run = self._runs.rows.get(run_id)
        if run is None:
            raise NotFound(f"there is no run {run_id[:80]!r}", pointer="/params/run_id")
        return run

    async def _answer(self, question_id: str, answer: Any, action: str | None, by: str | None) -> Row:
        row = await self._open(question_id)
        reply = reply_to(row, action, as_json(answer, at="/params/answer"))
        return await self._end(answered_row(row, reply, self._clock.now(), by=by), by)

    async def _withdraw(self, question_id: str, by: str | None, reason: str, lease: str | None) -> Row:
        await self._quiet(question_id)
        row = self.get(question_id)
        if row["status"] == "withdrawn":
            return row
        if lease is not None:
            self._runs.check_lease(row["run_id"], lease)
        row = await self._open(question_id)
        return await self._end(withdrawn_row(row, reason, self._clock.now(), by=by), by)

    async def _open(self, question_id: str) -> Row:
        """The row, once nothing is under way with it. Raises NotFound, or AlreadyAnswered unless it is open."""
        await self._quiet(question_id)
        row = self.get(question_id)
        if row["status"] == "open" and self._is_due(row):
            await self._expire(row)
            row = self.get(question_id)
        if row["status"] != "open":
            raise AlreadyAnswered(too_late(row), question=row)
        return row

    async def _quiet(self, question_id: str) -> None:
        while (change := self._changing.get(question_id)) is not None:
            await asyncio.wait([change])

    async def _end(self, row: Row, by: str | None) -> Row:
        """Raises AlreadyAnswered where the run's end came before."""
        try:
            return await self._store(row, by, asked=-1)
        except AntiphonError:
            now = self.get(row["question_id"])
            if now["status"] != "open":
                raise AlreadyAnswered(too_late(now), question=now) from None
            raise

    async def _store(self, row: Row, by: str | None, *, asked: int) -> Row:
        """Store a row with its event; nothing else changes it meanwhile."""
        name = row["question_id"]
        old = self._table.rows.get(name)
        forgotten = self._table.forget(row)
        patch = patch_of([(old, row), *((gone, None) for gone in forgotten)], by)
        done = self._changing[name] = asyncio.get_running_loop().create_future()
        try:
            await self._runs.transact(row["run_id"], [event_of(row, by)], tables=[patch], asked=asked)
        except BaseException:
            self._table.keep(forgotten)
            raise
        else:
            self._put(row)
        finally:
            del self._changing[name]
            done.set_result(None)
        return row

    def _put(self, row: Row) -> None:
        name = row["question_id"]
        self._table.put(row)
        if row["status"] == "open":
            self._watch(row)
            for told in self.on_asked:
                told(row)
            return
        for ended in self._waiting.pop(name, ()):
            if not ended.done():
                ended.set_result(row)

    # The time

    def _watch(self, row: Row) -> None:
        moment = due_s(row)
        if moment is not None:
            self._deadlines.add(row["question_id"], moment)

    def _is_due(self, row: Row) -> bool:
        moment = due_s(row)
        return moment is not None and moment <= self._clock.now()

    async def _reached(self, names: Sequence[str]) -> Sequence[str]:
        """Give all these questions their default; those that could not be stored are named."""
        self._settle()
        done = await asyncio.gather(*(self._expired(name) for name in names))
        return [name for name, ended in zip(names, done, strict=True) if not ended]

    async def _expired(self, name: str) -> bool:
        try:
            await self._do(self._expire_if_open(name))
        except AlreadyAnswered:
            return True
        except AntiphonError as error:
            _log.warning("a deadline could not be kept", question=name, error=str(error))
            return False
        except Exception:  # one question must not end the timer of all
            _log.exception("a deadline could not be kept", question=name)
            return False
        return True

    async def _expire_if_open(self, name: str) -> None:
        await self._quiet(name)
        row = self._table.rows.get(name)
        if row is not None and row["status"] == "open":
            await self._expire(row)

    async def _expire(self, row: Row) -> None:
        """The time is up: the default counts; without one it is withdrawn."""
        now = self._clock.now()
        if row["has_default"]:
            row = answered_row(row, default_reply(row), now, by=None, is_default=True)
        else:
            row = withdrawn_row(row, DEADLINE_PASSED, now)
        await self._end(row, None)

    # The runs

    def _withdraw_with(self, run_id: str) -> Events:
        """What is stored with the outcome of a run; asked again where that failed."""
        now = self._clock.now()
        changes = [(row, withdrawn_row(row, RUN_ENDED, now)) for row in self._table.open_in(run_id)]
        if not changes:
            return []
        self._ending[run_id] = [row for _, row in changes]
        asyncio.get_running_loop().call_soon(self._settle_once_stored)
        return [*(event_of(row, None) for _, row in changes), patch_of(changes)]

    def _settle_once_stored(self) -> None:
        """Look again behind what the run is handing to the hub in this step."""
        with suppress(AntiphonError):  # the hub is closing, and so is all of this
            self._hub.post_many([], lambda _: self._settle())

    def _settle(self) -> None:
        """Take in what was stored with the outcomes of runs."""
        for run_id in [run_id for run_id in self._ending if self._has_ended(run_id)]:
            for row in self._ending.pop(run_id):
                self._put(row)

    def _has_ended(self, run_id: str) -> bool:
        run = self._runs.rows.get(run_id)
        return run is None or run["status"] in ENDED

    # Coming and going

    async def load(self) -> None:
        """Find the questions of an earlier server again; entering does it. Raises StorageError."""
        value = (await self._hub.state(QUESTIONS)).value
        self._table.load({name: dict(row) for name, row in value.items()})

    async def __aenter__(self) -> Self:
        """Begin to keep deadlines; those that passed meanwhile are kept now. The runs must have been entered."""
        await self.load()
        await self._withdraw_orphans()
        self._is_open = True
        for row in self._table.open():
            self._watch(row)
        self._timer = asyncio.create_task(self._deadlines.run(), name="deadlines of questions")
        return self

    async def _withdraw_orphans(self) -> None:
        """Whose runs have ended without them; their runs can say nothing about it any more."""
        self._settle()
        orphans = [row for row in self._table.open() if self._has_ended(row["run_id"])]
        if not orphans:
            return
        now = self._clock.now()
        changes = [(row, withdrawn_row(row, RUN_ENDED, now)) for row in orphans]
        await self._hub.publish(patch_of(changes))
        for _, row in changes:
            self._put(row)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish what is being stored; deadlines are kept again by the next server."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.wait([self._timer])
        if self._tasks:
            await asyncio.wait(self._tasks)
        for waiting in self._waiting.values():
            for ended in waiting:
                if not ended.done():
                    ended.set_exception(Busy("the server is stopping"))
        self._waiting.clear()

    def _check_open(self) -> None:
        if not self._is_open:
            raise Busy("the server is starting or stopping")

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it to the end, even if whoever wanted it goes away."""
        if not self._is_open:
            work.close()
            self._check_open()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)
