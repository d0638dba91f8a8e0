"""The offline model: it looks up and never invents, and says that it is offline."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agents.kit import life_on, script

from antiphon.brokers.memory import MemoryBroker
from antiphon.services.agents.offline import CHUNK, chunks
from antiphon.services.agents.offline_words import (
    OFFLINE_NOTE,
    Said,
    answer_to,
    expression_in,
    helpless,
    wish,
    zone_in,
)
from antiphon.services.tools import Tool, ToolContext

ALL = ("calculator", "clock", "search_documents", "fetch", "echo")


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("123 + 456", "123 + 456"),
        ("What is 123 + 456?", "123 + 456"),
        ("what's 7*6", "7*6"),
        ("(1 + 2) * 3 =", "(1 + 2) * 3"),
        ("compute 2^10 please", "2**10"),
        ("12 ÷ 3 and a bit", "12 ÷ 3"),
        ("what is 12 times 3?", "12 * 3"),
        ("how much is 10 divided by 4", "10 / 4"),
        ("15% of 80", "15 / 100 * 80"),
        ("1,000,000 + 1", "1000000 + 1"),
        ("-4 + 2", "-4 + 2"),
        ("-(3 + 4) * 2", "-(3 + 4) * 2"),
        ("1.5e3 * 2", "1.5e3 * 2"),
        ("(see 3 + 4)", "3 + 4"),
        ("chapter 3-4", None),
        ("call 555-1234", None),
        ("on 2024-11-21 it rained", None),
        ("the 11/21/2024 report", None),
        ("Hello", None),
        ("42", None),
        ("version 3.11.7", None),
        ("a+b", None),
    ],
)
def test_sums_are_recognised(question: str, expression: str | None) -> None:
    assert expression_in(question) == expression


@pytest.mark.parametrize(
    ("question", "tool", "arguments"),
    [
        ("What time is it?", "clock", {}),
        ("what time is it in Berlin", "clock", {"zone": "Europe/Berlin"}),
        ("Which day is it in New York?", "clock", {"zone": "America/New_York"}),
        ("the current time, UTC", "clock", {"zone": "UTC"}),
        ("Wie spät ist es?", "clock", {}),
        ("现在几点", "clock", {}),
        ("Read https://example.com/a.", "fetch", {"url": "https://example.com/a"}),
        ('echo {"text": "hi"}', "echo", {"text": "hi"}),
        ('please call echo {"text": "1 + 1"}', "echo", {"text": "1 + 1"}),
        ("How is the roof fixed?", "search_documents", {"query": "roof fixed"}),
        ("Who was Napoleon?", "search_documents", {"query": "Napoleon"}),
        ("echo [1]", "search_documents", {"query": "echo 1"}),
    ],
)
def test_the_tool_that_fits_is_wished_for(question: str, tool: str, arguments: dict[str, Any]) -> None:
    assert wish(question, ALL) == (tool, arguments)


def test_tools_that_there_are_not_are_not_wished_for() -> None:
    assert wish("1 + 1", ()) is None
    assert wish("Who are you?", ALL) is None
    assert wish("What time is it?", ("calculator",)) is None
    assert wish("1 + 1", ("search_documents",)) == ("search_documents", {"query": "1 1"})


def test_places_without_a_zone_have_none() -> None:
    assert zone_in("what time is it in the kitchen") is None
    assert zone_in("what time is it") is None


def test_answers_repeat_what_tools_said_and_say_that_it_is_offline() -> None:
    hits = [{"path": "a.md", "line": number, "snippet": "roof"} for number in range(7)]
    for said, words in (
        (Said("calculator", "success", 579), "579"),
        (Said("calculator", "failed", "division by zero"), "could not do it: division by zero"),
        (Said("pay", "denied", "A person rejected this call."), "was not called"),
        (Said("search_documents", "success", []), "No document mentions this"),
        (Said("search_documents", "success", hits), "(2 more)"),
        (Said("echo", "success", {"a": [1]}), '{"a":[1]}'),
        (Said("echo", "success", "x" * 5000), "(5000 characters)"),
    ):
        assert words in answer_to([said])
        assert OFFLINE_NOTE in answer_to([said])
    assert OFFLINE_NOTE in helpless(())


@given(st.text(max_size=200))
def test_chunks_add_up(text: str) -> None:
    pieces = list(chunks(text))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= CHUNK for piece in pieces)


@given(st.text(max_size=200))
def test_any_question_is_understood_or_not(question: str) -> None:
    wish(question, ALL)


# As an agent


async def test_it_calls_the_calculator_and_answers_with_its_number() -> None:
    async with life_on(MemoryBroker()) as life:
        row = await life.asked("r", "What is 123 + 456?")
        assert row["status"] == "succeeded"
        assert [end["result"] for end in await life.data("r", "tool.end")] == [579]
        assert "579" in await life.result("r")
        assert OFFLINE_NOTE in (await life.texts("r"))[-1][1]
        assert row["usage"]["total_tokens"] == 0


async def test_a_question_that_no_tool_answers_gets_no_answer() -> None:
    async with life_on(MemoryBroker()) as life:
        await life.asked("r", "Who was the first president?")
        assert await life.data("r", "tool.start") == []
        assert "None of them fits" in await life.result("r")


async def test_a_tool_that_refuses_arguments_is_not_called_for_ever() -> None:
    async def call(_: ToolContext, __: dict[str, Any]) -> str:
        return "done"

    tool = Tool("strict", "Strict.", {"type": "object", "required": ["x"]}, call)
    async with life_on(MemoryBroker(), tools=[tool]) as life:
        row = await life.asked("r", "strict {}")
        assert row["status"] == "succeeded"
        assert "could not do it" in await life.result("r")


async def test_each_turn_of_a_thread_is_looked_at_for_itself() -> None:
    async with life_on(MemoryBroker()) as life:
        await life.asked("r1", "1 + 1")
        await life.asked("r2", "2 + 2")
        assert "4" in await life.result("r2")
        assert "2\n" not in await life.result("r2")


async def test_it_calls_tools_of_the_client() -> None:
    async with life_on(MemoryBroker()) as life:
        await life.asked("r", 'pick {"of": 3}', client_tools=[{"name": "pick"}])
        (call,) = (await life.result("r"))["client_tool_calls"]
        assert (call["name"], call["arguments"]) == ("pick", '{"of":3}')


async def test_it_is_stopped_as_any_other() -> None:
    async with life_on(MemoryBroker()) as life:
        await life.ask("r", script([{"text": "?"}]))
        await life.cancel("r")
        assert (await life.ended("r"))["status"] == "cancelled"
