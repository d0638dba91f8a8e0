"""Any run as AG-UI events: what the stock client accepts, and adds up to what the run has said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.agui.client import StockClient
from tests.dialects.stories import ROW, RUN, Story, started, stories
from tests.dialects.streaming import EPOCH, Entry, read, streamed

from antiphon.dialects.agui import AguiTranslator
from antiphon.hub import Subscribed
from antiphon.server.http.run_codec import Place, find_place

BATCHES = st.lists(st.integers(1, 5), max_size=10)


def place_of(entry: Entry, head: int) -> Place:
    found = find_place(entry.id, Subscribed(EPOCH, 0, head, 1, True, None))
    assert found is not None, entry
    return found


def taken(entries: list[Entry], client: StockClient | None = None) -> StockClient:
    client = client or StockClient()
    for entry in entries:
        client.take(json.loads(entry.data))
    return client


def sum_of(client: StockClient) -> tuple[Any, ...]:
    texts = [(message["role"], message["content"]) for message in client.messages if "content" in message]
    calls = [
        (call["function"]["name"], call["function"]["arguments"])
        for message in client.messages
        for call in message.get("toolCalls", [])
    ]
    results = {message["toolCallId"]: message["content"] for message in client.messages if message["role"] == "tool"}
    return [text for text in texts if text[0] != "tool"], sorted(calls), sorted(results.values()), client.state


def sum_of_story(story: Story) -> tuple[Any, ...]:
    texts = [tuple(text) for text in story.texts.values()]
    calls = sorted((name, arguments) for name, arguments, _ in story.calls.values())
    results = sorted(result for _, _, result in story.calls.values() if result is not None)
    has_state = any(event.type == "state.patch" for event in story.events)
    return texts, calls, results, story.state.value if has_state else None


@given(stories(), BATCHES)
def test_any_run_adds_up_at_the_client_to_what_it_has_said(story: Story, batches: list[int]) -> None:
    raw = streamed(AguiTranslator(ROW), story.events, batches=batches)
    assert sum_of(taken(read(raw))) == sum_of_story(story)


@given(stories(), st.data())
def test_who_joins_anywhere_has_the_same_in_the_end(story: Story, data: st.DataObject) -> None:
    whole = taken(read(streamed(AguiTranslator(ROW), story.events)))
    offset = data.draw(st.integers(1, len(story.events)))
    joined = taken(read(streamed(AguiTranslator(ROW, joins=True), story.events, Place(offset, joins=True, skip=0))))
    assert joined.messages == whole.messages
    assert joined.state == whole.state
    assert joined.last == whole.last or joined.last["type"] == "MESSAGES_SNAPSHOT" or "timestamp" not in joined.last


@given(stories(asks=True), st.data())
def test_a_stream_goes_on_behind_every_entry_with_the_very_bytes(story: Story, data: st.DataObject) -> None:
    joins = data.draw(st.booleans())
    head = len(story.events)
    first = Place(data.draw(st.integers(1, head)), joins=True, skip=0) if joins else Place(0, joins=False, skip=0)
    entries = read(streamed(AguiTranslator(ROW, joins=joins), story.events, first))
    assert len({entry.id for entry in entries}) == len(entries)
    for index, entry in enumerate(entries):
        place = place_of(entry, head)
        rest = read(streamed(AguiTranslator(ROW, joins=place.joins), story.events, place))
        assert rest == entries[index + 1 :], entry


@given(stories(asks=True))
def test_a_question_ends_the_run_and_whoever_answers_joins_it(story: Story) -> None:
    client = taken(read(streamed(AguiTranslator(ROW, run_id="r1"), story.events)))
    asked = [event.offset for event in story.events if event.type == "question.asked"]
    if not asked:
        return
    assert [found["id"] for found in client.last["outcome"]["interrupts"]]
    for offset in range(asked[0], len(story.events) + 1):
        place = Place(offset, joins=True, skip=0)
        resumed = StockClient(client.messages, client.state)
        taken(read(streamed(AguiTranslator(ROW, run_id="r2", joins=True), story.events, place)), resumed)
    assert sum_of(resumed) == sum_of_story(story)


@given(stories(ends=True))
def test_a_run_that_was_cancelled_never_reads_as_success(story: Story) -> None:
    kind = story.events[-1].type
    for legacy in (False, True):
        last = taken(read(streamed(AguiTranslator(ROW, legacy=legacy), story.events))).last
        succeeded = last["type"] == "RUN_FINISHED" and last.get("outcome", {"type": "success"})["type"] == "success"
        assert succeeded == (kind == "run.succeeded")
        assert (last["type"] == "RUN_ERROR") == (
            kind in ("run.failed", "run.lost") or (legacy and kind == "run.cancelled")
        )


SENT = {
    "thread_id": "thread/1",
    "run_id": "run/1",
    "messages": [
        {"id": "a", "role": "user", "content": "hello"},
        {"id": "b", "role": "assistant", "toolCalls": [
            {"id": "c", "type": "function", "function": {"name": "search", "arguments": "{}"}}]},
        {"id": "d", "role": "tool", "toolCallId": "c", "content": "3"},
        {"id": "e", "role": "user", "content": [{"type": "text", "text": "and now?"}]},
    ],
}  # fmt: skip


@given(stories(), st.data())
def test_names_that_the_client_has_used_are_not_used_again(story: Story, data: st.DataObject) -> None:
    """Nothing is added to older messages; who joins later has what the client had sent."""
    before = StockClient(SENT["messages"])
    events = [story.events[0], story.events[0]._replace(type="x.agui.input", payload=json.dumps(SENT).encode())]
    events += [event._replace(offset=event.offset + 1) for event in story.events[1:]]
    events[1] = events[1]._replace(offset=2)
    client = taken(read(streamed(AguiTranslator(ROW, sent=SENT), events)), before)
    assert client.messages[:1] == SENT["messages"][:1]
    assert [message for message in client.messages if message["id"] == "d"] == [SENT["messages"][2]]
    offset = data.draw(st.integers(2, len(events)))
    joined = taken(read(streamed(AguiTranslator(ROW, joins=True), events, Place(offset, joins=True, skip=0))))
    assert joined.messages == client.messages
    assert {"threadId": "thread/1", "runId": "run/1"}.items() <= json.loads(
        read(streamed(AguiTranslator(ROW, joins=True), events, Place(offset, joins=True, skip=0)))[0].data
    ).items()


def test_the_message_that_the_client_has_sent_is_not_said_to_it_again() -> None:
    story = started()
    story.say("x.agui.input", **SENT)
    for name, role in (("u1", "user"), ("m1", "assistant"), ("u2", "user")):
        story.say("message.open", message_id=name, role=role)
        story.say("message.append", message_id=name, delta=f"I am {name}")
        story.say("message.close", message_id=name, status="completed")
    client = taken(read(streamed(AguiTranslator(ROW, sent=SENT), story.events)), StockClient(SENT["messages"]))
    assert [message["content"] for message in client.messages[4:]] == ["I am m1", "I am u2"]


def test_calls_for_the_client_are_left_pending() -> None:
    story = started()
    story.say("x.client_tool", tool_call_id="c1", name="pick", arguments='{"of": 2}')
    story.say("run.succeeded", result={"text": ""})
    client = taken(read(streamed(AguiTranslator(ROW), story.events)))
    assert client.last["outcome"] == {"type": "success", "pendingToolCallIds": ["c1"]}
    assert client.messages[0]["toolCalls"][0]["function"] == {"name": "pick", "arguments": '{"of": 2}'}


def test_an_approval_of_a_call_names_the_call() -> None:
    story = started()
    story.say("tool.start", tool_call_id="c1", name="send")
    story.say("tool.args", tool_call_id="c1", delta='{"to": "ann"}')
    story.say("question.asked", question_id="q1", kind="approval", prompt="Call send?", value={"to": "ann"})
    last = taken(read(streamed(AguiTranslator(ROW), story.events))).last
    [asked] = last["outcome"]["interrupts"]
    assert (asked["id"], asked["toolCallId"], asked["reason"]) == ("q1", "c1", "tool_call")
    assert asked["responseSchema"]["required"] == ["approved"]
    assert last["runId"] == RUN


def test_a_client_from_before_1_0_is_sent_nothing_it_does_not_know() -> None:
    story = started()
    story.say("run.usage", input_tokens=1)
    story.say("run.child", run_id="child", name="step", status="running")
    story.say("run.cancelled", reason="enough", by="ann")
    entries = [json.loads(entry.data) for entry in read(streamed(AguiTranslator(ROW, legacy=True), story.events))]
    assert [entry["type"] for entry in entries] == ["RUN_STARTED", "CUSTOM", "RUN_ERROR"]
    assert not any({"metadata", "protocolVersion", "usage", "outcome"} & entry.keys() for entry in entries)
    assert entries[-1]["code"] == "cancelled"


@pytest.mark.parametrize("data", [{}, {"messages": 3}, {"messages": [{"id": 1}], "run_id": "x", "thread_id": "y"}])
def test_what_is_no_input_of_a_client_is_passed_over(data: dict[str, Any]) -> None:
    story = started()
    story.say("x.agui.input", **data)
    story.say("x.client_tool", name="half")
    story.say("run.succeeded", result=None)
    client = taken(read(streamed(AguiTranslator(ROW), story.events)))
    assert client.last["type"] == "RUN_FINISHED"
    assert client.customs == [("x.client_tool", {"name": "half"})]
