"""What a run says arrives in order, once, whatever is refused meanwhile. The server here is a list of requests."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from antiphon.client.backoff import Backoff
from antiphon.client.requests import Answered
from antiphon.client.run import outbox as module
from antiphon.client.run.outbox import MAX_UNSTORED_EVENTS, Outbox
from antiphon.client.run.port import RunEvent
from antiphon.client.wire import Limits
from antiphon.errors import AntiphonError, Busy, InvalidPatch, LeaseLost, RunCancelled, TooDeep, TooLarge


class Wire:
    """Takes requests, and answers when the test says so."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.asked: list[tuple[list[dict[str, Any]], Answered]] = []
        self.came = asyncio.Event()
        self.cancels = 0
        self.broken: list[AntiphonError] = []
        self.outbox = Outbox(
            self._post,
            {"run_id": "r", "lease": "secret"},
            limits or Limits(),
            on_cancelled=self._cancelled,
            on_broken=self.broken.append,
        )

    def _cancelled(self) -> None:
        self.cancels += 1

    def _post(self, method: str, params: dict[str, Any], answered: Answered) -> None:
        assert (method, params["run_id"], params["lease"]) == ("run.emit", "r", "secret")
        self.asked.append((params["events"], answered))
        self.came.set()

    def say(self, *texts: str) -> None:
        self.outbox.add([RunEvent("log", {"text": text}) for text in texts])

    def answer(self, index: int = 0, error: AntiphonError | None = None) -> list[str]:
        """Answer a request; returns what it said."""
        events, answered = self.asked.pop(index)
        answered(None if error else {"offset": 1}, error)
        return said(events)


def said(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] if event["type"] != "log" else text_of(event) for event in events]


def text_of(event: dict[str, Any]) -> str:
    return str(orjson.loads(orjson.dumps(event["data"]))["text"])


async def turn() -> None:
    await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Backoff", lambda **_: Backoff(base_s=0.0))


async def test_what_is_said_in_one_turn_is_one_request() -> None:
    wire = Wire()
    wire.say("a")
    wire.say("b", "c")
    assert wire.asked == []
    await turn()
    wire.say("d")
    await turn()
    assert wire.answer() == ["a", "b", "c"]
    assert wire.answer() == ["d"]
    await wire.outbox.stored()


async def test_every_event_has_a_key_of_its_own_or_its_own() -> None:
    wire = Wire()
    wire.say("a", "b")
    wire.outbox.add([RunEvent("x.mine", 1, "mine")])
    await turn()
    keys = [event["idempotency_key"] for event in wire.asked[0][0]]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


async def test_many_events_are_several_requests_in_order() -> None:
    wire = Wire()
    wire.say(*(str(number) for number in range(1200)))
    await turn()
    sizes = [len(events) for events, _ in wire.asked]
    assert sizes == [500, 500, 200]
    assert [text for _ in sizes for text in wire.answer()] == [str(number) for number in range(1200)]


async def test_too_much_unstored_makes_the_program_wait() -> None:
    wire = Wire()
    wire.say(*(str(number) for number in range(MAX_UNSTORED_EVENTS + 1)))
    waiting = asyncio.create_task(wire.outbox.room())
    await turn()
    assert not waiting.done()
    wire.answer()
    await waiting


async def test_what_must_be_tried_again_goes_out_again_in_order_under_the_same_keys() -> None:
    wire = Wire()
    wire.say("a")
    await turn()
    wire.say("b")
    await turn()
    keys = [event["idempotency_key"] for events, _ in wire.asked for event in events]
    wire.answer(0, Busy("too fast"))
    wire.say("c")
    assert len(wire.asked) == 1  # first see what becomes of b
    wire.answer(0, Busy("too fast"))
    wire.came.clear()
    await wire.came.wait()
    events = wire.asked[0][0]
    assert [event["idempotency_key"] for event in events[:2]] == keys
    assert wire.answer() == ["a", "b", "c"]
    await wire.outbox.stored()


async def test_an_order_that_cannot_be_kept_is_an_error() -> None:
    wire = Wire()
    wire.say("a")
    await turn()
    wire.say("b")
    await turn()
    wire.answer(1)
    wire.answer(0, Busy("too fast"))
    with pytest.raises(Busy):
        await wire.outbox.stored()
    with pytest.raises(Busy):
        wire.say("c")


@pytest.mark.parametrize("error", [InvalidPatch("no"), LeaseLost("no")])
async def test_a_refusal_ends_it(error: AntiphonError) -> None:
    wire = Wire()
    wire.say("a")
    await turn()
    stored = asyncio.create_task(wire.outbox.stored())
    await turn()
    wire.answer(0, error)
    with pytest.raises(type(error)):
        await stored
    assert wire.broken == [error]


async def test_after_a_cancel_what_grows_is_dropped_and_the_rest_is_said() -> None:
    wire = Wire()
    wire.outbox.add(
        [
            RunEvent("message.append", {"message_id": "old", "delta": "x"}),
            RunEvent("log", {"text": "a"}),
            RunEvent("message.open", {"message_id": "new", "role": "assistant"}),
            RunEvent("message.close", {"message_id": "old", "status": "cancelled"}),
            RunEvent("message.close", {"message_id": "new", "status": "cancelled"}),
        ]
    )
    await turn()
    wire.answer(0, RunCancelled("cancelled"))
    assert wire.answer() == ["a", "message.close"]
    assert wire.cancels == 1
    wire.outbox.add([RunEvent("tool.end", {"tool_call_id": "t"}), RunEvent("tool.args", {"tool_call_id": "t"})])
    await turn()
    assert wire.answer() == ["tool.end"]
    await wire.outbox.stored()


async def test_a_run_that_was_cut_off_is_not_told_again_and_again() -> None:
    wire = Wire()
    wire.say("a")
    await turn()
    wire.answer(0, RunCancelled("it has ended"))
    assert wire.asked == []
    assert isinstance(wire.broken[0], RunCancelled)


async def test_what_the_server_would_not_take_is_refused_at_once() -> None:
    wire = Wire(Limits(message_bytes=2000, nesting=10))
    with pytest.raises(TooLarge):
        wire.say("fine", "x" * 2000)
    deep: Any = {"text": 1}
    for _ in range(10):
        deep = {"text": deep}
    with pytest.raises(TooDeep):
        wire.outbox.add([RunEvent("x.deep", deep)])
    with pytest.raises(TypeError):
        wire.outbox.add([RunEvent("x.none", object())])
    await turn()
    assert wire.asked == []  # all of it or nothing
    wire.say(*("y" * 500 for _ in range(6)))
    await turn()
    assert [len(events) for events, _ in wire.asked] == [1, 1, 1, 1, 1, 1]
