"""What the shim writes and the server reads, without a process."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon import shim
from antiphon.services.processes.spool import Line, Position, Spool
from antiphon.shim import SpoolWriter, segment_name, segment_numbers


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # a shim lives in its directory
    return tmp_path


@pytest.fixture
def spool(directory: Path) -> Iterator[Spool]:
    spool = Spool(directory)
    yield spool
    spool.close()


def read_all(spool: Spool, position: Position = Position()) -> tuple[list[Line], Position, int]:  # noqa: B008
    lines: list[Line] = []
    lost = 0
    while True:
        some, position, missing = spool.read(position)
        lines += some
        lost += missing
        if not some:
            return lines, position, lost


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def test_streams_and_order_are_kept(spool: Spool) -> None:
    writer = SpoolWriter(1000, 10_000)
    writer.write(0, b"one\ntwo")
    writer.write(1, b"bad")
    writer.write(0, b"")
    lines, position, lost = read_all(spool)
    assert [(line.stream, line.text) for line in lines] == [
        ("stdout", "one"),
        ("stdout", "two"),
        ("stderr", "bad"),
        ("stdout", ""),
    ]
    assert position == Position(1, writer.end[1], 4, 4 + 4 + 4 + 1)
    assert lost == 0


def test_invalid_utf8_is_replaced(spool: Spool) -> None:
    SpoolWriter(1000, 10_000).write(0, b"a\xff\n\xe2\x82\nb")
    assert texts(read_all(spool)[0]) == ["a\N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}", "b"]


def test_only_line_feeds_end_lines(spool: Spool) -> None:
    SpoolWriter(1000, 10_000).write(0, "a\x0bb\x85c\u2028d".encode())
    assert texts(read_all(spool)[0]) == ["a\x0bb\x85c\u2028d"]


def test_position_survives_as_text(spool: Spool) -> None:
    writer = SpoolWriter(100, 10_000)
    for number in range(20):
        writer.write(0, b"line %d" % number)
    position, seen = Position(), []
    while (batch := Spool(Path()).read(position, max_lines=3)).lines:
        seen += texts(batch.lines)
        position = Position.parse(str(batch.position))
    assert seen == [f"line {number}" for number in range(20)]
    assert position.line == 20


@pytest.mark.parametrize("text", ["", "1", "1:2:3", "1:2:3:x", "1:2:3:4:5"])
def test_other_text_is_no_position(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Position.parse(text)


def test_batches_are_bounded(spool: Spool) -> None:
    writer = SpoolWriter(10**6, 10**7)
    for _ in range(5):
        writer.write(0, b"\n".join([b"x" * 10] * 400))
    position, sizes = Position(), []
    while (batch := spool.read(position, max_lines=1000)).lines:
        sizes.append(len(batch.lines))
        position = batch.position
    assert sizes == [800, 800, 400]
    assert len(spool.read(Position(), max_bytes=5000).lines) == 400


def test_one_line_beyond_the_bound_comes_alone(spool: Spool) -> None:
    writer = SpoolWriter(10**6, 10**7)
    writer.write(0, b"x" * 50_000)
    writer.write(0, b"next")
    first = spool.read(Position(), max_bytes=1000)
    assert texts(first.lines) == ["x" * 50_000]
    assert texts(spool.read(first.position, max_bytes=1000).lines) == ["next"]


def test_long_line_from_a_file(spool: Spool) -> None:
    writer = SpoolWriter(10**6, 10**7)
    file = shim.nameless_file()
    file.write(b"y" * (3 * shim.IN_MEMORY_BYTES + 7))
    writer.write(1, file)
    writer.write(0, b"after")
    lines, _, lost = read_all(spool)
    assert [(line.stream, len(line.text)) for line in lines] == [
        ("stderr", 3 * shim.IN_MEMORY_BYTES + 7),
        ("stdout", 5),
    ]
    assert lost == 0


def test_segments_rotate_and_go_when_they_are_read(spool: Spool) -> None:
    writer = SpoolWriter(200, 10_000)
    for number in range(10):
        writer.write(0, b"%d" % number * 50)
    before = segment_numbers()
    assert len(before) > 3
    half = spool.read(Position(), max_lines=1).position
    lines, end, _ = read_all(spool, half)
    assert len(lines) == 9
    spool.delete_before(Position(3, 0, 0, 0))
    assert segment_numbers() == [number for number in before if number >= 3]
    spool.delete_before(end)
    assert segment_numbers() == [end.segment]
    writer.write(0, b"more")
    assert texts(read_all(spool, end)[0]) == ["more"]


def test_full_spool_drops_the_oldest_and_says_how_much(spool: Spool) -> None:
    writer = SpoolWriter(segment_bytes=1000, limit_bytes=3000)
    for number in range(100):
        writer.write(0, b"line %02d " % number + b"." * 92)
    assert sum(path.stat().st_size for path in Path().glob("spool-*")) <= 3000
    lines, _, lost = read_all(spool)
    assert lost == 100 - (len(lines) - 1)
    assert lines[0].stream == "stderr"
    assert lines[0].text.startswith(f"[antiphon: {lost} lines ({lost * 101} bytes) lost here")
    assert lines[1].text.startswith(f"line {lost:02d}")
    assert lines[-1].text.startswith("line 99")


def test_loss_behind_a_reader_is_told_where_it_happened(directory: Path) -> None:
    writer = SpoolWriter(segment_bytes=1000, limit_bytes=3000)
    for number in range(5):
        writer.write(0, b"line %02d " % number + b"." * 92)
    reader = Spool(directory)
    position = reader.read(Position(), max_lines=2).position
    reader.close()
    for number in range(5, 100):
        writer.write(0, b"line %02d " % number + b"." * 92)
    lines, _, lost = read_all(Spool(directory), position)
    assert 2 + lost + len(lines) - 1 == 100
    assert lines[1].text.startswith(f"line {2 + lost:02d}")


def test_segment_dropped_while_it_is_read_is_read_to_its_end(spool: Spool) -> None:
    writer = SpoolWriter(segment_bytes=1000, limit_bytes=3000)
    for number in range(5):
        writer.write(0, b"line %02d " % number + b"." * 92)
    position = spool.read(Position(), max_lines=2).position
    for number in range(5, 100):
        writer.write(0, b"line %02d " % number + b"." * 92)
    assert not Path(segment_name(1)).exists()
    lines, _, lost = read_all(spool, position)
    assert lines[0].text.startswith("line 02")
    assert 2 + lost + len(lines) - 1 == 100


@pytest.mark.parametrize("kept", [0, 3, shim.HEADER.size - 1, shim.HEADER.size, shim.HEADER.size + 3])
def test_torn_tail_waits(spool: Spool, kept: int) -> None:
    writer = SpoolWriter(10_000, 100_000)
    writer.write(0, b"whole")
    whole = writer.end[1]
    writer.write(0, b"torn line")
    data = Path(segment_name(1)).read_bytes()
    os.truncate(segment_name(1), whole + kept)
    lines, position, _ = read_all(spool)
    assert texts(lines) == ["whole"]
    assert spool.read(position) == ([], position, 0)
    Path(segment_name(1)).write_bytes(data)
    assert texts(read_all(spool, position)[0]) == ["torn line"]


def test_damaged_record_is_told_as_lost(spool: Spool) -> None:
    writer = SpoolWriter(100, 10_000)
    for text in (b"a" * 40, b"b" * 40, b"c" * 40):
        writer.write(0, text)
    data = bytearray(Path(segment_name(2)).read_bytes())
    data[-1] ^= 1
    Path(segment_name(2)).write_bytes(data)
    lines, _, lost = read_all(spool)
    assert lost == 1
    assert [text[:15] for text in texts(lines)] == ["a" * 15, "[antiphon: 1 li", "c" * 15]


def test_full_disk_loses_lines_but_never_silently(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolWriter(10_000, 100_000)
    writer.write(0, b"before")

    def full(fd: int, data: bytes | memoryview) -> None:
        os.write(fd, data[:5])  # a write may be cut short before it fails
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(shim, "write_all", full)
        writer.write(0, b"lost 1\nlost 2")
        writer.write(0, b"lost 3")
    writer.finish()
    lines, position, lost = read_all(spool)
    assert (lost, position.line) == (3, 4)
    assert texts(lines)[0] == "before"
    assert "3 lines (21 bytes) lost here" in texts(lines)[1]
    assert "no space left" in Path(shim.LOG).read_text()


def test_no_spool_yet_is_no_error(spool: Spool) -> None:
    assert spool.read(Position()) == ([], Position(), 0)
