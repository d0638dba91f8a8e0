"""The state of a run: the program's own JSON value, which everybody who watches sees change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any

from antiphon.client.run.editing import StateDict
from antiphon.client.run.taping import Place, Tape

Say = Callable[[str, Mapping[str, Any]], Awaitable[None]]  # type and data of an event


class RunState:
    """`async with run.state.edit() as state: state["tasks"]["t1"] = "done"`.

    The run's program is who changes its state; where a participant changes it too, an edit that does not fit any more
    ends the run with InvalidPatch.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._value: dict[str, Any] = {}
        self._editing = asyncio.Lock()

    @property
    def value(self) -> Mapping[str, Any]:
        """As it is now, to be read only; at first empty."""
        return MappingProxyType(self._value)

    def edit(self) -> Edit:
        """Change it: what is done to the dictionaries and lists inside is said as one event, all of it or nothing.

        One edit at a time; others wait. An exception inside undoes the edit, and nothing is said.
        Raises (on leaving):
            TooLarge: The changes are beyond the server's message limit; they were undone.
        """
        return Edit(self._value, self._editing, self._say)


class Edit:
    """One edit; see `RunState.edit`."""

    def __init__(self, value: dict[str, Any], editing: asyncio.Lock, say: Say) -> None:
        self._value = value
        self._editing = editing
        self._say = say
        self._tape = Tape()

    async def __aenter__(self) -> StateDict:
        await self._editing.acquire()
        self._tape = Tape()
        return StateDict(Place(self._value), self._tape)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tape.close()
        try:
            if error is not None:
                self._tape.take_back()
            elif self._tape.ops:
                await self._say_it()
        finally:
            self._editing.release()

    async def _say_it(self) -> None:
        try:
            await self._say("state.patch", {"ops": self._tape.ops})
        except Exception:  # refused; a cancellation instead comes while it waits for room, when it has been said
            self._tape.take_back()
            raise
