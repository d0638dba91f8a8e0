"""Ending a run: the outcome is decided once and at once, and stored as the last that its channel says.

From the decision on nothing more is taken. What was taken before is waited for, so that exactly what is still open is
closed, and the withdrawn questions, the row and the outcome are stored together. Where the store refuses, the decision
stands and is stored later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from antiphon.errors import AntiphonError, RunCancelled
from antiphon.messages import Cursor, NewEvent, encode_time
from antiphon.services.runs.clock import Clock
from antiphon.services.runs.ledger import RETRY_S, Change, Ledger
from antiphon.services.runs.opening import child_event
from antiphon.services.runs.outcome import Outcome
from antiphon.services.runs.record import Record
from antiphon.services.runs.states import Phase, Step, advance
from antiphon.services.table import Row

_log = structlog.get_logger(__name__)

Ending = Callable[[str], Sequence[NewEvent]]
"""Given the id of a run that is about to end: what must be stored together with its outcome."""


class Endings:
    """Gives runs their outcomes.

    Args:
        hooks: Asked for what belongs to an outcome.
        changed: Told of a record whose moments have changed.
        ended: Told of a record whose outcome is stored.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        hooks: Sequence[Ending],
        *,
        changed: Callable[[Record], None],
        ended: Callable[[Record], None],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._hooks = hooks
        self._changed = changed
        self._ended = ended
        ledger.on_settled = self.go_on

    def end(self, record: Record, outcome: Outcome) -> asyncio.Future[Row]:
        """Decide the outcome, unless it is decided; the future has the row as it ended, or why it is not stored yet."""
        answer = self.ended(record)
        if record.is_speaking:
            self._decide(record, outcome)
        self.go_on(record)
        return answer

    def ended(self, record: Record) -> asyncio.Future[Row]:
        """The row as it ended, whoever ends it; or why an outcome that was decided is not stored yet."""
        answer: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_look)
        if record.phase is Phase.ENDED:
            answer.set_result(self._ledger.rows[record.run_id])
        else:
            record.waiting.append(answer)
        return answer

    def _decide(self, record: Record, outcome: Outcome) -> None:
        record.phase = advance(record.phase, Step.END)
        record.expires_at = record.cut_off_at = record.leaves_at = record.retry_at = None
        if record.cancelled is None:
            record.outcome = outcome
            self._ledger.hub.flush(record.channel)  # its own last words
        else:  # whatever it says, it was cancelled
            record.outcome = Outcome("cancelled", reason=record.cancelled.reason, by=record.cancelled.by)
            self._ledger.hub.drop(record.channel, RunCancelled(f"run {record.run_id} was cancelled"))

    def go_on(self, record: Record) -> None:
        """Store what was decided, once nothing of the run is in flight."""
        if record.phase is not Phase.ENDING or record.is_storing or record.in_flight or record.outcome is None:
            return
        record.is_storing, record.retry_at = True, None
        lagging = self._ledger.lagging(record.run_id)
        try:
            change = self._change(record, record.outcome, lagging)
            self._ledger.store(change, lambda answer: self._told(record, lagging, answer))
        except AntiphonError as error:  # the hub is closing
            self._told(record, lagging, error)
        except Exception:  # of a hook: the run must end all the same
            _log.exception("outcome not stored", run_id=record.run_id)
            self._later(record)

    def _change(self, record: Record, outcome: Outcome, lagging: dict[str, object]) -> Change:
        now_ms = int(self._clock.now() * 1000)
        events = record.parts.closing(record.channel, outcome.status, now_ms)
        for hook in self._hooks:
            events += hook(record.run_id)
        events.append(outcome.event(record.run_id))
        parent = self._ledger.records.get(record.parent_run_id or "")
        if parent is not None and parent.is_speaking:
            events.append(child_event(parent.run_id, record, outcome.status))
        fields = {
            "status": outcome.status,
            "reason": outcome.reason,
            "error": outcome.error,
            "ended_at": encode_time(now_ms),
            "questions": 0,
            "tool": None,
        }
        return Change(events, fields={record.run_id: lagging | fields})

    def _told(self, record: Record, lagging: dict[str, object], answer: list[Cursor] | AntiphonError) -> None:
        record.is_storing = False
        if isinstance(answer, AntiphonError):
            _log.warning("outcome not stored yet", run_id=record.run_id, error=str(answer))
            self._ledger.lag(record, **{**lagging, **self._ledger.lagging(record.run_id)})
            self._later(record)
            _answer(record, answer)
            return
        record.phase = advance(record.phase, Step.STORED)
        record.open_questions = 0
        record.ended_at = self._ledger.rows[record.run_id]["ended_at"]
        record.over.set()
        _answer(record, self._ledger.rows[record.run_id])
        self._ended(record)

    def _later(self, record: Record) -> None:
        record.is_storing = False
        record.retry_at = self._clock.monotonic() + RETRY_S
        self._changed(record)


def _answer(record: Record, answer: Row | AntiphonError) -> None:
    waiting, record.waiting = record.waiting, []
    for future in waiting:
        if future.done():
            continue
        if isinstance(answer, AntiphonError):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _look(answer: asyncio.Future[Row]) -> None:
    """An error that nobody waits for is no news: it was logged, and is tried again."""
    if not answer.cancelled():
        answer.exception()
