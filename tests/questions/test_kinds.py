"""What can be asked, and what each kind of question accepts: rules without I/O."""

from __future__ import annotations

from typing import Any

import pytest
from tests.questions.kit import SCHEMA, new

from antiphon.errors import InputError, InvalidParams, TooLarge
from antiphon.services.questions.kinds import Reply, default_reply, reply_to
from antiphon.services.questions.rows import as_json, asked_row
from antiphon.services.questions.values import new_question_id, read_question

RUN = {"run_id": "r1", "name": "deploy"}
OPTIONS = [{"value": "yes"}, {"value": "no", "label": "No"}, {"value": 1}, {"value": None}]


def row(**wanted: Any) -> dict[str, Any]:
    return asked_row("q1", RUN, new(**wanted), 1_700_000_000.0)


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ({}, "text"),
        ({"options": OPTIONS}, "choice"),
        ({"options": ["a", "b"]}, "choice"),
        ({"schema": SCHEMA}, "form"),
        ({"value": {"name": "abc"}}, "approval"),
        ({"value": {"name": "abc"}, "schema": SCHEMA}, "approval"),
        ({"kind": "approval"}, "approval"),
        ({"kind": "text", "schema": {"maxLength": 3}}, "text"),
    ],
)
def test_the_kind_follows_from_what_is_given(wanted: dict[str, Any], kind: str) -> None:
    assert row(**wanted)["kind"] == kind


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"kind": "choice"}, "/params/options"),
        ({"kind": "text", "options": OPTIONS}, "/params/options"),
        ({"options": ["a", "b", "a"]}, "/params/options/2/value"),
        ({"options": [1, 1.0]}, "/params/options/1/value"),
        ({"kind": "form"}, "/params/schema"),
        ({"options": OPTIONS, "schema": SCHEMA}, "/params/schema"),
        ({"kind": "text", "value": 3}, "/params/value"),
        ({"value": {"name": "a"}, "schema": SCHEMA}, "/params/value/name"),
        ({"schema": {"type": "objekt"}}, "/params/schema/type"),
        ({"schema": {"properties": {"a": {"minLength": "2"}}}}, "/params/schema/properties/a/minLength"),
        ({"schema": {"properties": {"a": {"pattern": "("}}}}, "/params/schema/properties/a/pattern"),
        ({"schema": {"properties": {"a": {"pattern": "a(?=b)"}}}}, "/params/schema/properties/a/pattern"),
        ({"schema": {"patternProperties": {"a": True}}}, "/params/schema/patternProperties"),
        ({"schema": {"$ref": "https://example.com/schema"}}, "/params/schema/$ref"),
        ({"schema": {"properties": {"a": {"$ref": "#/$defs/b"}}}}, "/params/schema/properties/a/$ref"),
        ({"schema": {"$ref": "#"}}, "/params/schema"),
        ({"schema": SCHEMA, "default": {"name": "abc", "count": -1}}, "/params/default/count"),
        ({"schema": SCHEMA, "default": {}}, "/params/default/name"),
        ({"options": OPTIONS, "default": "maybe"}, "/params/default"),
        ({"default": 5}, "/params/default"),
        ({"kind": "approval", "default": "answer"}, "/params/default"),
        ({"kind": "approval", "default": {"action": "answer"}}, "/params/default/action"),
        ({"value": 1, "default": {"action": "burn"}}, "/params/default/action"),
        (
            {"value": {"name": "abc"}, "schema": SCHEMA, "default": {"action": "edit", "answer": {}}},
            "/params/default/answer/name",
        ),
        ({"value": {1, 2}}, "/params"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(wanted: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidParams) as refused:
        row(**wanted)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"prompt": ""}, "/params/prompt"),
        ({"prompt": "?", "kind": "riddle"}, "/params/kind"),
        ({"prompt": "?", "timeout_s": 0}, "/params/timeout_s"),
        ({"prompt": "?", "timeout_s": float("inf")}, "/params/timeout_s"),
        ({"prompt": "?", "options": []}, "/params/options"),
        ({"prompt": "?", "question_id": "a b"}, "/params/question_id"),
        ({"prompt": "?", "colour": "red"}, "/params/colour"),
        ({}, "/params/prompt"),
    ],
)
def test_what_enters_is_checked(wanted: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidParams) as refused:
        read_question(wanted)
    assert refused.value.pointer == pointer


CHOICE = {"options": OPTIONS}
FORM = {"schema": SCHEMA}
APPROVAL = {"value": {"name": "abc"}, "schema": SCHEMA}
PLAIN_APPROVAL: dict[str, Any] = {"kind": "approval"}


@pytest.mark.parametrize(
    ("wanted", "action", "answer", "reply"),
    [
        (CHOICE, None, "yes", Reply("answer", "yes")),
        (CHOICE, "answer", 1.0, Reply("answer", 1.0)),
        (CHOICE, None, None, Reply("answer", None)),
        (FORM, None, {"name": "ab", "count": 3}, Reply("answer", {"name": "ab", "count": 3})),
        (FORM, "reject", "not now", Reply("reject", "not now")),
        ({}, None, "", Reply("answer", "")),
        ({"kind": "text", "schema": {"maxLength": 3}}, "answer", "abc", Reply("answer", "abc")),
        (APPROVAL, "approve", None, Reply("approve", {"name": "abc"})),
        (APPROVAL, "approve", {"name": "abc"}, Reply("approve", {"name": "abc"})),
        (APPROVAL, "edit", {"name": "xyz"}, Reply("edit", {"name": "xyz"})),
        (APPROVAL, "reject", None, Reply("reject", None)),
        (PLAIN_APPROVAL, "approve", None, Reply("approve", None)),
        (PLAIN_APPROVAL, "reject", "why not", Reply("reject", "why not")),
        ({"value": [1, 2]}, "edit", [1], Reply("edit", [1])),
    ],
)
def test_an_answer_that_fits(wanted: dict[str, Any], action: str | None, answer: Any, reply: Reply) -> None:
    assert reply_to(row(**wanted), action, answer) == reply


@pytest.mark.parametrize(
    ("wanted", "action", "answer", "pointer"),
    [
        (CHOICE, None, "maybe", "/params/answer"),
        (CHOICE, None, True, "/params/answer"),
        (CHOICE, "approve", "yes", "/params/action"),
        (CHOICE, "reject", None, "/params/action"),
        (FORM, None, {"name": "a"}, "/params/answer/name"),
        (FORM, None, {"count": 1}, "/params/answer/name"),
        (FORM, None, {"name": "ab", "count": 1.5}, "/params/answer/count"),
        (FORM, None, {"name": "ab", "colour": "red"}, "/params/answer"),
        (FORM, None, "text", "/params/answer"),
        (
            {"schema": {"properties": {"a/b": {"type": "array", "items": {"type": "null"}}}}},
            None,
            {"a/b": [None, 1]},
            "/params/answer/a~1b/1",
        ),
        (FORM, "edit", {"name": "ab"}, "/params/action"),
        ({}, None, None, "/params/answer"),
        ({}, None, 3, "/params/answer"),
        ({"kind": "text", "schema": {"maxLength": 3}}, None, "abcd", "/params/answer"),
        (APPROVAL, None, None, "/params/action"),
        (APPROVAL, "answer", {"name": "abc"}, "/params/action"),
        (APPROVAL, "approve", {"name": "xyz"}, "/params/answer"),
        (APPROVAL, "edit", {"name": "x"}, "/params/answer/name"),
        (APPROVAL, "edit", None, "/params/answer"),
        (APPROVAL, "reject", {"why": 1}, "/params/answer"),
        (PLAIN_APPROVAL, "edit", 1, "/params/answer"),
        (PLAIN_APPROVAL, "burn", None, "/params/action"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_its_place(
    wanted: dict[str, Any], action: str | None, answer: Any, pointer: str
) -> None:
    with pytest.raises(InvalidParams) as refused:
        reply_to(row(**wanted), action, answer)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    ("wanted", "default", "reply"),
    [
        (CHOICE, "no", Reply("answer", "no")),
        (CHOICE, None, Reply("answer", None)),
        ({}, "nothing", Reply("answer", "nothing")),
        (FORM, {"name": "ab"}, Reply("answer", {"name": "ab"})),
        (FORM, "reject", Reply("reject", None)),
        ({"schema": {"type": "string"}}, "reject", Reply("answer", "reject")),
        (APPROVAL, "approve", Reply("approve", {"name": "abc"})),
        (APPROVAL, "reject", Reply("reject", None)),
        (APPROVAL, {"action": "edit", "answer": {"name": "xyz"}}, Reply("edit", {"name": "xyz"})),
        (APPROVAL, {"action": "reject", "answer": "late"}, Reply("reject", "late")),
    ],
)
def test_a_default_is_an_answer(wanted: dict[str, Any], default: Any, reply: Reply) -> None:
    asked = row(**wanted, default=default)
    assert asked["has_default"]
    assert default_reply(asked) == reply


def test_null_is_a_default_only_where_it_was_given() -> None:
    assert not row()["has_default"]
    with pytest.raises(InvalidParams):
        row(default=None)  # a text is never null


def test_references_inside_the_schema_lead_somewhere() -> None:
    """As pydantic writes them."""
    schema = {"$defs": {"Tree": {"properties": {"below": {"items": {"$ref": "#/$defs/Tree"}}}}}, "$ref": "#/$defs/Tree"}
    asked = row(schema=schema)
    reply_to(asked, None, {"below": [{"below": []}]})


def test_an_older_draft_is_understood() -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}]}
    with pytest.raises(InvalidParams) as refused:
        reply_to(row(schema=schema), None, ["a"])
    assert refused.value.pointer == "/params/answer/0"


@pytest.mark.timeout(20)
def test_no_pattern_takes_for_ever() -> None:
    asked = row(schema={"type": "string", "pattern": "^(a+)+$"})
    with pytest.raises(InvalidParams) as refused:
        reply_to(asked, None, "a" * 50_000 + "b")
    assert refused.value.pointer == "/params/answer"
    reply_to(asked, None, "a" * 50_000)


@pytest.mark.parametrize("pattern", [r"^\d{3}-\w+$", r"^https?:\/\/", r"^[^@\s]+@[^@\s]+$", r"^\p{L}+$", "b"])
def test_usual_patterns_match(pattern: str) -> None:
    texts = {"123-abc", "http://x", "a@b", "äbc", "abc"}
    asked = row(schema={"type": "string", "pattern": pattern})
    fitting = []
    for text in sorted(texts):
        try:
            fitting.append(reply_to(asked, None, text).answer)
        except InvalidParams:
            continue
    assert fitting


def test_a_sentence_about_a_large_value_is_short() -> None:
    with pytest.raises(InvalidParams) as refused:
        reply_to(row(schema={"type": "integer"}), None, "x" * 10_000)
    assert len(refused.value.message) < 400


def test_sizes_have_a_bound() -> None:
    with pytest.raises(TooLarge):
        row(value="x" * (1 << 20))
    with pytest.raises(TooLarge):
        as_json("x" * (1 << 20), at="/params/answer")
    with pytest.raises(InputError):
        as_json(object(), at="/params/answer")


def test_ids_sort_by_time() -> None:
    made = [new_question_id(1_700_000_000 + moment / 1000) for moment in range(0, 100_000, 997)]
    assert made == sorted(made)
    assert all(len(name) == 22 for name in made)
