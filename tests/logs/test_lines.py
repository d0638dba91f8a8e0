"""Bytes to lines: the same lines and positions, however the bytes were cut into chunks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.services.logs.lines import FINGERPRINT_BYTES, LineSplitter

pieces = st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", "é€😀".encode(), b"\xff", b"x" * 20])
texts = st.lists(pieces, max_size=40).map(b"".join)


def split(data: bytes, cuts: list[int], limit: int = 0) -> tuple[list[str], LineSplitter]:
    splitter, lines, at = LineSplitter(0, limit), [], 0
    for cut in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        lines += splitter.feed(data[at:cut])
        at = cut
    return lines, splitter


def shown(line: bytes) -> str:
    return line.rstrip(b"\r").split(b"\r")[-1].decode("utf-8", "replace")


@given(texts, st.lists(st.integers(0, 200), max_size=8))
def test_chunks_do_not_matter(data: bytes, cuts: list[int]) -> None:
    lines, splitter = split(data, cuts)
    whole = data[: data.rfind(b"\n") + 1]
    assert lines == [shown(line) for line in whole.split(b"\n")[:-1]]
    assert splitter.offset == len(whole)
    assert splitter.read_offset == len(data)
    assert splitter.fingerprint == whole[-FINGERPRINT_BYTES:]
    assert splitter.recent == data[-FINGERPRINT_BYTES:]


@given(texts, st.lists(st.integers(0, 200), max_size=8), st.integers(1, 30))
def test_a_limit_cuts_the_same_way_for_all_chunks(data: bytes, cuts: list[int], limit: int) -> None:
    lines, _ = split(data, cuts, limit)
    whole, _ = split(data, [], limit)
    assert lines == whole
    for line in lines:
        assert len(line.partition(" [... ")[0].encode()) <= limit * 3  # U+FFFD takes three bytes


def test_a_long_line_says_what_is_missing() -> None:
    lines, _ = split(b"0123456789abc\nshort\n", [], 10)
    assert lines == ["0123456789 [... 3 bytes cut]", "short"]


def test_a_cut_leaves_no_half_character() -> None:
    lines, _ = split("aaé\n".encode(), [], 3)
    assert lines == ["aa [... 2 bytes cut]"]


def test_an_open_line_is_handed_out_at_the_end() -> None:
    _, splitter = split(b"one\ntwo", [])
    assert splitter.finish() == ["two"]
    assert splitter.finish() == []
    assert splitter.offset == 7
