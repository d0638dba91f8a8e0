"""Taking in a run that was exported elsewhere, or here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from antiphon.errors import AntiphonError
from antiphon.messages import Cursor, encode_time
from antiphon.services.runs.clock import Clock
from antiphon.services.runs.ids import new_run_id
from antiphon.services.runs.ledger import Change, Ledger
from antiphon.services.runs.record import Record
from antiphon.services.runs.states import Phase
from antiphon.services.runs.transfer import PAGE, Imported, decode


class Imports:
    """Its row appears with the last of its events; before, it is nobody's run."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def take(self, lines: Iterable[bytes], by: str | None) -> Record:
        """Raises InvalidParams, InvalidMessage, InvalidPatch, StorageError: there is no such run then."""
        run_id = new_run_id(self._clock.now())
        imported = decode(lines, run_id)
        imported.row["owner"]["client"] = by  # who has brought it
        record = Record(run_id, imported.row["name"], "imported", None, Phase.ENDED)
        record.ended_at = encode_time(int(self._clock.now() * 1000))
        record.over.set()
        await self._store(record, imported)
        return record

    async def _store(self, record: Record, imported: Imported) -> None:
        hub, events = self._ledger.hub, imported.events
        last = (len(events) - 1) // PAGE * PAGE
        try:
            for start in range(0, last, PAGE):
                await hub.publish_many(events[start : start + PAGE])
            await hub.room()
            await self._finish(record, Change(events[last:], added=imported.row, secret=record.secret()))
        except BaseException:
            await asyncio.shield(hub.clear(record.channel))
            raise

    async def _finish(self, record: Record, change: Change) -> None:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def told(found: list[Cursor] | AntiphonError) -> None:
            if not isinstance(found, AntiphonError):
                record.is_stored = True
                self._ledger.records[record.run_id] = record
            if answer.done():
                return
            if isinstance(found, AntiphonError):
                answer.set_exception(found)
            else:
                answer.set_result(None)

        self._ledger.store(change, told)
        await asyncio.shield(answer)
