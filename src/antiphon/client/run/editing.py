"""Dictionaries and lists that write down what is done to them, as operations of RFC 6902.

Nothing is compared: each change is one operation, in order, made on a copy of the state that the program keeps. A part
of the state knows its parent, not its path: elements of a list move when others come and go, and the path is looked up
when something is written down. An edit that fails is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence
from functools import partial
from typing import Any, Self, SupportsIndex, overload

import orjson

from antiphon.client.run.plain import encode, plain
from antiphon.client.run.taping import MISSING, Place, Tape, token


def _part(value: Any, tape: Tape, parent: Place, key: str | int) -> Any:
    """What is read from a state: dictionaries and lists record as well."""
    if isinstance(value, dict):
        return StateDict(Place(value, parent, key), tape)
    if isinstance(value, list):
        return StateList(Place(value, parent, key), tape)
    return value


class StateDict(MutableMapping[str, Any]):
    """An object of the state. What is put into it is copied; dictionaries and lists read from it record as well."""

    def __init__(self, place: Place, tape: Tape) -> None:
        self._place = place
        self._value: dict[str, Any] = place.value
        self._tape = tape

    def _pointer(self) -> str:
        self._tape.check()
        return self._place.pointer()

    def __getitem__(self, key: str) -> Any:
        return _part(self._value[key], self._tape, self._place, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"the keys of a state are texts, not {type(key).__name__}")
        path, text = f"{self._pointer()}/{token(key)}", encode(value)
        if key in self._value:
            op, undo = "replace", partial(self._value.__setitem__, key, self._value[key])
        else:
            op, undo = "add", partial(self._value.__delitem__, key)
        self._value[key] = orjson.loads(text)
        self._tape.record(op, path, undo, orjson.loads(text))

    def __delitem__(self, key: str) -> None:
        undo = partial(self._value.__setitem__, key, self._value[key])
        path = f"{self._pointer()}/{token(key)}"
        del self._value[key]
        self._tape.record("remove", path, undo)

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __contains__(self, key: object) -> bool:
        return key in self._value

    def __repr__(self) -> str:
        return repr(self._value)

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:
        """What is there, or the default once it has been put there."""
        if key not in self._value:
            self[key] = default
        return self[key]

    def pop(self, key: str, default: Any = MISSING) -> Any:
        """Take it out; what is returned does not belong to the state any more."""
        if key not in self._value:
            if default is MISSING:
                raise KeyError(key)
            return default
        value = self._value[key]
        del self[key]
        return plain(value)

    def popitem(self) -> tuple[str, Any]:
        """Take out what was put in last."""
        if not self._value:
            raise KeyError("the state is empty here")
        key = next(reversed(self._value))
        return key, self.pop(key)

    def clear(self) -> None:
        """Take everything out, in one operation."""
        path, before = self._pointer(), dict(self._value)
        self._value.clear()
        self._tape.record("replace", path, partial(self._value.update, before), {})

    def copy(self) -> dict[str, Any]:
        """A plain dictionary of its own."""
        return dict(plain(self._value))


class StateList(MutableSequence[Any]):
    """An array of the state. What is put into it is copied."""

    def __init__(self, place: Place, tape: Tape) -> None:
        self._place = place
        self._value: list[Any] = place.value
        self._tape = tape

    def _pointer(self) -> str:
        self._tape.check()
        return self._place.pointer()

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self._value)))]
        place = self._at(index)
        return _part(self._value[place], self._tape, self._place, place)

    def _at(self, index: SupportsIndex) -> int:
        place = index.__index__()
        place = place + len(self._value) if place < 0 else place
        if not 0 <= place < len(self._value):
            raise IndexError("index out of range")
        return place

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            changed = list(self._value)
            changed[index] = list(value)
            self._replace_all(changed)
            return
        place, text = self._at(index), encode(value)
        path = f"{self._pointer()}/{place}"
        undo = partial(self._value.__setitem__, place, self._value[place])
        self._value[place] = orjson.loads(text)
        self._tape.record("replace", path, undo, orjson.loads(text))

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        if isinstance(index, slice):
            for place in sorted(range(*index.indices(len(self._value))), reverse=True):
                del self[place]
            return
        place = self._at(index)
        path = f"{self._pointer()}/{place}"
        self._tape.record("remove", path, partial(self._value.insert, place, self._value.pop(place)))

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """Put it before the element at `index`."""
        place, length = index.__index__(), len(self._value)
        place = max(0, place + length) if place < 0 else min(place, length)
        self._insert(place, str(place), value)

    def append(self, value: Any) -> None:
        """Put it at the end, wherever the end is by then."""
        self._insert(len(self._value), "-", value)

    def _insert(self, place: int, token: str, value: Any) -> None:
        path, text = f"{self._pointer()}/{token}", encode(value)
        self._value.insert(place, orjson.loads(text))
        self._tape.record("add", path, partial(self._value.pop, place), orjson.loads(text))

    def pop(self, index: SupportsIndex = -1) -> Any:
        """Take it out; what is returned does not belong to the state any more."""
        value = self._value[self._at(index)]
        del self[index]
        return plain(value)

    def clear(self) -> None:
        """Take everything out, in one operation."""
        self._replace_all([])

    def reverse(self) -> None:
        """Turn it round, in one operation."""
        self._replace_all(self._value[::-1])

    def sort(self, *, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> None:
        """Sort it, in one operation."""
        self._replace_all(sorted(self._value, key=key, reverse=reverse))

    def _replace_all(self, values: Iterable[Any]) -> None:
        path, text = self._pointer(), encode(list(values))
        before = list(self._value)
        self._value[:] = orjson.loads(text)
        self._tape.record("replace", path, partial(self._value.__setitem__, slice(None), before), orjson.loads(text))

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return self._value == (other._value if isinstance(other, StateList) else other)

    __hash__ = None  # type: ignore[assignment]  # it changes, as lists do

    def __repr__(self) -> str:
        return repr(self._value)

    def copy(self) -> list[Any]:
        """A plain list of its own."""
        return list(plain(self._value))
