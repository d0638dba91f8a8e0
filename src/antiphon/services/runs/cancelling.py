"""Cancelling a run and all below it: at once for what waits, by telling it for what works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import orjson
import structlog

from antiphon.errors import AntiphonError, RunCancelled
from antiphon.messages import Cursor, NewEvent
from antiphon.services.runs.clock import Clock
from antiphon.services.runs.config import RunsConfig
from antiphon.services.runs.ending import Endings
from antiphon.services.runs.ledger import RETRY_S, Change, Ledger
from antiphon.services.runs.outcome import Outcome
from antiphon.services.runs.record import Cancelled, Record
from antiphon.services.runs.states import Phase, Step, advance
from antiphon.services.runs.values import CancelReceipt
from antiphon.services.table import Row

RECEIPT_S: Final = 1.0  # so long the receipt waits for what can end at once
_log = structlog.get_logger(__name__)


class Cancels:
    """Tells runs that they are cancelled.

    Args:
        changed: Told of a record whose moments have changed.
    """

    def __init__(
        self, ledger: Ledger, endings: Endings, config: RunsConfig, clock: Clock, changed: Callable[[Record], None]
    ) -> None:
        self._ledger = ledger
        self._endings = endings
        self._config = config
        self._clock = clock
        self._changed = changed

    async def cancel(self, record: Record, why: Cancelled) -> CancelReceipt:
        """Cancel the tree. Raises StorageError, Busy: it is cancelled, but that could not be written down yet."""
        tree = [] if record.phase is Phase.ENDED else self._ledger.below(record)
        told = self.begin(tree, why)
        if told:
            await asyncio.wait(told)  # others may wait for the same: they must not be cancelled with this
        for future in told:
            future.result()
        await self._drain([found for found in tree if found.kind == "local" or found.phase is Phase.ENDING])
        return CancelReceipt(
            record.run_id,
            self._ledger.status(record),
            [found.run_id for found in tree if found.phase is Phase.ENDED],
            [found.run_id for found in tree if found.phase is not Phase.ENDED],
        )

    def begin(self, tree: Sequence[Record], why: Cancelled) -> list[asyncio.Future[None]]:
        """Cancel each in this step; the futures are done when their channels say so."""
        return [told for record in tree if (told := self._cancel(record, why)) is not None]

    def tell(self, record: Record) -> asyncio.Future[None]:
        """Say in its channel that it is being cancelled."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_look)
        record.is_told, record.telling, record.retry_at = True, answer, None

        def told(found: list[Cursor] | AntiphonError) -> None:
            if not isinstance(found, AntiphonError):
                _give(answer, None)
                return
            record.is_told = False
            if record.phase is Phase.CANCELLING and record.run_id in self._ledger.records:
                _log.warning("cancel not published yet", run_id=record.run_id, error=str(found))
                record.retry_at = self._clock.monotonic() + RETRY_S
                self._changed(record)
                _give(answer, found)
            else:  # it has ended, or never began
                _give(answer, None)

        try:
            self._ledger.store(_cancelling(record), told)
        except AntiphonError as error:  # the hub is closing
            told(error)
        return answer

    def _cancel(self, record: Record, why: Cancelled) -> asyncio.Future[None] | None:
        match record.phase:
            case Phase.QUEUED:
                record.cancelled = why
                self._endings.end(record, Outcome("cancelled"))
                return None
            case Phase.RUNNING:
                return self._interrupt(record, why)
            case Phase.CANCELLING if not record.is_told:
                return self.tell(record)
            case Phase.CANCELLING:
                return record.telling
            case _:
                return None

    def _interrupt(self, record: Record, why: Cancelled) -> asyncio.Future[None]:
        record.phase = advance(record.phase, Step.CANCEL)
        record.cancelled = why
        record.leaves_at = None
        record.cut_off_at = self._clock.monotonic() + self._config.cancel_grace_s
        self._ledger.hub.drop(record.channel, RunCancelled(f"run {record.run_id} is being cancelled"))
        told = self.tell(record)
        self._changed(record)
        if record.on_cancel is not None:
            record.on_cancel(why.reason)
        return told

    async def _drain(self, records: Sequence[Record]) -> None:
        waiting: list[asyncio.Future[Row]] = [self._endings.ended(record) for record in records]
        if waiting:
            await asyncio.wait(waiting, timeout=RECEIPT_S)


def _cancelling(record: Record) -> Change:
    assert record.cancelled is not None
    reason, by = record.cancelled
    data = orjson.dumps({"status": "cancelling", "reason": reason, "by": by})
    event = NewEvent(record.channel, "run.status", data, by)
    return Change([event], fields={record.run_id: {"status": "cancelling", "reason": reason}})


def _give(answer: asyncio.Future[None], error: AntiphonError | None) -> None:
    if answer.done():  # whoever asked may have gone
        return
    if error is None:
        answer.set_result(None)
    else:
        answer.set_exception(error)


def _look(answer: asyncio.Future[None]) -> None:
    """An error that nobody waits for is no news: it was logged, and is tried again."""
    if not answer.cancelled():
        answer.exception()
