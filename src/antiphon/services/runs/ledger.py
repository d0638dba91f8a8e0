"""Where runs are written down: each change of a run is one transaction over its channel and the tables.

What is decided changes a record at once, in the step in which its events are handed to the hub; a row changes when
they are stored. The hub stores in the order in which it is given, so no lock is needed between the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson
import structlog

from antiphon.errors import AntiphonError, NotFound
from antiphon.hub import Answer, Hub
from antiphon.messages import Cursor, NewEvent
from antiphon.services.runs.record import Record
from antiphon.services.runs.states import Phase
from antiphon.services.runs.values import RUNS
from antiphon.services.table import Row, pointer

SECRETS: Final = "antiphon:runs"
CATCH_UP_S: Final = 0.1  # so long what changes often may lag behind in the table
RETRY_S: Final = 1.0
_log = structlog.get_logger(__name__)

Then = Callable[[list[Cursor] | AntiphonError], None]


@dataclass(frozen=True, slots=True)
class Change:
    """What is stored together."""

    events: Sequence[NewEvent] = ()
    added: Row | None = None
    secret: Mapping[str, Any] | None = None  # of the added one
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of rows, by run
    removed: Sequence[str] = ()
    checkpoint: tuple[str, str] | None = None  # of whoever imports the events: a name and how far it is

    def tables(self) -> list[NewEvent]:
        """The changes of the two tables."""
        rows = [{"op": "remove", "path": pointer(run_id)} for run_id in self.removed]
        secrets: list[dict[str, Any]] = [dict(op) for op in rows]
        ops: list[dict[str, Any]] = [*rows]
        if self.added is not None:
            path = pointer(self.added["run_id"])
            ops.append({"op": "add", "path": path, "value": self.added})
            secrets.append({"op": "add", "path": path, "value": self.secret or {}})
        for run_id, values in self.fields.items():
            ops += [{"op": "add", "path": pointer(run_id, key), "value": value} for key, value in values.items()]
        return [patch(name, found) for name, found in ((RUNS, ops), (SECRETS, secrets)) if found]


class Ledger:
    """All runs, in the order in which they began."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.records: dict[str, Record] = {}
        self.rows: dict[str, Row] = {}  # a row is replaced, never changed: it may be handed out
        self.on_settled: Callable[[Record], None] = lambda _: None  # called when nothing of it is in flight
        self._lagging: dict[str, dict[str, Any]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def close(self) -> None:
        """Write what lags behind, for the last time."""
        self._closed = True
        self.catch_up()

    def known(self, run_id: str) -> Record:
        """Raises NotFound."""
        record = self.records.get(run_id)
        if record is None or not record.is_stored:
            raise NotFound(f"there is no run {run_id[:80]!r}", pointer="/params/run_id")
        return record

    def status(self, record: Record) -> str:
        """The word of its row, also when that was just forgotten."""
        row = self.rows.get(record.run_id)
        if row is not None:
            return str(row["status"])
        return record.status if record.outcome is None else record.outcome.status

    def speaking(self) -> list[Record]:
        """All that have no outcome yet."""
        return [record for record in self.records.values() if record.phase is not Phase.ENDED]

    def below(self, record: Record) -> list[Record]:
        """A run and all under way below it, parents first."""
        found, children = [record], self._children()
        for parent in found:
            found += children.get(parent.run_id, ())
        return found

    def _children(self) -> dict[str, list[Record]]:
        children: dict[str, list[Record]] = {}
        for record in self.speaking():
            if record.parent_run_id is not None:
                children.setdefault(record.parent_run_id, []).append(record)
        return children

    # storing

    def store(self, change: Change, then: Then) -> None:
        """Hand a change to the hub in this step; `then` is called once, when it is stored or refused.

        Raises:
            Busy: The hub is closing.
        """

        def told(answer: Answer | AntiphonError) -> None:
            if isinstance(answer, AntiphonError):
                then(answer)
                return
            self._apply(change)
            then(cast("list[Cursor]", answer)[: len(change.events)])

        self.hub.post_many([*change.events, *change.tables()], told, checkpoint=change.checkpoint)

    def _apply(self, change: Change) -> None:
        if change.added is not None:
            self.rows[change.added["run_id"]] = change.added
        for run_id, values in change.fields.items():
            if run_id in self.rows:
                self.rows[run_id] = {**self.rows[run_id], **values}
        for run_id in change.removed:
            self.rows.pop(run_id, None)
            self.records.pop(run_id, None)
            self._lagging.pop(run_id, None)

    def begin(self, record: Record) -> None:
        """Something of it is on its way to the store."""
        record.in_flight += 1

    def settle(self, record: Record) -> None:
        """It has arrived, or was refused."""
        record.in_flight -= 1
        if record.in_flight == 0:
            self.on_settled(record)

    # what changes often

    def lag(self, record: Record, **values: Any) -> None:
        """Set fields of a row soon, together with those of other runs."""
        self._lagging.setdefault(record.run_id, {}).update(values)
        self._wake(CATCH_UP_S)

    def lagging(self, run_id: str) -> dict[str, Any]:
        """Take what was not written yet, to write it with something else."""
        return self._lagging.pop(run_id, {})

    def peek(self, run_id: str, key: str) -> Any:
        """The newest value of a field, written or not."""
        return self._lagging.get(run_id, {}).get(key, self.rows[run_id][key])

    def catch_up(self) -> None:
        """Write all of it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lagging, self._lagging = self._lagging, {}
        if not lagging:
            return

        def told(answer: list[Cursor] | AntiphonError) -> None:
            if isinstance(answer, AntiphonError):
                _log.warning("table of runs not published", error=str(answer))
                self._lag_again(lagging)

        try:
            self.store(Change(fields=lagging), told)
        except AntiphonError as error:  # the hub is closing
            told(error)

    def _lag_again(self, lagging: Mapping[str, Mapping[str, Any]]) -> None:
        for run_id, values in lagging.items():
            record = self.records.get(run_id)
            if record is not None and record.is_speaking:
                self._lagging[run_id] = {**values, **self._lagging.get(run_id, {})}
        if self._lagging:
            self._wake(RETRY_S)

    def _wake(self, delay_s: float) -> None:
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.catch_up)


def patch(channel: str, ops: list[dict[str, Any]]) -> NewEvent:
    """A change of a channel's state."""
    return NewEvent(channel, "state.patch", orjson.dumps({"ops": ops}))
