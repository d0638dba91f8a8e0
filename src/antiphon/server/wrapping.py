"""Programs that are runs (`antiphon run`): between the service that has their lines and the one that keeps runs.

The server owns such a run on behalf of the program, by the lease in its ticket: see docs/decisions/0009. What is said
carries keys made of the line's number, and how far lines are taken in is stored only after them; so whatever dies in
between, each line is said once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import orjson
import structlog
from pydantic import ValidationError

from antiphon.errors import AntiphonError, ConflictError, InputError, KeyConflict, LimitError, NotFound, RunCancelled
from antiphon.hub import Hub
from antiphon.hub.turn import Answer
from antiphon.messages import NewEvent
from antiphon.services.processes.shimlink import ExitRecord
from antiphon.services.processes.spool import Line
from antiphon.services.processes.wrapped import CLIENT, LEASE_S, Ticket
from antiphon.services.runs import NewRun, Owner, Runs, run_channel
from antiphon.services.runs.spoken import event_of, line_of
from antiphon.services.table import Row

RENEW_S = LEASE_S / 4
AT_ONCE = 500  # events of one `emit`
LOCAL = "local"  # who started a run of which nobody could be asked
_log = structlog.get_logger(__name__)


class Wrapping:
    """Gives programs their voices; use as an async context manager around the processes.

    Args:
        hub: For the lines themselves.
        runs: Entered.
    """

    def __init__(self, hub: Hub, runs: Runs) -> None:
        self._hub = hub
        self._runs = runs
        self._voices: set[ProgramVoice] = set()
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._renew(), name="leases of wrapped programs")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])

    def voice(self, ticket: Ticket, key: str) -> ProgramVoice:
        """See `Voices`."""
        return ProgramVoice(self._hub, self._runs, ticket, key, self._voices)

    async def _renew(self) -> None:
        while True:
            await self._runs.clock.sleep(RENEW_S)
            for voice in list(self._voices):
                voice.renew()


class ProgramVoice:
    """The run of one program; see `Voice`.

    Args:
        key: Names the program's start among all.
        speaking: The voices of runs under way; this one adds and removes itself.
    """

    def __init__(self, hub: Hub, runs: Runs, ticket: Ticket, key: str, speaking: set[ProgramVoice]) -> None:
        self._hub = hub
        self._runs = runs
        self._ticket = ticket
        self._key = key
        self._speaking = speaking
        self._channel = run_channel(ticket.run_id)
        self._begun = False
        self._by: str | None = LOCAL
        self._is_cancelled = asyncio.Event()

    # What the processes ask

    async def begin(self, pid: int | None) -> None:
        """Open the run, or find it again."""
        if self._begun:
            return
        ticket, owner = self._ticket, Owner("remote", CLIENT, pid)
        try:
            wanted = NewRun.model_validate(ticket.model_dump(exclude={"lease"}))
            opened = await self._runs.open(wanted, by=LOCAL, lease=ticket.lease, lease_s=LEASE_S, owner=owner)
        except (ConflictError, LimitError, NotFound, InputError, ValidationError) as error:
            _log.warning("a program goes on without its run", run_id=ticket.run_id, reason=str(error))
        else:
            self._take(opened.run)
        self._begun = True

    def _take(self, row: Row) -> None:
        self._by = row["by"]
        if row["ended_at"] is None:
            self._speaking.add(self)
            self._runs.hear(self._ticket.run_id, self._on_cancel, self._give_up)
        elif row["status"] == "cancelled":
            self._is_cancelled.set()

    async def publish(
        self, lines: Sequence[Line], first: int, events: Sequence[NewEvent], checkpoint: tuple[str, str]
    ) -> None:
        """Say the lines, then publish the events."""
        if self._is_speaking and lines:
            said = [_Spoken(line, f"{self._key}:{number}") for number, line in enumerate(lines, first)]
            if any(spoken.event is not None for spoken in said):
                await self._say(said)
            elif await self._publish_together(lines, events, checkpoint):
                return
        await self._hub.publish_many(events, checkpoint=checkpoint)

    async def cancelled(self) -> None:
        """Wait until somebody has cancelled the run."""
        await self._is_cancelled.wait()

    async def end(self, record: ExitRecord | None) -> None:
        """Tell the outcome."""
        if not self._is_speaking:
            return
        try:
            await self._runs.finish(self._ticket.run_id, lease=self._ticket.lease, **_outcome(record))
        except (ConflictError, NotFound) as error:
            _log.info("a run had ended before its program", run_id=self._ticket.run_id, reason=error.message)
        self._speaking.discard(self)

    # What the runs tell

    def renew(self) -> None:
        """Give a sign of life."""
        try:
            self._runs.renew(self._ticket.run_id, self._ticket.lease)
        except AntiphonError as error:
            self._give_up(error)

    def _on_cancel(self, _: str | None) -> None:
        self._is_cancelled.set()

    def _give_up(self, error: AntiphonError) -> None:
        """The run has ended without us; a program whose run was cancelled ends too."""
        if self._is_speaking:
            _log.warning("a run ended before its program", run_id=self._ticket.run_id, reason=error.message)
        self._speaking.discard(self)
        if isinstance(error, RunCancelled):
            self._is_cancelled.set()

    @property
    def _is_speaking(self) -> bool:
        return self in self._speaking

    # Saying

    async def _publish_together(
        self, lines: Sequence[Line], events: Sequence[NewEvent], checkpoint: tuple[str, str]
    ) -> bool:
        """Lines that are nothing but lines, here and there in one transaction; false if the run takes none."""
        logs = [_log_event(self._channel, line, self._by) for line in lines]
        try:
            await self._runs.transact(self._ticket.run_id, logs, tables=events, checkpoint=checkpoint)
        except (ConflictError, NotFound) as error:
            self._give_up(error)
            return False
        return True

    async def _say(self, said: Sequence[_Spoken]) -> None:
        """Say lines of which some are events. Raises StorageError, Busy."""
        waiting = [await self._emit(group) for group in _groups(said)]
        for group, answer in waiting:
            try:
                await answer
            except (InputError, KeyConflict, LimitError) as error:
                await self._take_back(group, error)
            except RunCancelled:
                pass  # it let something grow; the line is in the log
            except (ConflictError, NotFound) as error:
                self._give_up(error)
                return

    async def _emit(self, group: Sequence[_Spoken]) -> tuple[Sequence[_Spoken], _Told]:
        await self._hub.room()
        told = _Told()
        events = [spoken.event or spoken.line for spoken in group]
        try:
            self._runs.emit(self._ticket.run_id, events, lease=self._ticket.lease, by=self._by, done=told.tell)
        except AntiphonError as error:
            told.tell(error)
        return group, told

    async def _take_back(self, group: Sequence[_Spoken], error: AntiphonError) -> None:
        """What cannot be said as an event is a line."""
        if group[0].event is None and isinstance(error, LimitError):
            raise error  # the hub is closing: the next server says it
        if group[0].event is None:
            _log.warning("a line was refused by its run", run_id=self._ticket.run_id, reason=error.message)
            return
        _, answer = await self._emit([_Spoken(spoken.source, f"{spoken.key}-line", is_plain=True) for spoken in group])
        try:
            await answer
        except (InputError, ConflictError, NotFound) as again:
            _log.warning("a line was refused by its run", run_id=self._ticket.run_id, reason=again.message)


class _Told(asyncio.Future[None]):
    """What `emit` answers."""

    def tell(self, answer: Answer | AntiphonError) -> None:
        if self.done():
            return
        if isinstance(answer, AntiphonError):
            self.set_exception(answer)
            self.exception()  # looked at in its turn, or not at all once the run has ended
        else:
            self.set_result(None)


class _Spoken:
    """A line of a program and what it says."""

    __slots__ = ("event", "key", "line", "source")

    def __init__(self, source: Line, key: str, *, is_plain: bool = False) -> None:
        self.source = source
        self.key = key
        self.event = None if is_plain else event_of(source.stream, source.text, key)
        self.line = line_of(source.stream, source.text, key)


def _groups(said: Sequence[_Spoken]) -> Iterator[list[_Spoken]]:
    """Neighbours that are plain lines together; events alone, so that one that is refused takes no other with it."""
    rest = iter(said)
    plain: list[_Spoken] = []
    for spoken in rest:
        if spoken.event is None:
            plain.append(spoken)
            if len(plain) < AT_ONCE:
                continue
        if plain:
            yield plain
            plain = []
        if spoken.event is not None:
            yield [spoken]
    if plain:
        yield plain


def _log_event(channel: str, line: Line, by: str | None) -> NewEvent:
    said = line_of(line.stream, line.text, None)
    return NewEvent(channel, said.type, orjson.dumps(said.data), by, None, line.time_ms)


def _outcome(record: ExitRecord | None) -> dict[str, Any]:
    """How a program's end reads as that of a run; one that was stopped did not come to an end of its own."""
    if record is None:
        return _failed("nobody saw how it ended: its supervisor was killed", "Unknown")
    if record.exit_code is None and record.signal is None:
        return _failed(record.reason or "nobody saw how it ended", "NotStarted")
    if record.reason is not None:
        return {"status": "cancelled", "reason": f"the program was {record.reason}"}
    if record.signal is not None:
        return _failed(f"killed by {record.signal}", "Signal")
    if record.exit_code != 0:
        return _failed(f"exit code {record.exit_code}", "ExitCode")
    return {"status": "succeeded", "result": {"exit_code": 0}}


def _failed(message: str, kind: str) -> dict[str, Any]:
    return {"status": "failed", "error": {"message": message, "type": kind}}
