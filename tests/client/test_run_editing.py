"""What is done to the recording dictionaries and lists is what their operations do elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.client.run.editing import StateDict
from antiphon.client.run.state import RunState
from antiphon.client.run.taping import Place, Tape
from antiphon.errors import TooLarge
from antiphon.hub.patch import Document

keys = st.sampled_from(["a", "b", "a/b", "m~n", "", "7"])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)
states = st.dictionaries(keys, values, max_size=3)


def wrapped(value: dict[str, Any]) -> tuple[StateDict, Tape]:
    tape = Tape()
    return StateDict(Place(value), tape), tape


def walk(data: st.DataObject, recorded: Any, plain: Any) -> tuple[Any, Any]:
    """The same part of both, anywhere below."""
    while len(plain) and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(plain) if isinstance(plain, dict) else range(len(plain))))
        if not isinstance(plain[key], dict | list):
            break
        recorded, plain = recorded[key], plain[key]
    return recorded, plain


def change_dict(data: st.DataObject, recorded: Any, plain: dict[str, Any]) -> None:
    what = data.draw(st.sampled_from(["set", "del", "pop", "popitem", "setdefault", "update", "clear", "ior"]))
    key, value = data.draw(keys), data.draw(values)
    match what:
        case "set":
            recorded[key], plain[key] = value, copy.deepcopy(value)
        case "del" if key in plain:
            del recorded[key], plain[key]
        case "pop":
            assert recorded.pop(key, "none") == plain.pop(key, "none")
        case "popitem" if plain:
            assert recorded.popitem() == plain.popitem()
        case "setdefault":
            assert recorded.setdefault(key, value) == plain.setdefault(key, copy.deepcopy(value))
        case "update":
            recorded.update({key: value})
            plain.update({key: copy.deepcopy(value)})
        case "ior":
            recorded |= {key: value}
            plain |= {key: copy.deepcopy(value)}
        case "clear":
            recorded.clear()
            plain.clear()


def change_list(data: st.DataObject, recorded: Any, plain: list[Any]) -> None:  # noqa: C901  # one line for each method
    what = data.draw(
        st.sampled_from(["set", "del", "slice", "delslice", "insert", "append", "extend", "pop", "reverse", "clear"])
    )
    index, value = data.draw(st.integers(-4, 4)), data.draw(values)
    there = -len(plain) <= index < len(plain)
    match what:
        case "set" if there:
            recorded[index], plain[index] = value, copy.deepcopy(value)
        case "del" if there:
            del recorded[index], plain[index]
        case "slice":
            recorded[index : index + 2] = [value]
            plain[index : index + 2] = [copy.deepcopy(value)]
        case "delslice":
            del recorded[index::2], plain[index::2]
        case "insert":
            recorded.insert(index, value)
            plain.insert(index, copy.deepcopy(value))
        case "append":
            recorded.append(value)
            plain.append(copy.deepcopy(value))
        case "extend":
            recorded += [value, 1]
            plain += [copy.deepcopy(value), 1]
        case "pop" if there:
            assert recorded.pop(index) == plain.pop(index)
        case "reverse":
            recorded.reverse()
            plain.reverse()
        case "clear":
            recorded.clear()
            plain.clear()


@given(states, st.data())
def test_operations_lead_to_the_same_value_and_can_be_taken_back(state: dict[str, Any], data: st.DataObject) -> None:
    elsewhere = Document(copy.deepcopy(state))
    plain, mine, before = copy.deepcopy(state), copy.deepcopy(state), copy.deepcopy(state)
    recorded, tape = wrapped(mine)
    for _ in range(data.draw(st.integers(1, 8))):
        part, same = walk(data, recorded, plain)
        (change_dict if isinstance(same, dict) else change_list)(data, part, same)
    assert recorded == plain
    elsewhere.apply(copy.deepcopy(tape.ops))
    assert mine == elsewhere.value == plain
    tape.take_back()
    assert mine == before


def test_each_change_is_one_operation() -> None:
    state, tape = wrapped({"tasks": {"t1": "open"}, "log": [1, 2]})
    state["tasks"]["t1"] = "done"
    state["tasks"]["a/b"] = {"x": 1}
    state["tasks"]["a/b"]["x"] += 1
    state["log"].append(3)
    del state["log"][0]
    assert tape.ops == [
        {"op": "replace", "path": "/tasks/t1", "value": "done"},
        {"op": "add", "path": "/tasks/a~1b", "value": {"x": 1}},
        {"op": "replace", "path": "/tasks/a~1b/x", "value": 2},
        {"op": "add", "path": "/log/-", "value": 3},
        {"op": "remove", "path": "/log/0"},
    ]


def test_an_element_keeps_its_identity_when_others_go() -> None:
    state, tape = wrapped({"tasks": [{"n": 1}, {"n": 2}, {"n": 3}]})
    third = state["tasks"][2]
    del state["tasks"][0]
    third["n"] = 30
    assert tape.ops[-1] == {"op": "replace", "path": "/tasks/1/n", "value": 30}
    taken = state["tasks"][0]
    state["tasks"].pop(0)
    with pytest.raises(LookupError):
        taken["n"] = 0
    assert state == {"tasks": [{"n": 30}]}


def test_what_is_no_json_is_refused_and_changes_nothing() -> None:
    state, tape = wrapped({"a": 1})
    for wrong in (object(), {1: 2}, b"x"):
        with pytest.raises(TypeError):
            state["b"] = wrong
    with pytest.raises(TypeError):
        state[1] = 2  # type: ignore[index]
    assert (state, tape.ops) == ({"a": 1}, [])


def test_what_is_read_can_be_put_elsewhere_as_a_copy() -> None:
    state, _ = wrapped({"a": {"x": [1]}})
    state["b"] = state["a"]
    state["b"]["x"].append(2)
    assert state == {"a": {"x": [1]}, "b": {"x": [1, 2]}}
    assert state.copy() == {"a": {"x": [1]}, "b": {"x": [1, 2]}}


class Said:
    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.problem: Exception | None = None

    async def __call__(self, kind: str, data: Mapping[str, Any]) -> None:
        if self.problem is not None:
            raise self.problem
        self.events.append((kind, data))


async def set_a(state: RunState, and_remove: str | None = None) -> None:
    async with state.edit() as value:
        value["a"] = "x"
        if and_remove is not None:
            del value[and_remove]


async def test_an_edit_is_one_event() -> None:
    said = Said()
    state = RunState(said)
    async with state.edit() as value:
        value["a"] = 1
        value["b"] = [2]
    async with state.edit():
        pass
    assert [kind for kind, _ in said.events] == ["state.patch"]
    assert len(said.events[0][1]["ops"]) == 2
    assert state.value == {"a": 1, "b": [2]}


async def test_an_edit_that_fails_is_undone() -> None:
    said = Said()
    state = RunState(said)
    with pytest.raises(KeyError):
        await set_a(state, and_remove="b")
    said.problem = TooLarge("too much")
    with pytest.raises(TooLarge):
        await set_a(state)
    assert (said.events, dict(state.value)) == ([], {})


async def test_nothing_changes_after_an_edit() -> None:
    state = RunState(Said())
    async with state.edit() as value:
        value["a"] = {}
        inner = value["a"]
    with pytest.raises(RuntimeError, match="edit has ended"):
        inner["x"] = 1
    assert state.value == {"a": {}}
