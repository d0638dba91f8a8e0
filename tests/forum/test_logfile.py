"""The file mirrors the records: whole after every death, whatever happens to the file."""

from __future__ import annotations

from pathlib import Path

import orjson
from hypothesis import given
from hypothesis import strategies as st

from antiphon.messages import Event
from antiphon.services.forum.logfile import ForumFile, Written


def line(offset: int, text: str) -> Event:
    return Event("log:forum", offset, "line", orjson.dumps({"text": text}), 0, None)


def cleared(offset: int) -> Event:
    return Event("log:forum", offset, "forum.cleared", b"{}", 0, None)


EVENTS = [line(1, "one"), line(2, "zwei 二"), line(3, "three")]


def test_it_grows_and_begins_anew(tmp_path: Path) -> None:
    file = ForumFile(tmp_path / "logs" / "forum.log")
    written = file.append(0, EVENTS)
    assert file.path.read_text("utf-8") == "one\nzwei 二\nthree\n"
    written = file.append(written.offset, [line(4, "x"), cleared(5), line(6, "new")])
    assert file.path.read_text("utf-8") == "new\n"
    assert written.offset == 6


def test_a_rotated_file_is_left_alone(tmp_path: Path) -> None:
    file = ForumFile(tmp_path / "forum.log")
    file.append(0, EVENTS)
    file.path.rename(tmp_path / "forum.log.1")
    file.append(3, [line(4, "four")])
    assert file.path.read_text() == "four\n"
    assert len((tmp_path / "forum.log.1").read_text("utf-8").splitlines()) == 3


@given(st.integers(0, 20), st.integers(0, 3))
def test_what_was_written_before_a_death_is_not_written_again(bytes_written: int, noted: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        file = ForumFile(Path(directory) / "forum.log")
        whole = b"one\n" + "zwei 二\n".encode() + b"three\n"
        sizes = [0, 4, 4 + len("zwei 二\n".encode()), len(whole)]
        at = max(sizes[noted], min(bytes_written, len(whole)))
        file.path.write_bytes(whole[:at])
        written = Written(noted, file.path.stat().st_ino, sizes[noted])
        file.resume(written, EVENTS[noted:])
        assert file.path.read_bytes() == whole
        again = file.now(3)
        file.resume(again, [])
        assert file.path.read_bytes() == whole


def test_after_a_death_a_new_session_is_written_whole(tmp_path: Path) -> None:
    file = ForumFile(tmp_path / "forum.log")
    written = file.append(0, EVENTS)
    after = [cleared(4), line(5, "a"), line(6, "b")]
    file.append(3, after[:2])
    file.resume(written, after)
    assert file.path.read_text() == "a\nb\n"


def test_foreign_lines_stay(tmp_path: Path) -> None:
    file = ForumFile(tmp_path / "forum.log")
    written = file.append(0, EVENTS[:1])
    with file.path.open("a") as other:
        other.write("half a line")
    file.resume(written, EVENTS[1:])
    assert file.path.read_text("utf-8") == "one\nhalf a line\nzwei 二\nthree\n"
