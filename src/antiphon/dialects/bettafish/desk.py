"""What the protocol needs of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from antiphon.dialects.base import Caller, Row


class Look(Protocol):
    """A log as it is at one moment, from the newest start of its program on."""

    @property
    def tag(self) -> str:
        """Names this content: the same tag, the same lines."""

    async def count(self) -> int:
        """How many lines there are."""

    def column(self, index: int) -> AsyncIterator[bytes]:
        """A column of all blocks, as the inside of one JSON array, piece by piece."""

    async def last(self, count: int) -> list[str]:
        """The newest lines."""

    async def page(self, first: int, count: int) -> list[str]:
        """Lines from a number on, which begins at 0."""


class Consoles(Protocol):
    """The logs."""

    async def look(self, app: str) -> Look:
        """The log of an app as it is now. Raises StorageError."""


class Done(NamedTuple):
    """How something went that was to be done with several apps."""

    errors: list[str]  # a sentence each; none = all of it was done
    logs: list[str]


class System(Protocol):
    """The processes, in a caller's name. What may be refused raises Forbidden, naming the missing grant."""

    def rows(self) -> Mapping[str, Row]:
        """The process table as it is now."""

    @property
    def has_forum(self) -> bool: ...

    @property
    def configured(self) -> Sequence[str]:
        """The apps that can be started."""

    @property
    def is_starting(self) -> bool:
        """Whether somebody starts the system at this moment."""

    @property
    def is_started(self) -> bool:
        """Whether there is nothing left to be started."""

    async def start_all(self, caller: Caller) -> Done:
        """Start all apps and wait until they run; if one does not, those that were started are stopped again."""

    async def stop_all(self, caller: Caller) -> Done: ...

    async def start(self, caller: Caller, app: str) -> str | None:
        """Start one and wait until it runs; None = it does, otherwise why not."""

    async def stop(self, caller: Caller, app: str) -> str | None: ...

    async def say(self, caller: Caller, app: str, text: str) -> None:
        """Add a line to an app's log."""


class Keeping(Protocol):
    """The values of the configuration dialog."""

    @property
    def is_possible(self) -> bool:
        """Whether there is a file to keep them in."""

    async def read(self) -> dict[str, str]:
        """What is kept. Raises StorageError."""

    async def write(self, values: Mapping[str, str]) -> None:
        """Replace what is kept. Raises StorageError."""


class Reports(Protocol):
    """Reports are runs of one program."""

    @property
    def is_possible(self) -> bool:
        """Whether there is a program that writes them."""

    def newest(self, caller: Caller) -> str | None:
        """The run of the newest report."""

    async def start(self, caller: Caller, wanted: Mapping[str, Any]) -> str:
        """Begin one; returns the id of its run. Raises Forbidden, Busy."""

    async def task(self, caller: Caller, run_id: str) -> dict[str, Any] | None:
        """The task object of a report; None = there is no such report. Raises Forbidden."""

    async def file(self, run_id: str, kind: str) -> bytes | None:
        """What it has written: `html`, `json`, `pdf`, `md`; None = nothing of this kind."""

    async def lines(self, caller: Caller, run_id: str) -> list[str]:
        """What it has logged, as `report.log` shows it."""


class Desk(NamedTuple):
    """All of it."""

    consoles: Consoles
    system: System
    keeping: Keeping
    reports: Reports
