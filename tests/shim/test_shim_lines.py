"""How bytes become lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.shim import IN_MEMORY_BYTES, Lines, broken_tail, by_line_count, marker


def taken(block: object) -> bytes:
    """A block as bytes, also where it is a file."""
    if isinstance(block, bytes):
        return block
    with block:  # type: ignore[attr-defined]
        block.seek(0)  # type: ignore[attr-defined]
        return block.read()  # type: ignore[attr-defined, no-any-return]


def split(chunks: list[bytes], limit: int = 10_000) -> list[bytes]:
    lines = Lines(limit)
    blocks = [block for chunk in chunks for block in lines.feed(chunk)] + lines.end()
    return [line for block in blocks for line in taken(block).split(b"\n")]


def model(stream: bytes, limit: int) -> list[bytes]:
    """The same, said as simply as possible."""
    *lines, last = [([b"", *filter(None, line.split(b"\r"))])[-1] for line in stream.split(b"\n")]
    return [cut(line, limit) for line in [*lines, *filter(None, [last])]]


def cut(line: bytes, limit: int) -> bytes:
    if len(line) <= limit:
        return line
    kept = limit - broken_tail(line[:limit])
    return line[:kept] + marker(len(line) - kept)


pieces = st.sampled_from(
    [b"\n", b"\r", b"\r\n", b"a", b"bcd", b"10%", "é".encode(), "😀".encode(), b"\xff", b"\xe2\x82"]
)


@given(st.lists(st.one_of(pieces, st.binary(max_size=6)), max_size=40), st.data(), st.integers(1, 12))
def test_chunk_boundaries_do_not_matter(parts: list[bytes], data: st.DataObject, limit: int) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert split(chunks, limit) == model(stream, limit)


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"", []),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\nb", [b"a", b"b"]),
        (b"\n\n", [b"", b""]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"10%\r20%\r30%\n", [b"30%"]),
        (b"10%\r20%\r\n", [b"20%"]),
        (b"10%\r20%\r", [b"20%"]),
        (b"\r10%\r20%", [b"20%"]),
        (b"\r\r\n", [b""]),
    ],
)
def test_line_ends(stream: bytes, lines: list[bytes]) -> None:
    assert split([stream]) == lines
    assert split([bytes([byte]) for byte in stream]) == lines


def test_long_line_says_how_much_was_cut() -> None:
    assert split([b"x" * 50 + b"\nshort\n"], limit=10) == [b"x" * 10 + b" [... 40 bytes cut]", b"short"]
    assert split([b"x" * 5] * 10 + [b"\n"], limit=10) == [b"x" * 10 + b" [... 40 bytes cut]"]


def test_characters_are_not_cut_in_the_middle() -> None:
    assert split(["ééé\n".encode()], limit=3) == ["é".encode() + b" [... 4 bytes cut]"]
    assert split([bytes([byte]) for byte in "😀😀\n".encode()], limit=7) == ["😀".encode() + b" [... 4 bytes cut]"]


def test_progress_for_hours_holds_one_part_only() -> None:
    lines = Lines(100)
    for number in range(10_000):
        assert lines.feed(b"%d%%\r" % number) == []
    assert lines.feed(b"\n") == [b"9999%"]


def test_very_long_line_waits_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = Lines(3 * IN_MEMORY_BYTES)
    for _ in range(4):
        assert lines.feed(b"x" * IN_MEMORY_BYTES) == []
    long, short = lines.feed(b"\nshort\n")
    assert not isinstance(long, bytes)
    assert taken(long) == b"x" * 3 * IN_MEMORY_BYTES + marker(IN_MEMORY_BYTES)
    assert short == b"short"
    assert list(tmp_path.iterdir()) == []


@given(st.integers(1, 5000))
def test_records_hold_a_bounded_number_of_lines(count: int) -> None:
    block = b"\n".join(b"%d" % number for number in range(count))
    parts = list(by_line_count(block))
    assert b"\n".join(part for part, _ in parts) == block
    assert all(part.count(b"\n") + 1 == lines <= 1000 for part, lines in parts)
