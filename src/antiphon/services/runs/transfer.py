"""A run as a file: one line of JSON that says what it is, then its events, one a line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from antiphon.errors import InvalidParams
from antiphon.hub import Hub
from antiphon.messages import Event, NewEvent, encode_time
from antiphon.services.runs.outcome import Outcome
from antiphon.services.runs.record import Record
from antiphon.services.runs.says import CUSTOM, MODELS
from antiphon.services.runs.states import ENDED
from antiphon.services.runs.values import NewRun, run_channel
from antiphon.services.table import Row

FORMAT: Final = 1
PAGE: Final = 500
UNFINISHED: Final = "exported before its end"
_OUTCOMES: Final = frozenset(f"run.{status}" for status in ENDED)
_OURS: Final = frozenset({"run.started", "run.status", "run.child"})
_QUESTIONS: Final = frozenset({"question.asked", "question.answered", "question.withdrawn"})
_KNOWN: Final = _OUTCOMES | _OURS | _QUESTIONS | MODELS.keys()


class _Head(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    antiphon_run: Literal[1]
    run: dict[str, Any]


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    offset: Annotated[int, Field(ge=1)]
    type: str
    time: str
    by: str | None = None
    data: Any


class Imported(NamedTuple):
    """What a file holds, for a run of another id."""

    events: list[NewEvent]
    row: Row  # without what only this server knows


async def export(hub: Hub, record: Record, row: Row) -> AsyncIterator[bytes]:
    """The lines, each with its end. The events are those that are stored by now."""
    yield orjson.dumps({"antiphon_run": FORMAT, "run": row}) + b"\n"
    head = (await hub.history(record.channel, limit=1)).head
    after = 0
    while after < head:
        events = (await hub.history(record.channel, after=after, before=head + 1, limit=PAGE)).events
        if not events:
            return
        for event in events:
            yield encode(event)
        after = events[-1].offset


def encode(event: Event) -> bytes:
    """One line; the data as they were stored, byte for byte."""
    facts = {"offset": event.offset, "type": event.type, "time": encode_time(event.time_ms), "by": event.by}
    return orjson.dumps(facts)[:-1] + b',"data":' + event.payload + b"}\n"


def decode(lines: Iterable[bytes], run_id: str) -> Imported:
    """Read what `export` gave. Raises InvalidParams, whose message names the line."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    row = _head(next(numbered, (1, b"")))
    events = list(_events(numbered, run_channel(run_id)))
    if not events or events[0].type != "run.started":
        raise InvalidParams("line 2: the first event of a run is run.started", pointer="/params")
    if events[-1].type not in _OUTCOMES:
        lost = Outcome("lost", reason=UNFINISHED).event(run_id)
        events.append(lost._replace(time_ms=events[-1].time_ms))
    return Imported(events, _row(row, events[-1], run_id))


def _head(numbered: tuple[int, bytes]) -> Mapping[str, Any]:
    try:
        row = _Head.model_validate(_json(numbered)).run
        NewRun.model_validate({key: row.get(key) for key in ("name", "title", "thread_id")} | {"labels": row["labels"]})
    except (ValidationError, KeyError) as exc:
        raise InvalidParams(f'line {numbered[0]}: no head {{"antiphon_run": 1, "run": ...}}: {exc}') from None
    return row


def _events(numbered: Iterable[tuple[int, bytes]], channel: str) -> Iterator[NewEvent]:
    ended = False
    for number, line in numbered:
        try:
            found = _Line.model_validate(_json((number, line)))
            moment = datetime.fromisoformat(found.time)
        except (ValidationError, ValueError) as exc:
            raise InvalidParams(f"line {number}: no event: {exc}", pointer="/params") from None
        if ended or (found.type not in _KNOWN and not CUSTOM.fullmatch(found.type)):
            raise InvalidParams(f"line {number}: {found.type[:80]!r} cannot stand here", pointer="/params")
        ended = found.type in _OUTCOMES
        time_ms = round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
        yield NewEvent(channel, found.type, orjson.dumps(found.data), found.by, time_ms=time_ms)


def _json(numbered: tuple[int, bytes]) -> Any:
    try:
        return orjson.loads(numbered[1])
    except orjson.JSONDecodeError as exc:
        raise InvalidParams(f"line {numbered[0]}: no JSON: {exc}", pointer="/params") from None


def _row(exported: Mapping[str, Any], last: NewEvent, run_id: str) -> Row:
    """What may be believed of the exported row: words for people, and the outcome that the events show."""
    status = last.type.removeprefix("run.")
    outcome = orjson.loads(last.payload)
    at = encode_time(last.time_ms or 0)
    usage = exported.get("usage")
    progress = exported.get("progress")
    return {
        "run_id": run_id,
        "name": exported["name"],
        "title": exported.get("title"),
        "status": status,
        "reason": outcome.get("reason"),
        "thread_id": exported.get("thread_id"),
        "parent_run_id": None,  # ids of another server mean nothing here
        "by": _text(exported.get("by")),
        "labels": dict(exported["labels"]),
        "created_at": _text(exported.get("created_at")) or at,
        "started_at": _text(exported.get("started_at")),
        "ended_at": _text(exported.get("ended_at")) or at,
        "progress": progress if isinstance(progress, int | float) else None,
        "progress_message": _text(exported.get("progress_message")),
        "usage": usage if isinstance(usage, dict) else {},
        "questions": 0,
        "error": outcome.get("error"),
        "owner": {"kind": "imported", "client": None, "pid": None},
        "on_disconnect": "continue",
        "tool": _text(exported.get("tool")),
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
