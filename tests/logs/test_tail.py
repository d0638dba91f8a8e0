"""One real file under everything that happens to log files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from antiphon.services.logs.tail import Position, Tail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@contextmanager
def tail_of(path: Path, position: Position | None = None, *, from_end: bool = False) -> Iterator[Tail]:
    tail = Tail(path, 1000, position, from_end=from_end)
    try:
        yield tail
    finally:
        tail.close()


def drain(tail: Tail) -> tuple[list[str], Position | None]:
    lines: list[str] = []
    while True:
        chunk = tail.read()
        lines += chunk.lines
        if not chunk.more:
            return lines, chunk.position


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def rows(first: int, last: int) -> str:
    return "".join(f"{number:08d} something happened here, and it took a while\n" for number in range(first, last))


def numbers(lines: list[str]) -> list[int]:
    return [int(line[:8]) for line in lines]


def test_a_file_that_comes_later(path: Path) -> None:
    with tail_of(path) as tail:
        assert drain(tail) == ([], None)
        assert not tail.following
        append(path, "one\ntwo\nthr")
        assert drain(tail)[0] == ["one", "two"]
        append(path, "ee\n")
        assert drain(tail)[0] == ["three"]
        assert tail.following


def test_a_position_goes_on_exactly(path: Path) -> None:
    append(path, rows(0, 100) + "00000100 half")
    with tail_of(path) as tail:
        lines, position = drain(tail)
    assert numbers(lines) == [*range(100)]
    append(path, " whole\n" + rows(101, 110))
    assert position is not None
    with tail_of(path, Position.decode(position.encode())) as tail:
        lines, _ = drain(tail)
    assert lines[0] == "00000100 half whole"
    assert numbers(lines) == [*range(100, 110)]


def test_only_what_comes(path: Path) -> None:
    append(path, rows(0, 5000) + "in the mak")
    with tail_of(path, from_end=True) as tail:
        assert drain(tail)[0] == []
        append(path, "ing\n")
        assert drain(tail)[0] == ["in the making"]


def test_truncated(path: Path) -> None:
    append(path, rows(0, 10))
    with tail_of(path) as tail:
        drain(tail)
        os.truncate(path, 0)
        append(path, rows(10, 12))
        assert numbers(drain(tail)[0]) == [10, 11]
        assert tail.lost


def test_an_open_line_survives_a_truncation(path: Path) -> None:
    append(path, rows(0, 3) + "open")
    with tail_of(path) as tail:
        drain(tail)
        os.truncate(path, 0)
        append(path, "new\n")
        assert drain(tail)[0] == ["open", "new"]


def test_renamed_away_while_the_writer_goes_on(path: Path) -> None:
    with path.open("w") as writer, tail_of(path) as tail:
        print("one", file=writer, flush=True)
        assert drain(tail)[0] == ["one"]
        path.rename(path.with_suffix(".log.1"))
        print("two", file=writer, flush=True)
        assert drain(tail)[0] == ["two"]
        path.touch()  # made by the rotating program; the writer still has the old one
        print("three", file=writer, flush=True)
        writer.write("four")
        writer.flush()
        assert drain(tail)[0] == ["three"]
        append(path, "five\n")
        assert drain(tail)[0] == ["four", "five"]


def test_renamed_away_while_nobody_looked(path: Path) -> None:
    append(path, rows(0, 10))
    with tail_of(path) as tail:
        _, position = drain(tail)
    append(path, rows(10, 20))
    path.rename(path.with_suffix(".log.1"))
    append(path, rows(20, 30))
    with tail_of(path, position) as tail:
        assert numbers(drain(tail)[0]) == [*range(10, 30)]
        assert not tail.lost


@pytest.mark.parametrize("regrown", [1, 500], ids=["shorter", "longer than before"])
@pytest.mark.parametrize("away", [False, True], ids=["watched", "unwatched"])
def test_copied_and_truncated(path: Path, regrown: int, away: bool) -> None:
    append(path, rows(0, 100))
    first = Tail(path, 1000, None)
    _, position = drain(first)
    append(path, rows(100, 120) + "00000120 op")  # nobody looks before the truncation
    shutil.copy(path, path.with_suffix(".log.1"))
    os.truncate(path, 0)
    append(path, rows(200, 200 + regrown))
    if away:
        first.close()
    with tail_of(path, position) if away else _closing(first) as tail:
        lines, _ = drain(tail)
        assert numbers(lines) == [*range(100, 121), *range(200, 200 + regrown)]
        assert not tail.lost
        append(path, rows(1000, 1001))
        assert numbers(drain(tail)[0]) == [1000]


@contextmanager
def _closing(tail: Tail) -> Iterator[Tail]:
    yield tail
    tail.close()


def test_a_rest_that_is_nowhere_is_reported(path: Path) -> None:
    append(path, rows(0, 10))
    with tail_of(path) as tail:
        _, position = drain(tail)
    path.unlink()
    append(path, rows(50, 52))
    with tail_of(path, position) as tail:
        assert numbers(drain(tail)[0]) == [50, 51]
        assert tail.lost


def test_what_is_no_file_is_refused(path: Path) -> None:
    os.mkfifo(path)
    with tail_of(path) as tail, pytest.raises(OSError, match="not a regular file"):
        tail.read()


def test_nothing_is_read_after_close(path: Path) -> None:
    append(path, "one\n")
    with tail_of(path) as tail:
        tail.close()
        assert tail.read().lines == []
        assert not tail.following
