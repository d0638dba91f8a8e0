"""What a run may say, in any order that the server accepts, and what it adds up to."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import orjson
from hypothesis import strategies as st

from antiphon.hub.patch import Document
from antiphon.messages import Event

RUN = "run-1"
ROW: dict[str, Any] = {"run_id": RUN, "name": "research", "thread_id": "t1", "parent_run_id": None}
IDS = ["a", "b", "c"]
ROLES = ["assistant", "assistant", "reasoning", "user", "system"]
DELTAS = [
    "",
    " ",
    "tea",
    "{",
    "}",
    '{"q": "te',
    'a"}',
    '{"q": [1, {"x": "}\\""}]}',
    "\\",
    '"',
    "日本",
    "\n\n",
    "data: x\n",
]
TEXT = st.one_of(st.sampled_from(DELTAS), st.text(max_size=6))
RESULTS = st.sampled_from([None, "tea", {"hits": 3}, [1, 2], 0, ""])


@dataclass
class Story:
    """Events as the hub would have stored them, and the sum of them."""

    events: list[Event] = field(default_factory=list)
    texts: dict[str, list[Any]] = field(default_factory=dict)  # message: role, text; in the order of opening
    calls: dict[str, list[Any]] = field(default_factory=dict)  # call: name, arguments, content of the result
    state: Document = field(default_factory=lambda: Document({}))
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    open: dict[str, str] = field(default_factory=dict)  # run's id of a message: where its text is kept
    tools: dict[str, str] = field(default_factory=dict)
    children: set[str] = field(default_factory=set)
    questions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def say(self, kind: str, /, **data: Any) -> None:
        offset = len(self.events) + 1
        self.events.append(Event(f"run:{RUN}", offset, kind, orjson.dumps(data), 1000 + offset, None))

    def key(self, name: str, taken: dict[str, Any]) -> str:
        """A part's name for the sum: runs may use one again."""
        return name if name not in taken else f"{name}#{next(self.numbers)}"


def started() -> Story:
    story = Story()
    story.say("run.started", run_id=RUN, name="research", title=None, thread_id="t1", parent_run_id=None,
              input={"q": 1}, labels={}, by="local")  # fmt: skip
    return story


@st.composite
def stories(draw: st.DrawFn, *, asks: bool = False, ends: bool | None = None) -> Story:
    """A run, whole or under way."""
    story = started()
    steps = [_message, _append, _append, _append, _close, _tool, _args, _args, _works, _end, _patch, _child, _other]
    steps += [_ask, _settle] if asks else []
    for _ in range(draw(st.integers(0, 25))):
        draw(st.sampled_from(steps))(draw, story)
    if draw(st.booleans()) if ends is None else ends:
        _outcome(draw, story)
    return story


def _message(draw: st.DrawFn, story: Story) -> None:
    name, role = draw(st.sampled_from(IDS)), draw(st.sampled_from(ROLES))
    if name not in story.open:
        story.open[name] = key = story.key(name, story.texts)
        story.texts[key] = [role, ""]
        story.say("message.open", message_id=name, role=role)


def _append(draw: st.DrawFn, story: Story) -> None:
    if story.open:
        name, delta = draw(st.sampled_from(sorted(story.open))), draw(TEXT)
        story.texts[story.open[name]][1] += delta
        story.say("message.append", message_id=name, delta=delta)


def _close(draw: st.DrawFn, story: Story) -> None:
    if story.open:
        name = draw(st.sampled_from(sorted(story.open)))
        del story.open[name]
        story.say("message.close", message_id=name, status="completed")


def _tool(draw: st.DrawFn, story: Story) -> None:
    """Also twice for the same call: the server lets that pass."""
    name = draw(st.sampled_from(IDS))
    parent = draw(st.sampled_from([None, *IDS]))
    if name not in story.tools:
        story.tools[name] = key = story.key(name, story.calls)
        story.calls[key] = ["search", "", None]
    story.say(
        "tool.start", tool_call_id=name, name="search", **({} if parent is None else {"parent_message_id": parent})
    )


def _args(draw: st.DrawFn, story: Story) -> None:
    """Also for a call that was never made."""
    name, delta = draw(st.sampled_from(IDS)), draw(TEXT)
    if name in story.tools:
        story.calls[story.tools[name]][1] += delta
    story.say("tool.args", tool_call_id=name, delta=delta)


def _works(draw: st.DrawFn, story: Story) -> None:
    story.say("tool.progress", tool_call_id=draw(st.sampled_from(IDS)), progress=0.5)


def _end(draw: st.DrawFn, story: Story) -> None:
    name, result = draw(st.sampled_from(IDS)), draw(RESULTS)
    if name in story.tools:
        content = result if isinstance(result, str) else orjson.dumps(result).decode()
        story.calls[story.tools.pop(name)][2] = content
    story.say("tool.end", tool_call_id=name, status="succeeded", result=result, duration_ms=1)


def _patch(draw: st.DrawFn, story: Story) -> None:
    ops = [{"op": "add", "path": f"/{draw(st.sampled_from(IDS))}", "value": draw(RESULTS)}]
    if draw(st.booleans()) and draw(st.booleans()):
        ops = [{"op": "replace", "path": "", "value": draw(st.sampled_from([{}, {"n": {"m": [1]}}]))}]
    story.state.apply(ops)
    story.say("state.patch", ops=ops)


def _child(draw: st.DrawFn, story: Story) -> None:
    name, status = draw(st.sampled_from(IDS)), draw(st.sampled_from(["running", "succeeded", "failed"]))
    if (status == "running") != (name in story.children) and f"gone {name}" not in story.children:
        story.children ^= {name}
        story.children |= {f"gone {name}"} if status != "running" else set()
        story.say("run.child", run_id=name, name="step", status=status)


def _other(draw: st.DrawFn, story: Story) -> None:
    kind = draw(st.sampled_from(["log", "run.progress", "run.usage", "x.mine", "run.status"]))
    data = {
        "log": {"level": "info", "text": "hello"},
        "run.progress": {"progress": 0.1, "message": None},
        "run.usage": {"input_tokens": 3, "output_tokens": 1, "model": "small", "cost_usd": None},
        "x.mine": {"any": ["thing"]},
        "run.status": {"status": "running", "reason": None, "by": None},
    }
    story.say(kind, **data[kind])


def _ask(draw: st.DrawFn, story: Story) -> None:
    name = f"q{next(story.numbers)}"
    asked = draw(st.sampled_from([
        {"kind": "choice", "prompt": "which?", "options": [{"value": "x", "label": None, "description": None}]},
        {"kind": "approval", "prompt": "Call search?", "value": {"q": "tea"}},
        {"kind": "text", "prompt": "why?", "deadline": "2030-01-01T00:00:00.000Z", "default": ""},
        {"kind": "form", "prompt": "fill in", "schema": {"type": "object"}},
    ]))  # fmt: skip
    story.questions[name] = asked
    story.say("question.asked", question_id=name, **asked)


def _settle(draw: st.DrawFn, story: Story) -> None:
    if story.questions:
        name = draw(st.sampled_from(sorted(story.questions)))
        asked = story.questions.pop(name)
        if draw(st.booleans()):
            story.say("question.withdrawn", question_id=name, reason="nobody knows")
        else:
            action = {"approval": draw(st.sampled_from(["approve", "reject"]))}.get(asked["kind"], "answer")
            story.say("question.answered", question_id=name, answer="x", action=action, by="ann", is_default=False)


def _outcome(draw: st.DrawFn, story: Story) -> None:
    """As the service ends a run: what is open is closed before."""
    status = draw(st.sampled_from(["succeeded", "failed", "cancelled", "lost"]))
    for name in list(story.tools):
        story.calls[story.tools.pop(name)][2] = "cancelled"
        story.say("tool.end", tool_call_id=name, status="cancelled", duration_ms=1)
    for name in list(story.open):
        del story.open[name]
        story.say("message.close", message_id=name, status="cancelled")
    for name in list(story.questions):
        del story.questions[name]
        story.say("question.withdrawn", question_id=name, reason="the run has ended")
    data = {
        "succeeded": {"result": draw(RESULTS)},
        "failed": {"error": {"message": "no tea", "type": "TeaError"}},
        "cancelled": {"reason": None, "by": "ann"},
        "lost": {"reason": "its owner gave no sign for 15 s"},
    }
    story.say(f"run.{status}", **data[status])
