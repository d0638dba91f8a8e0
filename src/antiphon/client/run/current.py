"""The run that the present code belongs to."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, NamedTuple

from antiphon.client.run.records import Records

if TYPE_CHECKING:
    from antiphon.client.run.blocking import BlockingRun
    from antiphon.client.run.face import Run


class Entered(NamedTuple):
    """A run that was entered, and where its log records go."""

    run: Run | BlockingRun
    records: Records


_current: ContextVar[Entered | None] = ContextVar("antiphon_run", default=None)

Mark = Token[Entered | None]


def current_run() -> Run | BlockingRun | None:
    """The innermost run that was entered in this task or thread; None outside of runs.

    Tasks inherit it when they are made, and so do functions under `asyncio.to_thread`; threads of your own do not.
    """
    found = _current.get()
    return None if found is None else found.run


def entered() -> Entered | None:
    """As `current_run`, with its records."""
    return _current.get()


def enter(run: Run | BlockingRun, records: Records) -> Mark:
    """From now on this is the current run."""
    return _current.set(Entered(run, records))


def leave(mark: Mark) -> None:
    """What was the current run before is so again."""
    with contextlib.suppress(ValueError):  # left in another context than it was entered in
        _current.reset(mark)
