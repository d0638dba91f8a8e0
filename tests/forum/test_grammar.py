"""`forum.log`: what is written can be read, by us and by those who have always read it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.services.forum.grammar import Banner, Record, escape, one_line, parse, unescape, write

# As the contract gives it, and as the pages of the founding system match it.
GRAMMAR = re.compile(r"\[\d\d:\d\d:\d\d\] \[[A-Z]+\] (?:\[[A-Za-z0-9]{8}\] | )?.*\Z", re.DOTALL)
BUILD_A = re.compile(r"\[(\d{2}:\d{2}:\d{2})\]\s*\[([A-Z]+)\]\s*(.*)")

clocks = st.times().map(lambda time: f"{time:%H:%M:%S}")
sources = st.sampled_from(["INSIGHT", "MEDIA", "QUERY", "HOST", "SYSTEM"])
sessions = st.none() | st.text("0123456789abcdefXYZ", min_size=8, max_size=8)
contents = st.text(st.characters(exclude_categories=["Cs"]))
clean = contents.map(lambda text: text.replace("\\", "").replace("\r", "").strip()).filter(
    lambda text: text and not re.match(r"\[[A-Za-z0-9]{8}\]", text)
)


@given(clocks, sources, clean, sessions, st.booleans())
def test_what_is_written_is_read(clock: str, source: str, content: str, session: str | None, tags: bool) -> None:
    line = write(Record(clock, source, content, session), tags=tags)
    assert parse(line) == Record(clock, source, content, session if tags else None)


@given(clocks, sources, contents, sessions, st.booleans())
def test_a_record_is_one_line_of_the_grammar(
    clock: str, source: str, content: str, session: str | None, tags: bool
) -> None:
    line = write(Record(clock, source, content, session), tags=tags)
    assert "\n" not in line
    assert "\r" not in line
    assert GRAMMAR.match(line)
    assert BUILD_A.match(line)


@given(contents)
def test_any_line_can_be_read(line: str) -> None:
    found = parse(line)
    assert isinstance(found, Banner) or write(found)


@given(contents)
def test_line_breaks_are_two_characters(text: str) -> None:
    assert not set(escape(text)) & {"\n", "\r"}
    if "\\" not in text and "\r" not in text:
        assert unescape(escape(text)) == text


@given(contents)
def test_agents_have_one_line(text: str) -> None:
    assert one_line(text) == re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("[10:00:00] [INSIGHT] a b", Record("10:00:00", "INSIGHT", "a b")),
        ("[10:00:00] [HOST] [1a2b3c4d] a\\nb", Record("10:00:00", "HOST", "a\nb", "1a2b3c4d")),
        ("[10:00:00] [HOST]  outside", Record("10:00:00", "HOST", "outside")),
        ("[10:00:00] [ query ] x\n", Record("10:00:00", "QUERY", "x")),
        ("[10:00:00] [MEDIA] [a tag] x", Record("10:00:00", "MEDIA", "[a tag] x")),
        ("=== booted ===", Banner("=== booted ===")),
        ("[10:00:00] no source", Banner("[10:00:00] no source")),
        ("", Banner("")),
    ],
)
def test_lines_of_all_monitors(line: str, found: Record | Banner) -> None:
    assert parse(line) == found


def test_the_tag_of_no_session_is_empty() -> None:
    assert write(Record("10:00:00", "HOST", "x")) == "[10:00:00] [HOST]  x"
    assert write(Record("10:00:00", "HOST", "x"), tags=False) == "[10:00:00] [HOST] x"
