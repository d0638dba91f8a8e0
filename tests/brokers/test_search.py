"""What matches: an event one of whose string values contains the text. Checked against the plainest scan there is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from antiphon.brokers import memory, sqlite_search
from antiphon.brokers.base import Batch, Broker
from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.messages import Event
from brokers.kit import count_found, event, line, offsets_found

AWKWARD = 'aAbBeEfFnNtTuU01b ":,{}[]\\/\n\t\r\x1b\x00\x7fäÄßé世🎼%_'
texts = st.text(AWKWARD, max_size=8)


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in strings(item)] if isinstance(value, list) else []


def ascii_lower(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)


def scan(events: list[Event], text: str, *, ignore_case: bool) -> list[int]:
    fold = ascii_lower if ignore_case else str
    return [
        found.offset for found in reversed(events) if any(fold(text) in fold(value) for value in strings(found.data))
    ]


async def found_in(broker: Broker, channel: str, data: list[Any], text: str, **changes: Any) -> list[int]:
    await broker.append(Batch(events=[event(channel, n, item) for n, item in enumerate(data, 1)]))
    return await offsets_found(broker, channel, text, **changes)


async def test_case_matters_unless_told(broker: Broker) -> None:
    data = ["Tea", "tea", "TEA", "coffee"]
    assert await found_in(broker, "a", data, "Tea") == [1]
    assert await offsets_found(broker, "a", "tEa", ignore_case=True) == [3, 2, 1]


async def test_only_ascii_letters_ignore_case(broker: Broker) -> None:
    assert await found_in(broker, "a", ["äpfel", "Äpfel", "äPFEL"], "Äpfel", ignore_case=True) == [2]


async def test_keys_numbers_and_punctuation_are_no_values(broker: Broker) -> None:
    data = [{"tea": "x"}, {"x": {"tea": 1}}, {"n": 123}, {"x": True}, {"x": ["tea"]}]
    assert await found_in(broker, "a", data, "tea") == [5]
    for text in ("123", "true", "{", ":", ",", "null"):
        assert await offsets_found(broker, "a", text) == []


@pytest.mark.parametrize("text", ['"', "\\", "\n", "\x1b[31m", "/", "é", "世", "🎼", 'say "tea"'])
async def test_characters_that_json_escapes_are_found(broker: Broker, text: str) -> None:
    assert await found_in(broker, "a", [f"x{text}y", "nothing", text], text) == [3, 1]
    assert await count_found(broker, "a", text) == 2


@pytest.mark.parametrize("text", ["n", "u001b", "001b", "1b", "b[31m", ":", ",", "{", "}", '","', "text", "stdout"])
@pytest.mark.parametrize("ignore_case", [False, True])
async def test_what_json_adds_to_a_line_is_not_its_text(broker: Broker, text: str, ignore_case: bool) -> None:
    lines = [line("log:a", 1, "one\two\r\n"), line("log:a", 2, "\x1b[31mRED\x1b[0m"), line("log:a", 3, f"has {text}!")]
    await broker.append(Batch(events=lines))
    assert await offsets_found(broker, "log:a", text, ignore_case=ignore_case) == scan(
        lines, text, ignore_case=ignore_case
    )


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_any_search_agrees_with_a_plain_scan(kind: str, tmp_path: Path) -> None:
    """All slices together find and count the same, in channels of lines and in others, whatever the size of a slice."""
    channels = iter(range(1_000_000))
    runner = asyncio.Runner()
    broker: MemoryBroker | SqliteBroker = MemoryBroker()
    if kind == "sqlite":
        broker = SqliteBroker(tmp_path, synchronous="normal")
        broker.open()

    @settings(max_examples=150)
    @example(data=["\x1bb", "b"], text="b", family="log", limit=1, ignore_case=False, window=1)
    @given(
        data=st.lists(texts, min_size=1, max_size=12),
        text=texts,
        family=st.sampled_from(["log", "other"]),
        limit=st.integers(1, 4),
        ignore_case=st.booleans(),
        window=st.integers(1, 5),
    )
    def agree(data: list[str], text: str, family: str, limit: int, ignore_case: bool, window: int) -> None:
        channel = f"{family}:{next(channels)}"
        make = line if family == "log" else event
        events = [make(channel, offset, value) for offset, value in enumerate(data, 1)]
        wanted = scan(events, text, ignore_case=ignore_case)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sqlite_search, "WINDOW", window)
            patch.setattr(sqlite_search, "SLICE_S", 0.0)
            patch.setattr(memory, "SEARCH_CHUNK", window)
            runner.run(broker.append(Batch(events=events)))
            found = offsets_found(broker, channel, text, limit=limit, ignore_case=ignore_case)
            assert runner.run(found) == wanted
            assert runner.run(count_found(broker, channel, text, ignore_case=ignore_case)) == len(wanted)

    with runner:
        agree()
        runner.run(broker.close())


async def test_a_search_survives_its_asker(sqlite: SqliteBroker) -> None:
    """More searches than readers, some given up: the readers come back, and closing waits for what still runs."""
    await sqlite.append(Batch(events=[event("a", n, "tea") for n in range(1, 2001)]))
    asked = [asyncio.ensure_future(count_found(sqlite, "a", "tea")) for _ in range(12)]
    await asyncio.sleep(0)
    for search in asked[::2]:
        search.cancel()
    assert [await search for search in asked[1::2]] == [2000] * 6
    assert await count_found(sqlite, "a", "tea") == 2000
