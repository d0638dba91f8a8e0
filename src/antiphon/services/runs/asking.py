"""Events of other services in a run's channel, and what open questions do to its row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from antiphon.errors import AntiphonError, RunCancelled
from antiphon.messages import Cursor, NewEvent
from antiphon.services.runs.ledger import Change, Ledger
from antiphon.services.runs.record import Record
from antiphon.services.runs.states import Phase

Then = Callable[[AntiphonError | None], None]


async def transact(
    ledger: Ledger,
    record: Record,
    events: Sequence[NewEvent],
    asked: int = 0,
    then: Then | None = None,
    *,
    checkpoint: tuple[str, str] | None = None,
) -> list[Cursor]:
    """Store events and the number of open questions together; submitted before the first wait.

    Raises:
        RunCancelled: Something was to be asked of a run that is being cancelled.
    """
    if asked > 0 and record.phase is Phase.CANCELLING:
        raise RunCancelled(f"run {record.run_id} is being cancelled")
    before = record.status
    record.open_questions += asked
    answer: asyncio.Future[list[Cursor]] = asyncio.get_running_loop().create_future()

    def told(found: list[Cursor] | AntiphonError) -> None:
        refused = found if isinstance(found, AntiphonError) else None
        if refused is not None:
            _take_back(ledger, record, asked)
        if then is not None:
            then(refused)
        _give(answer, found if isinstance(found, AntiphonError) else found[: len(events)])
        asyncio.get_running_loop().call_soon(ledger.settle, record)  # whoever waits for the answer goes on before

    ledger.begin(record)
    fields = _fields(record) if asked else {}
    change = Change([*events, *_status(record, before)], fields=fields, checkpoint=checkpoint)
    try:
        ledger.store(change, told)
    except AntiphonError as error:  # the hub is closing
        told(error)
    return await answer


def _take_back(ledger: Ledger, record: Record, asked: int) -> None:
    record.open_questions -= asked
    if asked and record.is_speaking:  # one that was stored meanwhile may have counted it
        ledger.lag(record, status=record.status, questions=record.open_questions)


def _status(record: Record, before: str) -> list[NewEvent]:
    """The event where the questions make a run wait, or go on."""
    if record.status == before:
        return []
    data = {"status": record.status, "reason": None, "by": None}
    return [NewEvent(record.channel, "run.status", orjson.dumps(data))]


def _fields(record: Record) -> dict[str, dict[str, Any]]:
    return {record.run_id: {"status": record.status, "questions": record.open_questions}}


def _give(answer: asyncio.Future[list[Cursor]], found: list[Cursor] | AntiphonError) -> None:
    if answer.done():  # whoever asked may have gone
        return
    if isinstance(found, AntiphonError):
        answer.set_exception(found)
    else:
        answer.set_result(found)
