"""RFC 6902 in place: its own examples, another implementation as oracle, and nothing by halves."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import InvalidPatch
from antiphon.hub.patch import MAX_DEPTH, Document, depth, equal, rollback

Op = dict[str, Any]


def op(name: str, path: str, **rest: Any) -> Op:
    return {"op": name, "path": path} | {key.rstrip("_"): value for key, value in rest.items()}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


APPENDIX_A: dict[str, tuple[Any, list[Op], Any]] = {
    "A.1 adding an object member": (
        {"foo": "bar"},
        [op("add", "/baz", value="qux")],
        {"baz": "qux", "foo": "bar"},
    ),
    "A.2 adding an array element": (
        {"foo": ["bar", "baz"]},
        [op("add", "/foo/1", value="qux")],
        {"foo": ["bar", "qux", "baz"]},
    ),
    "A.3 removing an object member": ({"baz": "qux", "foo": "bar"}, [op("remove", "/baz")], {"foo": "bar"}),
    "A.4 removing an array element": (
        {"foo": ["bar", "qux", "baz"]},
        [op("remove", "/foo/1")],
        {"foo": ["bar", "baz"]},
    ),
    "A.5 replacing a value": (
        {"baz": "qux", "foo": "bar"},
        [op("replace", "/baz", value="boo")],
        {"baz": "boo", "foo": "bar"},
    ),
    "A.6 moving a value": (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [op("move", "/qux/thud", from_="/foo/waldo")],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    "A.7 moving an array element": (
        {"foo": ["all", "grass", "cows", "eat"]},
        [op("move", "/foo/3", from_="/foo/1")],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    "A.8 testing a value: success": (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [op("test", "/baz", value="qux"), op("test", "/foo/1", value=2)],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    "A.10 adding a nested member object": (
        {"foo": "bar"},
        [op("add", "/child", value={"grandchild": {}})],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    "A.11 ignoring unrecognized elements": (
        {"foo": "bar"},
        [op("add", "/baz", value="qux", xyz=123)],
        {"foo": "bar", "baz": "qux"},
    ),
    "A.14 ~ escape ordering": (
        {"/": 9, "~1": 10},
        [op("test", "/~01", value=10)],
        {"/": 9, "~1": 10},
    ),
    "A.16 adding an array value": (
        {"foo": ["bar"]},
        [op("add", "/foo/-", value=["abc", "def"])],
        {"foo": ["bar", ["abc", "def"]]},
    ),
}

APPENDIX_A_ERRORS: dict[str, tuple[Any, list[Op]]] = {
    "A.9 testing a value: error": ({"baz": "qux"}, [op("test", "/baz", value="bar")]),
    "A.12 adding to a nonexistent target": ({"foo": "bar"}, [op("add", "/baz/bat", value="qux")]),
    "A.15 comparing strings and numbers": ({"/": 9, "~1": 10}, [op("test", "/~01", value="10")]),
}


@pytest.mark.parametrize("name", APPENDIX_A)
def test_appendix_a(name: str) -> None:
    before, ops, after = APPENDIX_A[name]
    document = Document(copy.deepcopy(before))
    undo = document.apply(ops)
    assert document.value == after
    rollback(undo)
    assert document.value == before


@pytest.mark.parametrize("name", APPENDIX_A_ERRORS)
def test_appendix_a_errors(name: str) -> None:
    before, ops = APPENDIX_A_ERRORS[name]
    document = Document(copy.deepcopy(before))
    with pytest.raises(InvalidPatch):
        document.apply(ops)
    assert document.value == before


def test_appendix_a_13_of_two_members_of_one_name_the_last_counts() -> None:
    """RFC 6902 calls `{"op": "add", ..., "op": "remove"}` invalid; our JSON decoder has already kept one of them."""
    ops = orjson.loads('[{"op": "add", "path": "/baz", "value": "qux", "op": "remove"}]')
    with pytest.raises(InvalidPatch, match="nothing at '/baz'"):
        Document({"foo": "bar"}).apply(ops)


WRONG = {
    "ops is no array": {"op": "add"},
    "ops is null": None,
    "operation is no object": ["add"],
    "no op": [{"path": "/a"}],
    "op is no string": [{"op": 1, "path": "/a"}],
    "unknown op": [op("merge", "/a", value=1)],
    "upper case": [op("ADD", "/a", value=1)],
    "private name": [op("_put", "/a", value=1)],
    "no path": [{"op": "add", "value": 1}],
    "path is no string": [{"op": "remove", "path": ["a"]}],
    "path without slash": [op("remove", "a")],
    "lonely tilde": [op("add", "/~", value=1)],
    "unknown escape": [op("add", "/~2", value=1)],
    "no value": [op("add", "/x")],
    "no value to replace with": [op("replace", "/a")],
    "no value to test": [op("test", "/a")],
    "no from": [op("copy", "/x")],
    "from is no string": [op("move", "/x", from_=0)],
    "nothing there to remove": [op("remove", "/x")],
    "nothing there to replace": [op("replace", "/x", value=1)],
    "nothing there to copy": [op("copy", "/y", from_="/x")],
    "nothing there to test": [op("test", "/x", value=None)],
    "inside a scalar": [op("add", "/a/b/c/d", value=1)],
    "index beyond the end": [op("add", "/list/4", value=1)],
    "replace behind the end": [op("replace", "/list/-", value=1)],
    "remove behind the end": [op("remove", "/list/-")],
    "negative index": [op("remove", "/list/-1")],
    "leading zero": [op("remove", "/list/01")],
    "no index": [op("remove", "/list/one")],
    "fraction": [op("remove", "/list/1.0")],
    "index with blanks": [op("remove", "/list/ 1")],
    "foreign digits": [op("remove", "/list/\u0661")],
    "superscript": [op("remove", "/list/²")],
    "enormous index": [op("remove", "/list/" + "9" * 5000)],
    "into itself": [op("move", "/a/b/x", from_="/a")],
    "the whole": [op("remove", "")],
    "move the whole": [op("move", "/x", from_="")],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_changes_nothing(name: str) -> None:
    before = {"a": {"b": {"c": 1}}, "list": [1, 2, 3]}
    document = Document(copy.deepcopy(before))
    with pytest.raises(InvalidPatch):
        document.apply(WRONG[name])
    assert document.value == before


@pytest.mark.parametrize("index", [0, 1, 3])
def test_an_error_points_to_its_operation(index: int) -> None:
    ops = [op("add", f"/{n}", value=n) for n in range(index)] + [op("remove", "/missing")]
    with pytest.raises(InvalidPatch) as refused:
        Document({}).apply(ops)
    assert refused.value.pointer == f"/ops/{index}"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (0.0, False, False),
        (None, False, False),
        ("1", 1, False),
        ([1], [True], False),
        ([1], (1,), False),
        ([], {}, False),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1.0}]}, True),
    ],
)
def test_equality_is_that_of_json(left: Any, right: Any, same: bool) -> None:
    assert equal(left, right) is same
    assert equal(right, left) is same


def test_what_was_handed_in_is_not_shared() -> None:
    value = {"list": [1]}
    document = Document({})
    document.apply([op("add", "/a", value=value), op("copy", "/b", from_="/a"), op("replace", "/a", value=value)])
    document.apply([op("add", "/a/list/-", value=2)])
    assert value == {"list": [1]}
    assert document.value == {"a": {"list": [1, 2]}, "b": {"list": [1]}}


def test_undo_keeps_a_value_that_was_null() -> None:
    document = Document({"a": None})
    rollback(document.apply([op("replace", "/a", value=1), op("add", "/a", value=2), op("remove", "/a")]))
    assert document.value == {"a": None}


# depth


@pytest.mark.parametrize("levels", [0, 1, 2, MAX_DEPTH])
def test_depth_counts_containers(levels: int) -> None:
    assert depth(nested(levels)) == levels


def test_a_state_may_be_as_deep_as_the_limit() -> None:
    document = Document({})
    document.apply([op("replace", "", value=nested(MAX_DEPTH))])
    assert depth(document.value) == MAX_DEPTH
    document.apply([op("replace", "", value={}), op("add", "/a", value=nested(MAX_DEPTH - 1))])
    assert depth(document.value) == MAX_DEPTH


@pytest.mark.parametrize(
    "ops",
    [
        [op("replace", "", value=nested(MAX_DEPTH + 1))],
        [op("add", "/b", value=nested(MAX_DEPTH))],
        [op("replace", "/a", value=nested(MAX_DEPTH))],
        [op("add", "/b", value=nested(1000))],
        [op("replace", "/a", value=nested(1000))],
        [op("test", "/a", value=nested(1000))],
        [op("copy", "/a/a", from_="")] * MAX_DEPTH,
        [op("add", "/b", value=nested(MAX_DEPTH - 1)), op("move", "/a/b", from_="/b")],
    ],
)
def test_a_state_cannot_become_deeper_than_its_limit(ops: list[Op]) -> None:
    document = Document({"a": {}})
    with pytest.raises(InvalidPatch):
        document.apply(ops)
    assert document.value == {"a": {}}


@pytest.mark.parametrize("path", ["/a/-", "/a/1"])
def test_copies_of_copies_are_bounded(path: str) -> None:
    """Sixty operations would make 2**60 values, no deeper than a state may be."""
    document = Document({"a": [0]})
    with pytest.raises(InvalidPatch, match="copies"):
        document.apply([op("copy", path, from_="/a")] * 60)
    assert document.value == {"a": [0]}
    document.apply([op("copy", path, from_="/a")] * 5)


# against another implementation

KEYS = ["a", "b", "~", "/", "", "0", "ä"]
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "ü"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from(KEYS), values, max_size=4)


def places(value: Any, path: str = "") -> list[str]:
    """The pointers to all that is in a value."""
    if isinstance(value, dict):
        inside = [(key.replace("~", "~0").replace("/", "~1"), item) for key, item in value.items()]
    else:
        inside = [(str(index), item) for index, item in enumerate(value)] if isinstance(value, list) else []
    return [path] + [place for token, item in inside for place in places(item, f"{path}/{token}")]


def at(value: Any, path: str) -> Any:
    for token in path.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


@st.composite
def targets(draw: st.DrawFn, value: Any) -> str:
    """Somewhere to put something: over what is there, under a new key, into an array."""
    path = draw(st.sampled_from(places(value)))
    found = at(value, path)
    if isinstance(found, dict):
        return path + "/" + draw(st.sampled_from(["new", "a", "~1", "~0"]))
    if isinstance(found, list):
        return path + "/" + draw(st.sampled_from(["-", "0", str(len(found))]))
    return path


@st.composite
def operations(draw: st.DrawFn, value: Any) -> Op:
    """Mostly valid, sometimes not."""
    name = draw(st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]))
    place = draw(st.sampled_from(places(value)))
    if name in ("move", "copy"):
        return op(name, draw(targets(value)), from_=place)
    if name == "test":
        return op(name, place, value=draw(st.sampled_from([copy.deepcopy(at(value, place)), "no"])))
    if name == "remove":
        return op(name, place + draw(st.sampled_from(["", "", "", "/gone"])))
    return op(name, draw(targets(value)) if name == "add" else place, value=draw(values))


@st.composite
def patches(draw: st.DrawFn) -> tuple[Any, list[Op]]:
    """A value and operations, each made for what the earlier ones leave."""
    before = draw(objects)
    document = Document(copy.deepcopy(before))
    ops: list[Op] = []
    for _ in range(draw(st.integers(1, 5))):
        made = draw(operations(document.value))
        ops.append(made)
        try:
            document.apply([made])
        except InvalidPatch:
            break
    return before, ops


def oracle(value: Any, ops: list[Op]) -> Any:
    return jsonpatch.apply_patch(value, copy.deepcopy(ops), in_place=False)


def deviates(ops: list[Op], before: Any) -> bool:
    """Where the oracle is known to differ: it removes or moves the whole value, and takes 1 for true."""
    whole = any(made["op"] == "remove" and made["path"] == "" for made in ops)
    moved = any(made["op"] == "move" and made["from"] == "" for made in ops)
    return whole or moved or any(made["op"] == "test" for made in ops)


@settings(max_examples=300)
@given(patches())
def test_valid_patches_agree_with_another_implementation_and_can_be_undone(case: tuple[Any, list[Op]]) -> None:
    before, ops = case
    document = Document(copy.deepcopy(before))
    try:
        undo = document.apply(ops)
    except InvalidPatch:
        assert document.value == before, "all or none"
        assert orjson.dumps(document.value, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
            before, option=orjson.OPT_SORT_KEYS
        )
        if not deviates(ops, before):
            with pytest.raises((jsonpatch.JsonPatchException, jsonpatch.JsonPointerException)):
                oracle(before, ops)
        return
    assert equal(document.value, oracle(before, ops))
    rollback(undo)
    assert equal(document.value, before)


@settings(max_examples=150)
@given(patches(), st.sampled_from([[op("remove", "/never/there")], [None], [op("test", "", value="no")]]))
def test_a_patch_that_fails_at_its_end_leaves_the_value_as_it_was(case: tuple[Any, list[Op]], end: list[Any]) -> None:
    before, ops = case
    document = Document(copy.deepcopy(before))
    with pytest.raises(InvalidPatch):
        document.apply(ops + end)
    assert equal(document.value, before)
