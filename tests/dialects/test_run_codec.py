"""Streams of runs of which not everything is kept any more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.dialects.agui.client import StockClient
from tests.dialects.stories import ROW, started
from tests.dialects.streaming import EPOCH, read

from antiphon.dialects.agui import AguiTranslator
from antiphon.dialects.vercel import VercelTranslator
from antiphon.hub import Gap, State, Subscribed, Summary
from antiphon.hub.fold import Message
from antiphon.messages import Event
from antiphon.server.http.run_codec import Final, Place, RunCodec, find_place

KEPT = Summary(State(3, {"n": 1}), [Message("m1", "assistant", "one ")])


def later(*said: tuple[str, dict[str, Any]], after: int) -> list[Event]:
    story = started()
    story.events.clear()
    for kind, data in said:
        story.say(kind, **data)
    return [event._replace(offset=event.offset + after) for event in story.events]


REST = later(
    ("message.append", {"message_id": "m1", "delta": "two"}),
    ("message.close", {"message_id": "m1", "status": "completed"}),
    ("run.succeeded", {"result": 2}),
    after=10,
)


def taken(*parts: Any) -> StockClient:
    stock = StockClient()
    for entry in read(b"".join(part for encoded in parts for part in encoded.parts)):
        stock.take(json.loads(entry.data))
    return stock


@pytest.mark.parametrize("offset", [10, 11, 12])
def test_who_joins_a_run_whose_beginning_is_gone_has_what_is_known(offset: int) -> None:
    codec = RunCodec(AguiTranslator(ROW, joins=True), EPOCH, Place(offset, joins=True, skip=0))
    stock = taken(codec.begin(10, KEPT), codec.events(EPOCH, REST))
    assert stock.messages == [{"id": "m1", "role": "assistant", "content": "one two"}]
    assert (stock.state, stock.last["result"]) == ({"n": 1}, 2)


def test_a_page_is_shown_what_is_known() -> None:
    codec = RunCodec(VercelTranslator(ROW), EPOCH, Place(10, joins=True, skip=0))
    raw = b"".join(part for encoded in (codec.begin(10, KEPT), codec.events(EPOCH, REST)) for part in encoded.parts)
    chunks = [json.loads(entry.data) for entry in read(raw) if entry.data != b"[DONE]"]
    assert "".join(chunk["delta"] for chunk in chunks if chunk["type"] == "text-delta") == "one two"
    assert chunks[-1]["type"] == "finish"


def test_events_that_are_taken_before_they_could_be_sent_are_an_error_about_the_stream() -> None:
    codec = RunCodec(AguiTranslator(ROW), EPOCH, Place(0, joins=False, skip=0))
    [begun] = codec.events(EPOCH, started().events).parts
    [last] = codec.gap(Gap("run:run-1", EPOCH, 2, 10, "retention", KEPT)).parts
    assert isinstance(last, Final)
    assert b"\nid:" not in last
    assert codec.events(EPOCH, REST).parts == ()
    stock = taken()
    for entry in read(begun + last):
        stock.take(json.loads(entry.data))
    assert stock.last["code"] == "antiphon.gap"


def test_what_is_taken_before_one_has_joined_is_no_matter() -> None:
    codec = RunCodec(AguiTranslator(ROW, joins=True), EPOCH, Place(8, joins=True, skip=0))
    parts = [codec.begin(0, None), codec.gap(Gap("run:run-1", EPOCH, 1, 10, "retention", KEPT))]
    stock = taken(*parts, codec.events(EPOCH, REST))
    assert stock.messages == [{"id": "m1", "role": "assistant", "content": "one two"}]


def test_who_goes_on_behind_a_place_that_is_gone_is_told() -> None:
    codec = RunCodec(AguiTranslator(ROW), EPOCH, Place(5, joins=False, skip=0))
    codec.begin(0, None)
    [last] = codec.gap(Gap("run:run-1", EPOCH, 2, 10, "retention", KEPT)).parts
    assert json.loads(read(last)[0].data)["code"] == "antiphon.gap"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("e1:7", Place(7, joins=False, skip=0)),
        ("e1:7+2", Place(7, joins=False, skip=2)),
        ("e1:9~1", Place(9, joins=True, skip=1)),
        ("e1:2", None),  # trimmed
        ("e1:10", None),  # to come
        ("e2:7", None),
        ("e1:7*1", None),
        ("", None),
        (None, None),
    ],
)
def test_places_are_found_again_where_they_can_be(text: str | None, place: Place | None) -> None:
    assert find_place(text, Subscribed("e1", 3, 9, 4, True, None)) == place
