"""What an edit of a state has done so far, and where in the state it is at work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MISSING: Any = object()


class Tape:
    """The operations of one edit, and how to take them back."""

    def __init__(self) -> None:
        self.ops: list[dict[str, Any]] = []
        self._undo: list[Callable[[], object]] = []
        self._is_open = True

    def check(self) -> None:
        """Raise RuntimeError once the edit has ended."""
        if not self._is_open:
            raise RuntimeError("this edit has ended: changes belong inside `async with run.state.edit() as state`")

    def record(self, op: str, path: str, undo: Callable[[], object], value: Any = MISSING) -> None:
        """Note what was done; `value` must belong to nobody else."""
        given = {} if value is MISSING else {"value": value}
        self.ops.append({"op": op, "path": path, **given})
        self._undo.append(undo)

    def close(self) -> None:
        """Nothing more may be changed."""
        self._is_open = False

    def take_back(self) -> None:
        """Undo everything, from the end."""
        while self._undo:
            self._undo.pop()()
        self.ops.clear()


class Place:
    """A dictionary or list of the state, and what it is in. Where that is shows when somebody asks."""

    __slots__ = ("_key", "_parent", "value")

    def __init__(self, value: Any, parent: Place | None = None, key: str | int = "") -> None:
        self.value = value
        self._parent = parent
        self._key = key  # where it was seen last

    def pointer(self) -> str:
        """Its JSON Pointer. Raises LookupError if it is not in the state any more."""
        if self._parent is None:
            return ""
        return f"{self._parent.pointer()}/{token(self._key_in(self._parent.value))}"

    def _key_in(self, parent: Any) -> str | int:
        if isinstance(parent, list):
            return self._index_in(parent)
        if parent.get(self._key) is not self.value:
            raise LookupError("this part was taken out of the state")
        return self._key

    def _index_in(self, parent: list[Any]) -> int:
        if isinstance(self._key, int) and self._key < len(parent) and parent[self._key] is self.value:
            return self._key
        for index, value in enumerate(parent):
            if value is self.value:
                self._key = index
                return index
        raise LookupError("this part was taken out of the state")


def token(key: str | int) -> str:
    """A key or an index as a part of a JSON Pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
