"""What a run says: checked, then handed to the hub in order, and followed once it is stored."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

from antiphon.errors import AntiphonError, Busy, LeaseLost, RunCancelled
from antiphon.hub import Answer
from antiphon.hub.turn import Done
from antiphon.messages import Cursor, NewEvent
from antiphon.services.runs.clock import Clock
from antiphon.services.runs.ledger import Ledger
from antiphon.services.runs.record import Record, refusal
from antiphon.services.runs.says import GROWING, Checked, check
from antiphon.services.runs.states import Phase
from antiphon.services.runs.values import Said

_FOLLOWED = frozenset({"message.open", "message.close", "tool.start", "tool.end"})


class _Emission:
    """Answers once, when all events of one call are stored or refused: with the last cursor, or the first error."""

    __slots__ = ("_cursor", "_done", "_error", "_left")

    def __init__(self, count: int, done: Done) -> None:
        self._left = count
        self._done = done
        self._cursor: Cursor | None = None
        self._error: tuple[int, AntiphonError] | None = None

    def told(self, index: int, answer: Cursor | AntiphonError) -> None:
        if not isinstance(answer, AntiphonError):
            self._cursor = answer if self._cursor is None else max(self._cursor, answer, key=lambda at: at.offset)
        elif self._error is None or index < self._error[0]:
            self._error = index, answer
        self._left -= 1
        if self._left == 0:
            self._answer()

    def _answer(self) -> None:
        if self._error is not None:
            index, error = self._error
            self._done(_at(error, f"/params/events/{index}"))
        elif self._cursor is not None:
            self._done([self._cursor])


class Voice:
    """Takes what owners and participants say."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def emit(self, record: Record, events: Sequence[Said], by: str | None, done: Done) -> None:
        """Raises RunEnded, LeaseLost, RunCancelled, InvalidParams, Busy: nothing was said."""
        self.check_speaking(record)
        checked = check(events)
        _check_allowed(record, checked)
        emission = _Emission(len(checked), done)
        for index, event in enumerate(checked):
            self._post(record, event, by, partial(emission.told, index))

    def check_speaking(self, record: Record) -> None:
        """Raise RunEnded, RunCancelled or LeaseLost where there is an outcome."""
        if not record.is_speaking:
            raise refusal(record.run_id, outcome_of(record, self._ledger))

    def _post(self, record: Record, event: Checked, by: str | None, told: Any) -> None:
        def stored(answer: Answer | AntiphonError) -> None:
            found = answer if isinstance(answer, AntiphonError) else answer[0]
            if not isinstance(found, AntiphonError):
                self._follow(record, event, found.offset)
            try:
                told(found)
            finally:
                self._ledger.settle(record)

        self._ledger.begin(record)
        try:
            new = NewEvent(record.channel, event.type, event.payload, by, event.idempotency_key)
            self._ledger.hub.post(new, stored)
        except AntiphonError as error:  # the hub is closing
            stored(error)

    def _follow(self, record: Record, event: Checked, offset: int) -> None:
        if event.type in _FOLLOWED:
            record.parts.take(event.type, event.data, offset, int(self._clock.now() * 1000))
            if self._ledger.peek(record.run_id, "tool") != record.parts.tool:
                self._ledger.lag(record, tool=record.parts.tool)
        elif event.type == "run.progress":
            data = event.data
            self._ledger.lag(record, progress=data.get("progress"), progress_message=data.get("message"))
        elif event.type == "run.usage":
            known = {key: value for key, value in event.data.items() if value is not None}
            self._ledger.lag(record, usage={**self._ledger.peek(record.run_id, "usage"), **known})


def outcome_of(record: Record, ledger: Ledger) -> str:
    """How a run ends or has ended, stored or not."""
    return ledger.status(record) if record.outcome is None else record.outcome.status


def check_owner(record: Record, lease: str) -> None:
    """Raise LeaseLost unless this is the run's lease."""
    if not record.owns(lease):
        raise LeaseLost(f"run {record.run_id} belongs to another lease", pointer="/params/lease")


def _check_allowed(record: Record, events: Sequence[Checked]) -> None:
    for index, event in enumerate(events):
        if record.phase is Phase.CANCELLING and event.type in GROWING:
            raise RunCancelled(f"run {record.run_id} is being cancelled", pointer=f"/params/events/{index}")
        if event.type == "tool.start" and not record.parts.has_room:
            raise Busy("too many tools are at work in this run", pointer=f"/params/events/{index}")


def _at(error: AntiphonError, where: str) -> AntiphonError:
    """The same error, with a pointer into the call."""
    error = copy.copy(error)
    error.pointer = where + (error.pointer or "")
    return error
