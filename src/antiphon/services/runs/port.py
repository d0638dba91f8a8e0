"""How code in this process runs a run: the same calls that others make over a connection, made directly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from pydantic import ValidationError

from antiphon.errors import AntiphonError, ConflictError, InvalidParams
from antiphon.hub import Answer
from antiphon.hub.turn import Done
from antiphon.services.runs.record import OnCancel, OnLost
from antiphon.services.runs.values import Finished, NewRun, Opened, Owner, Said
from antiphon.services.table import Row, pointer


class Service(Protocol):
    """What a port needs of the runs."""

    @property
    def ask(self) -> Callable[[str, Mapping[str, Any]], Awaitable[Any]] | None: ...

    async def open(self, wanted: NewRun, *, by: str | None, owner: Owner | None = None) -> Opened: ...

    def emit(self, run_id: str, events: Sequence[Said], *, lease: str | None, by: str | None, done: Done) -> None: ...

    async def room(self) -> None: ...

    async def finish(
        self,
        run_id: str,
        status: Finished,
        *,
        lease: str,
        result: Any = None,
        error: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> Row: ...

    def hear(self, run_id: str, on_cancel: OnCancel | None, on_lost: OnLost | None) -> None: ...

    def abandon(self, run_id: str) -> None: ...


class LocalPort:
    """One run. That of a registered function is open from the start; another is opened by `open`.

    Args:
        opened: The run; None = not yet.
        wanted: What a registered function was started with.
        by: Who is named as the one who speaks.
    """

    def __init__(
        self, runs: Service, *, opened: Opened | None = None, wanted: NewRun | None = None, by: str | None = None
    ) -> None:
        self.wanted = wanted
        self._runs = runs
        self._opened = opened
        self._is_ours = opened is None  # nobody else sees to its outcome
        self._by = by
        self._on_cancel: OnCancel | None = None
        self._on_lost: OnLost | None = None
        self._refused: AntiphonError | None = None
        self.while_asking: Callable[[], AbstractContextManager[object]] = nullcontext
        """Entered while people are asked: what measures the time of a run can stand still."""

    @property
    def opened(self) -> Opened:
        """Raises ConflictError while it is not open."""
        if self._opened is None:
            raise ConflictError("this run is not open yet")
        return self._opened

    @property
    def run_id(self) -> str:
        return self.opened.run_id

    @property
    def input(self) -> Any:
        """What a registered function was started with."""
        return None if self.wanted is None else self.wanted.input

    @property
    def on_cancel(self) -> OnCancel | None:
        """Called with the reason, in the step in which somebody cancels the run."""
        return self._on_cancel

    @on_cancel.setter
    def on_cancel(self, called: OnCancel | None) -> None:
        self._on_cancel = called
        self._hear()

    @property
    def on_lost(self) -> OnLost | None:
        """Called with the reason when the run ends without our doing: it was cut off."""
        return self._on_lost

    @on_lost.setter
    def on_lost(self, called: OnLost | None) -> None:
        self._on_lost = called
        self._hear()

    def _hear(self) -> None:
        if self._opened is not None:
            self._runs.hear(self._opened.run_id, self._on_cancel, self._on_lost)

    def another(self) -> LocalPort:
        """A port for another run of the same speaker, for instance a child."""
        return LocalPort(self._runs, by=self._by)

    async def open(self, wanted: Mapping[str, Any]) -> Opened:
        """Open the run; one that is open stays as it is. Raises InvalidParams, and what `Runs.open` raises."""
        if self._opened is None:
            self._opened = await self._runs.open(_checked(wanted), by=self._by, owner=Owner("local"))
            self._hear()
        return self._opened

    async def emit(self, events: Sequence[Said]) -> None:
        """Say something, in the order of calls; returns when there is room for more, not when it is stored.

        Raises:
            AntiphonError: As `Runs.emit`, or something said before was refused.
        """
        opened = self.opened
        self._raise_refused()
        self._runs.emit(opened.run_id, events, lease=opened.lease, by=self._by, done=self._told)
        await self._runs.room()

    async def finish(
        self,
        status: Finished,
        *,
        result: Any = None,
        error: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> Row:
        """Give the outcome, behind all that was said. Raises what `Runs.finish` raises."""
        opened = self.opened
        return await self._runs.finish(
            opened.run_id, status, lease=opened.lease, result=result, error=error, reason=reason
        )

    async def ask(self, question: Mapping[str, Any]) -> Any:
        """Ask people and wait for their answer. Raises ConflictError where no questions can be asked."""
        if self._runs.ask is None:
            raise ConflictError("there is no service for questions")
        with self.while_asking():
            return await self._runs.ask(self.run_id, question)

    async def close(self) -> None:
        """Let go; a run that was opened here and has no outcome is lost. May be called twice."""
        if self._opened is not None:
            self._runs.hear(self._opened.run_id, None, None)
            if self._is_ours:
                self._runs.abandon(self._opened.run_id)

    def _told(self, answer: Answer | AntiphonError) -> None:
        if isinstance(answer, AntiphonError) and self._refused is None:
            self._refused = answer

    def _raise_refused(self) -> None:
        if self._refused is not None:
            refused, self._refused = self._refused, None
            raise refused


def _checked(wanted: Mapping[str, Any]) -> NewRun:
    try:
        return NewRun.model_validate(dict(wanted))
    except ValidationError as exc:
        found = exc.errors(include_url=False)[0]
        raise InvalidParams(found["msg"], pointer="/params" + pointer(*map(str, found["loc"]))) from None
