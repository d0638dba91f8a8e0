"""The plain parts: records, statuses, the configuration file, what a report's program says, heartbeats."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialects.bettafish import config, forum, report
from antiphon.dialects.bettafish.apps import changes_status, statuses
from antiphon.dialects.bettafish.blocks import render_console
from antiphon.dialects.bettafish.lines import console_line
from antiphon.messages import Event

MOMENT_MS = 1_700_000_000_123


def event(kind: str, data: Any, offset: int = 1) -> Event:
    return Event("x", offset, kind, orjson.dumps(data), MOMENT_MS, None)


def patch(*ops: dict[str, Any]) -> Event:
    return event("state.patch", {"ops": list(ops)})


@pytest.mark.parametrize(
    ("path", "tells"),
    [
        ("/insight/status", True),
        ("/insight", True),
        ("/forum/status", True),
        ("/query/port", True),
        ("", True),
        ("/insight/cpu_percent", False),
        ("/media/memory_bytes", False),
        ("/media/reason", False),
        ("/other/status", False),
        ("/other", False),
    ],
)
def test_which_changes_of_the_table_are_told(path: str, tells: bool) -> None:
    assert changes_status(patch({"op": "replace", "path": path, "value": 1})) is tells
    assert changes_status(event("line", {"text": path})) is False


def test_every_status_of_a_process_is_one_of_three_words() -> None:
    words = {
        "running": "running",
        "starting": "starting",
        "unhealthy": "starting",
        **dict.fromkeys(("stopped", "stopping", "exited", "failed"), "stopped"),
    }
    for status, word in words.items():
        found = statuses({"insight": {"status": status, "port": None}}, has_forum=False)
        assert found["insight"] == {"status": word, "port": 8501}
        assert list(found) == ["insight", "media", "query", "forum"]


def test_no_line_has_a_raw_newline() -> None:
    assert (console_line(event("line", {"text": " a\nb\r\nc \n"})) or "")[11:] == "a b  c"
    assert console_line(event("line", {"text": " \r\n\t"})) is None
    assert console_line(event("process.started", {"pid": 1})) is None


@given(st.lists(st.text(max_size=20)))
def test_a_block_has_what_the_pushed_lines_have(found: list[str]) -> None:
    events = [event("line", {"text": text}) for text in found]
    block = render_console(events)
    lines = json.loads(b"[" + block.columns[0] + b"]")
    assert lines == [line for each in events if (line := console_line(each)) is not None]
    assert block.lines == len(lines)


@given(st.dictionaries(st.sampled_from(config.KEYS), st.text(max_size=60)))
def test_the_configuration_file_gives_back_what_was_kept(values: dict[str, str]) -> None:
    try:
        kept = config.merged({}, values)
    except config.WrongValue:
        return
    assert config.read(config.write(kept)) == {
        key: value.strip() for key, value in values.items() if value.strip() and key in kept
    }


def test_nothing_in_the_configuration_file_is_expanded_by_a_shell() -> None:
    text = config.write({"DB_HOST": '"; touch x; $(touch y) `touch z` \\'})
    line = text.splitlines()[-1]
    assert line == 'DB_HOST="\\"; touch x; \\$(touch y) \\`touch z\\` \\\\"'


def test_a_speech_that_is_muted_or_no_agents_is_not_in_the_chat() -> None:
    data = {"kind": "agent", "source": "MEDIA", "text": " hi\n ", "clock": "10:00:00", "muted": False}
    message = forum.message_of_speech(event("forum.speech", data))
    assert message == {
        "type": "agent",
        "sender": "Media Engine",
        "content": "hi",
        "timestamp": "10:00:00",
        "source": "MEDIA",
    }
    for changes in ({"muted": True}, {"kind": "system"}, {"kind": "person"}, {"text": "  "}, {"source": "NOBODY"}):
        assert forum.message_of_speech(event("forum.speech", {**data, **changes})) is None
    assert forum.message_of_speech(event("message.append", {"message_id": "1", "delta": "x"})) is None


@pytest.mark.parametrize(
    ("line", "kind", "part"),
    [
        ("plain", "log", {"level": "info"}),
        ("2025-11-14 | ERROR    | x - bad", "log", {"level": "error"}),
        ("2025-11-14 | SUCCESS | x - good", "log", {"level": "info"}),
        ('{"type": "stage", "message": "m"}', "x.report.stage", {"message": "m"}),
        ('{"type": "progress", "progress": 250}', "run.progress", {"progress": 1.0}),
        ('{"type": "progress", "progress": "x"}', "run.progress", {"progress": None}),
        ('{"type": "completed"}', "log", {}),
        ('{"no": "type"}', "log", {}),
        ("{broken", "log", {}),
        ("[1]", "log", {}),
    ],
)
def test_what_a_line_of_the_reports_program_says(line: str, kind: str, part: dict[str, Any]) -> None:
    said = report.said_of(line)
    assert said is not None
    assert said[0] == kind
    assert part.items() <= said[1].items()
    assert report.said_of("  ") is None


def test_a_heartbeat_is_named_by_its_moment_and_not_counted() -> None:
    task = report.Task("report_1", "q", "running", 0, "", MOMENT_MS, MOMENT_MS, ())
    story = report.Story(task)
    story.event(event("run.started", {"status": "running"}))
    heartbeat = story.heartbeat(MOMENT_MS).decode()
    assert heartbeat.startswith(f"id: hb-{MOMENT_MS}\nevent: heartbeat\ndata: ")
    assert json.loads(heartbeat.partition("data: ")[2]) == {
        "id": f"hb-{MOMENT_MS}",
        "type": "heartbeat",
        "task_id": "report_1",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "payload": {"status": "running"},
    }
    assert story.event(event("log", {"level": "info", "text": "x"})).startswith(b"id: 2\n")
