"""RFC 6902 applied in place: all operations or none.

A state may be large and change often, so nothing is copied or compared: each operation changes the value where it
stands and leaves behind how to undo it. Source: RFC 6902 (JSON Patch), RFC 6901 (JSON Pointer).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from antiphon.errors import InvalidPatch

MAX_DEPTH = 128  # of a state: the encoder's own limit is not far above

MAX_COPIED = 100_000  # by one patch: thirty operations that copy what the last one copied would fill any memory

Undo = list[Callable[[], object]]  # to be run from the end


class Document:
    """One JSON value and the operations on it."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self._copied = 0

    def apply(self, ops: Any) -> Undo:
        """Apply operations in order; returns how to undo them.

        Raises:
            InvalidPatch: An operation is malformed or does not fit; nothing was changed; `.pointer` says which.
        """
        undo: Undo = []
        self._copied = 0
        if not isinstance(ops, list):
            raise InvalidPatch("`ops` must be an array of operations", pointer="/ops")
        for index, op in enumerate(ops):
            try:
                self._operate(op, undo)
            except _Misfit as exc:
                rollback(undo)
                raise InvalidPatch(f"operation {index}: {exc}", pointer=f"/ops/{index}") from None
        return undo

    def _operate(self, op: Any, undo: Undo) -> None:
        if not isinstance(op, dict):
            raise _Misfit("not an object")
        perform = _OPERATIONS.get(_text(op, "op"))
        if perform is None:
            raise _Misfit(f"unknown op {op['op']!r}; one of {', '.join(_OPERATIONS)}")
        perform(self, op, undo)

    def _add(self, op: dict[str, Any], undo: Undo) -> None:
        self._put(_path(op, "path"), copy.deepcopy(_value(op)), undo)

    def _remove(self, op: dict[str, Any], undo: Undo) -> None:
        self._take(_path(op, "path"), undo)

    def _replace(self, op: dict[str, Any], undo: Undo) -> None:
        path = _path(op, "path")
        self._get(path)
        value = copy.deepcopy(_value(op))
        if not path:
            self._put(path, value, undo)
            return
        _check_depth(path, value)
        parent = self._get(path[:-1])
        key = path[-1] if isinstance(parent, dict) else int(path[-1])
        undo.append(_assign(parent, key, parent[key]))
        parent[key] = value

    def _move(self, op: dict[str, Any], undo: Undo) -> None:
        source, target = _path(op, "from"), _path(op, "path")
        if target[: len(source)] == source and target != source:
            raise _Misfit("a value cannot be moved into itself")
        if source == target:
            self._get(source)
            return
        self._put(target, self._take(source, undo), undo)

    def _copy(self, op: dict[str, Any], undo: Undo) -> None:
        value = self._get(_path(op, "from"))
        self._copied += size(value)
        if self._copied > MAX_COPIED:
            raise _Misfit(f"one patch copies more than {MAX_COPIED} values")
        self._put(_path(op, "path"), copy.deepcopy(value), undo)

    def _test(self, op: dict[str, Any], undo: Undo) -> None:  # noqa: ARG002 - one signature for all operations
        if not equal(self._get(_path(op, "path")), _value(op)):
            raise _Misfit(f"test failed at {op['path']!r}")

    def _get(self, path: list[str]) -> Any:
        value = self.value
        for token in path:
            if isinstance(value, dict) and token in value:
                value = value[token]
            elif isinstance(value, list):
                value = value[_index(token, len(value) - 1)]
            else:
                raise _Misfit(f"nothing at {_pointer(path)!r}")
        return value

    def _put(self, path: list[str], value: Any, undo: Undo) -> None:
        _check_depth(path, value)
        if not path:
            undo.append(_assign(self.__dict__, "value", self.value))
            self.value = value
            return
        parent, token = self._get(path[:-1]), path[-1]
        if isinstance(parent, dict):
            undo.append(_assign(parent, token, parent[token]) if token in parent else lambda: parent.pop(token))
            parent[token] = value
        elif isinstance(parent, list):
            index = len(parent) if token == "-" else _index(token, len(parent))
            undo.append(lambda: parent.pop(index))
            parent.insert(index, value)
        else:
            raise _Misfit(f"no object or array at {_pointer(path[:-1])!r}")

    def _take(self, path: list[str], undo: Undo) -> Any:
        value = self._get(path)
        if not path:
            raise _Misfit("the whole value cannot be removed; replace it")
        parent = self._get(path[:-1])
        if isinstance(parent, dict):
            undo.append(_assign(parent, path[-1], value))
            return parent.pop(path[-1])
        index = int(path[-1])
        undo.append(lambda: parent.insert(index, value))
        return parent.pop(index)


_OPERATIONS: dict[str, Callable[[Document, dict[str, Any], Undo], None]] = {
    name: getattr(Document, f"_{name}") for name in ("add", "remove", "replace", "move", "copy", "test")
}


def rollback(undo: Undo) -> None:
    """Take back what `Document.apply` did."""
    while undo:
        undo.pop()()


def equal(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1 equals 1.0, but neither equals true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return bool(left == right)


class _Misfit(Exception):
    """An operation does not fit."""


def _assign(container: Any, key: Any, value: Any) -> Callable[[], object]:
    return lambda: container.__setitem__(key, value)


def _text(op: dict[str, Any], key: str) -> str:
    if not isinstance(op.get(key), str):
        raise _Misfit(f"`{key}` must be a string")
    return str(op[key])


def _value(op: dict[str, Any]) -> Any:
    if "value" not in op:
        raise _Misfit("`value` is missing")
    _check_depth([], op["value"])  # before it is copied, which would go as deep
    return op["value"]


def _path(op: dict[str, Any], key: str) -> list[str]:
    text = _text(op, key)
    if text and not text.startswith("/"):
        raise _Misfit(f"`{key}` must be empty or start with '/'")
    tokens = text.split("/")[1:]
    if any("~" in token.replace("~0", "").replace("~1", "") for token in tokens):
        raise _Misfit(f"`{key}` has a '~' that is neither '~0' nor '~1'")
    return [token.replace("~1", "/").replace("~0", "~") for token in tokens]


def _pointer(path: list[str]) -> str:
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in path)


def _index(token: str, highest: int) -> int:
    if not (token.isascii() and token.isdigit()) or (token != "0" and token.startswith("0")):
        raise _Misfit(f"{token[:40]!r} is no array index")
    if len(token) > 9 or int(token) > highest:  # no array has a billion items
        raise _Misfit(f"index {token[:40]} is beyond the array's end")
    return int(token)


def _check_depth(path: list[str], value: Any) -> None:
    if len(path) + depth(value) > MAX_DEPTH:
        raise _Misfit(f"the state would be nested deeper than {MAX_DEPTH}")


def depth(value: Any) -> int:
    """Nesting of a JSON value: 0 for a scalar, 1 for `{}`."""
    level, row = 0, [value]
    while row := [item for item in row if isinstance(item, (dict, list))]:
        level += 1
        row = [child for item in row for child in _children(item)]
    return level


def size(value: Any) -> int:
    """How many values a JSON value consists of: 1 for a scalar."""
    count, row = 0, [value]
    while row:
        count += len(row)
        row = [child for item in row if isinstance(item, (dict, list)) for child in _children(item)]
    return count


def _children(item: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return item.values() if isinstance(item, dict) else item
