"""Which lines of a log are speeches."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.forum.kit import START, logged, output, spread

from antiphon.services.forum.capture import Capture, as_written, is_target, is_valuable, level_of, starts_session
from antiphon.services.forum.jsontext import parse_output

LONG = "a remark that has more than thirty characters"


def said(lines: Sequence[str], capture: Capture | None = None) -> list[str]:
    capture = capture or Capture("insight")
    found = [capture.feed(line, offset) for offset, line in enumerate(lines, 1)]
    return [speech.text for speech in found if speech is not None]


@pytest.mark.parametrize(
    "word", ["FirstSummaryNode", "ReflectionSummaryNode", "MediaEngine.nodes.summary_node", "正在生成反思总结"]
)
def test_target_lines(word: str) -> None:
    assert is_target(f"x {word} y")
    assert not is_target(logged(word, "ERROR"))
    for fault in ("JSON解析失败", "JSON修复失败", "Traceback", 'File "a.py"'):
        assert not is_target(f"{word} {fault}")


def test_what_starts_a_session() -> None:
    assert starts_session(START)
    assert starts_session("[10:00:00] 正在生成首次段落总结")
    assert not starts_session("ReflectionSummaryNode")
    assert not starts_session(logged("FirstSummaryNode", "ERROR"))


@pytest.mark.parametrize("level", ["INFO", "ERROR", "WARNING", "DEBUG"])
def test_levels(level: str) -> None:
    assert level_of(logged("x", level)) == level
    assert level_of("no level | here") is None


@pytest.mark.parametrize("prefix", ["", "[10:00:00] ", "2025-11-14 10:00:00.000 | INFO     | "])
def test_json_over_lines_with_and_without_prefixes(prefix: str) -> None:
    head, *rest = spread("一段\n话")
    tail = "a.b:c:1 - " if prefix.startswith("2025") else ""
    assert said([head, *(f"{prefix}{tail}{line}" for line in rest)]) == ["一段\n话"]


def test_the_end_may_be_two_brackets() -> None:
    assert said([logged('清理后的输出: {"paragraph_latest_state": "x", "more": ['), '"a"', "] }"]) == ["x"]


def test_the_better_paragraph_counts() -> None:
    both = {"paragraph_latest_state": "old", "updated_paragraph_latest_state": "new"}
    assert said([logged("清理后的输出: " + json.dumps(both))]) == ["new"]


def test_other_json_is_said_whole() -> None:
    [text] = said([logged('清理后的输出: {"a": "六"}')])
    assert text == '清理后的输出: {\n  "a": "六"\n}'


def test_stray_quotes_are_repaired_once() -> None:
    assert said([logged('清理后的输出: {"paragraph_latest_state": "he said "no" to it"}')]) == ['he said "no" to it']
    assert said([logged('清理后的输出: {"paragraph_latest_state": nonsense}')]) == []


def test_json_of_other_nodes_is_nothing() -> None:
    assert (
        said([logged('清理后的输出: {"paragraph_latest_state": "x"}', node="InsightEngine.nodes.search_node:run:1")])
        == []
    )


def test_remarks_without_their_tags() -> None:
    line = logged(f"[INSIGHT] [FirstSummaryNode] 首次总结: insight {LONG}")
    assert said([line]) == [LONG]


def test_errors_block_until_info() -> None:
    error, warning, plain = logged("bad", "ERROR"), logged(LONG, "WARNING"), f"nodes.summary_node {LONG}"
    assert said([error, warning, plain, logged("ok"), output("b")]) == ["b"]
    head, *rest = spread("lost")
    assert said([head, error, *rest, output("b")]) == ["b"]


def test_a_capture_without_end_is_given_up() -> None:
    capture = Capture("insight")
    said([logged("清理后的输出: {"), *["x" * 70_000] * 20], capture)
    assert capture.first is None
    assert said([output("next")], capture) == ["next"]


@given(
    st.lists(st.sampled_from([START, *spread("many\nlines"), output("one"), logged("bad", "ERROR"), logged(LONG), "}"]))
)
def test_a_capture_goes_on_after_a_restart(lines: list[str]) -> None:
    whole, parted, found, expected = Capture("insight"), Capture("insight"), [], []
    for offset, line in enumerate(lines, 1):
        expected.append(whole.feed(line, offset))
        parted = Capture.load("insight", json.loads(json.dumps(parted.dump())))
        found.append(parted.feed(line, offset))
    assert found == expected


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_is_read_as_it_is(value: object) -> None:
    assert parse_output(json.dumps({"k": value}, ensure_ascii=False)) == {"k": value}


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    parse_output(text)
    is_valuable(text)
    assert "\n" not in as_written(text, "insight")
