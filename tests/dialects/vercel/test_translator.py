"""Any run as a UI message stream: what the AI SDK accepts, and adds up to what the run has said."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.dialects.stories import ROW, RUN, Story, started, stories
from tests.dialects.streaming import read, streamed
from tests.dialects.vercel.page import Page

from antiphon.dialects.vercel import VercelTranslator

BATCHES = st.lists(st.integers(1, 5), max_size=10)
ENDS = {"run.succeeded": "finish", "run.failed": "error", "run.lost": "error", "run.cancelled": "abort"}


def shown(raw: bytes, page: Page | None = None) -> Page:
    page = page or Page()
    for entry in read(raw):
        if entry.data == b"[DONE]":
            last = page.last
            page.take(entry.data)
            page.last = last
        else:
            page.take(entry.data)
    return page


def arguments_of(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except json.JSONDecodeError:
        return text


@given(stories(), BATCHES)
def test_any_run_adds_up_on_the_page_to_what_it_has_said(story: Story, batches: list[int]) -> None:
    page = shown(streamed(VercelTranslator(ROW), story.events, batches=batches))
    kinds = {"assistant": "text", "reasoning": "reasoning"}
    texts = [(kinds[role], text) for role, text in story.texts.values() if role in kinds]
    assert [(part["type"], part["text"]) for part in page.parts if "text" in part] == texts
    calls = list(story.calls.values())
    assert [part.get("rawInput", "") for part in page.tools().values()] == [arguments for _, arguments, _ in calls]
    ended = [(part, call) for part, call in zip(page.tools().values(), calls, strict=True) if call[2] is not None]
    for part, (_, arguments, content) in ended:
        assert part["state"] in ("output-available", "output-error")
        assert part["input"] == arguments_of(arguments)
        output = part.get("output", part.get("errorText"))
        assert (output if isinstance(output, str) else json.dumps(output, separators=(",", ":"))) == content
    last = story.events[-1].type
    assert page.last == ENDS.get(last)


@given(stories(asks=True), st.data())
def test_a_page_that_is_reloaded_builds_the_same_message(story: Story, data: st.DataObject) -> None:
    """Also in mid-run: what came before the reload is there once."""
    settled = [event.data["question_id"] for event in story.events if event.type == "question.asked"]
    first = VercelTranslator(ROW, settled=settled)
    whole = shown(streamed(first, story.events))
    old = Page()
    raw = streamed(VercelTranslator(ROW, settled=settled), story.events)
    for entry in read(raw)[: data.draw(st.integers(0, 10))]:
        old.take(entry.data) if entry.data != b"[DONE]" else None
    again = shown(raw, Page(old.message, replays=True))
    assert again.message == whole.message


@given(stories(asks=True))
def test_an_answer_goes_on_behind_its_question_in_the_same_message(story: Story) -> None:
    """Question after question; nothing is said twice, nothing is left out."""
    asked = [event.data["question_id"] for event in story.events if event.type == "question.asked"]
    page = shown(streamed(VercelTranslator(ROW), story.events))
    for name in asked:
        assert page.last == "finish"
        assert page.reason == "tool-calls"
        page = shown(streamed(VercelTranslator(ROW, message=RUN, after=name), story.events), Page(page.message))
    assert page.message["id"] == RUN or not asked
    whole = shown(streamed(VercelTranslator(ROW, settled=asked), story.events))
    for kind in ("text", "reasoning"):
        texts = ["".join(part["text"] for part in found.parts if part["type"] == kind) for found in (page, whole)]
        assert texts[0] == texts[1] or len([part for part in whole.parts if part["type"] == kind]) > 1
    assert {name: part["state"] for name, part in page.tools().items()} == {
        name: part["state"] for name, part in whole.tools().items()
    }
    assert page.last == whole.last


def test_a_new_step_begins_where_the_model_has_been_told_what_tools_returned() -> None:
    story = started()
    story.say("tool.start", tool_call_id="c1", name="search")
    story.say("tool.end", tool_call_id="c1", status="failed", error={"message": "no tea", "type": "TeaError"})
    story.say("message.open", message_id="m1", role="assistant")
    story.say("message.append", message_id="m1", delta="Sorry.")
    story.say("message.close", message_id="m1", status="completed")
    story.say("run.succeeded", result="Sorry.")
    page = shown(streamed(VercelTranslator(ROW), story.events))
    assert [part["type"] for part in page.parts] == ["step-start", "tool-search", "step-start", "text"]
    assert page.tools()["c1"]["errorText"] == "no tea"
    assert page.reason == "stop"


def test_an_approval_of_a_call_is_asked_for_on_the_call_and_a_rejection_stays() -> None:
    story = started()
    story.say("tool.start", tool_call_id="c1", name="send")
    story.say("tool.args", tool_call_id="c1", delta='{"to": "ann"}')
    story.say("question.asked", question_id="q1", kind="approval", prompt="Call send?", value={"to": "ann"})
    page = shown(streamed(VercelTranslator(ROW), story.events))
    assert page.tools()["c1"]["approval"] == {"id": "q1"}
    story.say("question.answered", question_id="q1", answer="no", action="reject", by="ann", is_default=False)
    story.say("tool.end", tool_call_id="c1", status="succeeded", result="denied: no")
    story.say("run.succeeded", result=None)
    page = shown(streamed(VercelTranslator(ROW, message=RUN, after="q1"), story.events), Page(page.message))
    assert page.tools()["c1"]["state"] == "output-denied"
    assert page.last == "finish"


def test_any_other_question_looks_like_a_tool_of_the_page() -> None:
    story = started()
    options = [{"value": "green", "label": None, "description": None}]
    story.say("question.asked", question_id="q1", kind="choice", prompt="which?", options=options)
    page = shown(streamed(VercelTranslator(ROW), story.events))
    part = page.tools()["q1"]
    assert (part["type"], part["state"]) == ("tool-question", "input-available")
    assert part["input"] == {"kind": "choice", "prompt": "which?", "options": options}
    assert part["toolMetadata"] == {"antiphon": "question"}
    assert "providerExecuted" not in part


def test_who_reloads_has_also_what_the_message_had_before_the_run() -> None:
    before: list[dict[str, Any]] = [
        {"type": "step-start"},
        {"type": "text", "text": "Let me see."},
        {"type": "tool-pick", "toolCallId": "c0", "state": "output-available", "input": {"of": 2}, "output": 1},
    ]
    story = started()
    story.say("x.vercel.input", message_id="msg-7", parts=before)
    story.say("message.open", message_id="m1", role="assistant")
    story.say("message.append", message_id="m1", delta="One.")
    story.say("message.close", message_id="m1", status="completed")
    again = shown(streamed(VercelTranslator(ROW), story.events), Page(replays=True))
    told = shown(
        streamed(VercelTranslator(ROW, message="msg-7"), story.events),
        Page({"id": "msg-7", "role": "assistant", "parts": before}),
    )
    assert again.message == told.message
    assert again.message["id"] == "msg-7"


def test_calls_for_the_page_are_its_own_to_make() -> None:
    story = started()
    story.say("x.client_tool", tool_call_id="c1", name="pick", arguments='{"of": 2}')
    story.say("run.succeeded", result={"text": ""})
    page = shown(streamed(VercelTranslator(ROW), story.events))
    assert page.tools()["c1"] == {
        "type": "tool-pick", "toolCallId": "c1", "state": "input-available", "input": {"of": 2}
    }  # fmt: skip
    assert page.reason == "tool-calls"
