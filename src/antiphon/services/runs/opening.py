"""Beginning a run: its first event, its row, its place in a thread and below a parent, all stored together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import orjson

from antiphon.errors import AntiphonError, Busy, ConflictError, NotFound
from antiphon.messages import Cursor, NewEvent, encode_time
from antiphon.services.runs.clock import Clock
from antiphon.services.runs.config import RunsConfig
from antiphon.services.runs.emitting import outcome_of
from antiphon.services.runs.ids import new_run_id
from antiphon.services.runs.ledger import Change, Ledger
from antiphon.services.runs.record import Record, new_row, refusal
from antiphon.services.runs.says import check, encode
from antiphon.services.runs.states import Phase
from antiphon.services.runs.values import NewRun, Owner, Said, run_channel, thread_channel

Opening = Callable[[str, NewRun, str | None], Sequence[NewEvent]]
"""Given the id of a run that is about to begin, what it is, and who wants it: what must be stored together with it."""


class Openings:
    """Adds runs to the ledger.

    Args:
        hooks: Asked for what belongs to a beginning.
    """

    def __init__(self, ledger: Ledger, config: RunsConfig, clock: Clock, hooks: Sequence[Opening]) -> None:
        self._ledger = ledger
        self._config = config
        self._clock = clock
        self._hooks = hooks

    def existing(self, wanted: NewRun, *, kind: str) -> Record | None:
        """The run that an earlier call of the same kind began; None = there is none.

        Raises:
            ConflictError: The id belongs to another.
        """
        record = None if wanted.run_id is None else self._ledger.records.get(wanted.run_id)
        if record is None:
            return None
        if record.name != wanted.name or record.kind != kind:
            raise ConflictError(f"there is another run {record.run_id!r} already", pointer="/params/run_id")
        return record

    def begin(self, wanted: NewRun, record: Record, *, owner: Owner, by: str | None, said: Sequence[Said] = ()) -> None:
        """Store the beginning; `record.opening` has the row once it is stored, or the error.

        Args:
            said: What the starter has to say in it, before the run says anything.
        Raises:
            Busy, NotFound, RunEnded, RunCancelled, LeaseLost, InvalidParams: Nothing was begun.
        """
        self._check_room()
        parent = self._parent(wanted)
        events = _first_events(record.run_id, wanted, by)
        if said:
            events += [NewEvent(record.channel, found.type, found.payload, by) for found in check(said)]
        if parent is not None:
            events.append(child_event(parent.run_id, record, str(record.phase)))
        for hook in self._hooks:
            events += hook(record.run_id, wanted, by)
        now = encode_time(int(self._clock.now() * 1000))
        row = new_row(record.run_id, wanted, owner=owner, by=by, status=str(record.phase), now=now)
        record.opening = asyncio.get_running_loop().create_future()
        self._ledger.records[record.run_id] = record

        def told(answer: list[Cursor] | AntiphonError) -> None:
            self._told(record, answer)

        try:
            self._ledger.store(Change(events, added=row, secret=record.secret()), told)
        except AntiphonError as error:
            told(error)

    def new_id(self, wanted: NewRun) -> str:
        return wanted.run_id or new_run_id(self._clock.now())

    def _told(self, record: Record, answer: list[Cursor] | AntiphonError) -> None:
        assert record.opening is not None
        if isinstance(answer, AntiphonError):
            self._ledger.records.pop(record.run_id, None)
            record.opening.set_exception(answer)
            record.opening.exception()  # whoever asked may have gone
        else:
            record.is_stored = True
            record.opening.set_result(self._ledger.rows[record.run_id])

    def _check_room(self) -> None:
        limit = self._config.max_active
        if sum(1 for record in self._ledger.records.values() if record.phase is not Phase.ENDED) >= limit:
            raise Busy(f"{limit} runs are under way already (runs.max_active)")

    def _parent(self, wanted: NewRun) -> Record | None:
        if wanted.parent_run_id is None:
            return None
        parent = self._ledger.records.get(wanted.parent_run_id)
        if parent is None or not parent.is_stored:
            raise NotFound(f"there is no run {wanted.parent_run_id!r}", pointer="/params/parent_run_id")
        if parent.phase is Phase.CANCELLING:
            raise refusal(parent.run_id, "cancelled")
        if not parent.is_speaking:
            raise refusal(parent.run_id, outcome_of(parent, self._ledger))
        return parent


def child_event(parent: str, child: Record, status: str) -> NewEvent:
    """What a parent's channel says about a child."""
    data = {"run_id": child.run_id, "name": child.name, "status": status}
    return NewEvent(run_channel(parent), "run.child", orjson.dumps(data))


def _first_events(run_id: str, wanted: NewRun, by: str | None) -> list[NewEvent]:
    data = {
        "run_id": run_id,
        "name": wanted.name,
        "title": wanted.title,
        "thread_id": wanted.thread_id,
        "parent_run_id": wanted.parent_run_id,
        "input": wanted.input,
        "labels": wanted.labels,
        "by": by,
    }
    events = [NewEvent(run_channel(run_id), "run.started", encode(data, "/params/input"), by)]
    if wanted.thread_id is not None:
        said = orjson.dumps({"run_id": run_id, "name": wanted.name})
        events.append(NewEvent(thread_channel(wanted.thread_id), "thread.run", said, by))
    return events
