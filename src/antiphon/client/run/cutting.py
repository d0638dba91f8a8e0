"""What a cancelled run may still say: it closes what is open, logs and ends; nothing begins or grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

GROWING = frozenset({"message.open", "message.append", "tool.start", "tool.args"})

_name_of = {"message": "message_id", "tool": "tool_call_id"}
_beginnings = frozenset({"message.open", "tool.start"})


class Said(Protocol):
    """Anything with the type and the data of an event."""

    @property
    def type(self) -> str: ...
    @property
    def data(self) -> Any: ...


S = TypeVar("S", bound=Said)


class Cut:
    """Takes out what grows, and whatever speaks later of a thing that thus never began."""

    def __init__(self) -> None:
        self._never_began: set[tuple[str, Any]] = set()

    def keep(self, events: Iterable[S]) -> list[S]:
        """What is left, in order."""
        return [event for event in events if self._may_stay(event)]

    def _may_stay(self, event: Said) -> bool:
        family = event.type.partition(".")[0]
        name = _name_of.get(family)
        if name is None:
            return True
        data: Mapping[str, Any] = event.data
        thing = (family, data.get(name))
        if event.type in _beginnings:
            self._never_began.add(thing)
        return event.type not in GROWING and thing not in self._never_began
