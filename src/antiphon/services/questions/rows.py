"""A question's row in the table and its events: plain functions from one row to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from antiphon.errors import InvalidParams, TooLarge
from antiphon.hub.patch import equal
from antiphon.messages import NewEvent, encode_time
from antiphon.services.questions.kinds import Kind, Reply, default_reply
from antiphon.services.questions.values import QUESTIONS, NewQuestion
from antiphon.services.schemas import check_schema, check_value
from antiphon.services.table import Row, row_ops

MAX_QUESTION_BYTES = 256 << 10  # of a row as JSON: all who watch the table are sent it
MAX_ANSWER_BYTES = 64 << 10
_ASKED = ("kind", "prompt", "details", "options", "schema", "value", "has_default", "default")


def asked_row(question_id: str, run: Row, wanted: NewQuestion, now_s: float) -> Row:
    """The row of a new question.

    Raises:
        InvalidParams: It makes no sense as it stands; `.pointer` says where.
        TooLarge: It is larger than a row may be.
    """
    row: Row = {
        "question_id": question_id,
        "run_id": run["run_id"],
        "run_name": run["name"],
        "kind": (wanted.kind or _kind_of(wanted)).value,
        "prompt": wanted.prompt,
        "details": wanted.details,
        "options": None if wanted.options is None else [option.model_dump() for option in wanted.options],
        "schema": wanted.schema_,
        "value": wanted.value,
        "status": "open",
        "deadline": None if wanted.timeout_s is None else _moment(now_s + wanted.timeout_s),
        "has_default": wanted.has_default,
        "default": wanted.default,
        "asked_at": _moment(now_s),
        "ended_at": None,
        "action": None,
        "answer": None,
        "by": None,
        "is_default": False,
        "reason": None,
    }
    row = as_json(row, at="/params", max_bytes=MAX_QUESTION_BYTES)
    _check_asked(row)
    return row


def _kind_of(wanted: NewQuestion) -> Kind:
    if wanted.options is not None:
        return Kind.CHOICE
    if wanted.value is not None:
        return Kind.APPROVAL
    return Kind.TEXT if wanted.schema_ is None else Kind.FORM


def _check_asked(row: Row) -> None:
    _check_fitting(row)
    _check_options(row["options"] or [])
    if row["schema"] is not None:
        check_schema(row["schema"], at="/params/schema")
        if row["value"] is not None:
            check_value(row["schema"], row["value"], at="/params/value")
    if row["has_default"]:
        default_reply(row)


def _check_fitting(row: Row) -> None:
    """Raises InvalidParams where something is missing, or has no meaning for the kind."""
    kind = row["kind"]
    if (row["options"] is not None) != (kind == Kind.CHOICE):
        raise InvalidParams("a question has options if, and only if, it is a choice", pointer="/params/options")
    if row["schema"] is None and kind == Kind.FORM:
        raise InvalidParams("a form needs its schema", pointer="/params/schema")
    if row["schema"] is not None and kind == Kind.CHOICE:
        raise InvalidParams("the options of a choice are all that it accepts: no schema", pointer="/params/schema")
    if row["value"] is not None and kind != Kind.APPROVAL:
        raise InvalidParams("only an approval has a value to be approved", pointer="/params/value")


def _check_options(options: list[Row]) -> None:
    values = [option["value"] for option in options]
    for index, value in enumerate(values):
        if any(equal(value, other) for other in values[:index]):
            raise InvalidParams("two options have the same value", pointer=f"/params/options/{index}/value")


def is_same(row: Row, other: Row) -> bool:
    """Whether both ask the same in the same run."""
    return row["run_id"] == other["run_id"] and all(equal(row[name], other[name]) for name in _ASKED)


def answered_row(row: Row, reply: Reply, now_s: float, *, by: str | None, is_default: bool = False) -> Row:
    """The row once this is its answer."""
    said = {"action": reply.action.value, "answer": reply.answer, "by": by, "is_default": is_default}
    return row | said | {"status": "answered", "ended_at": _moment(now_s)}


def withdrawn_row(row: Row, reason: str, now_s: float, *, by: str | None = None) -> Row:
    """The row once nobody has to answer any more."""
    return row | {"status": "withdrawn", "reason": reason, "by": by, "ended_at": _moment(now_s)}


def due_s(row: Row) -> float | None:
    """Unix time in seconds of the deadline; None = there is none."""
    return None if row["deadline"] is None else datetime.fromisoformat(row["deadline"]).timestamp()


def event_of(row: Row, by: str | None) -> NewEvent:
    """What the run says about it."""
    kind, data = _DATA[row["status"]](row)
    payload = orjson.dumps({"question_id": row["question_id"], **data})
    return NewEvent(f"run:{row['run_id']}", kind, payload, by)


def _asked(row: Row) -> tuple[str, Row]:
    given = {name: row[name] for name in ("details", "options", "schema", "value", "deadline") if row[name] is not None}
    default = {"default": row["default"]} if row["has_default"] else {}
    return "question.asked", {"kind": row["kind"], "prompt": row["prompt"], **given, **default}


def _answered(row: Row) -> tuple[str, Row]:
    return "question.answered", {name: row[name] for name in ("answer", "action", "by", "is_default")}


def _withdrawn(row: Row) -> tuple[str, Row]:
    return "question.withdrawn", {"reason": row["reason"]}


_DATA = {"open": _asked, "answered": _answered, "withdrawn": _withdrawn}


def patch_of(changes: Iterable[tuple[Row | None, Row | None]], by: str | None = None) -> NewEvent:
    """The change of the table: of each row what it was and what it is."""
    ops: list[Row] = []
    for old, new in changes:
        name = (new or old or {})["question_id"]
        ops += row_ops(name, old, new)
    return NewEvent(QUESTIONS, "state.patch", orjson.dumps({"ops": ops}), by)


def too_late(row: Mapping[str, Any]) -> str:
    """A sentence for whoever answers a question that is not open."""
    if row["status"] == "withdrawn":
        return f"the question was withdrawn at {row['ended_at']}: {row['reason']}"
    if row["is_default"]:
        return f"the time was up: the question has had its default since {row['ended_at']}"
    return f"{row['by'] or 'the server'} has answered this question at {row['ended_at']}"


def _moment(now_s: float) -> str:
    return encode_time(int(now_s * 1000))  # never later than meant: who waits until then finds it over


def as_json(value: Any, *, at: str, max_bytes: int = MAX_ANSWER_BYTES) -> Any:
    """A copy of a JSON value, as it will be read back.

    Raises:
        InvalidParams: It is no JSON.
        TooLarge: It has more bytes.
    """
    try:
        encoded = orjson.dumps(value)
    except TypeError as exc:
        raise InvalidParams(f"this is not JSON: {exc}", pointer=at) from None
    if len(encoded) > max_bytes:
        raise TooLarge(f"this has {len(encoded)} bytes as JSON, more than {max_bytes}", pointer=at)
    return orjson.loads(encoded)
