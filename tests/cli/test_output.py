from __future__ import annotations

from datetime import timedelta

import pytest

from antiphon.cli.output import duration, safe, size


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï", "plain ünï"),
        ("\x1b[31mred\x1b[0m\tx", "\x1b[31mred\x1b[0m\tx"),
        ("\x1b[38;2;1;2;3mtrue\x1b[m", "\x1b[38;2;1;2;3mtrue\x1b[m"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]52;c;c2VjcmV0\x1b\\x", "x"),
        ("\x1b]8;;unfinished", ""),
        ("\x1bcreset\x07bell\x9b2Jc1", "resetbell2Jc1"),
        ("a\x08\x7fb\r", "ab"),
    ],
)
def test_of_escapes_only_colours_reach_a_terminal(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_durations_have_two_units() -> None:
    spans = [
        timedelta(seconds=5),
        timedelta(minutes=4, seconds=5),
        timedelta(days=2, hours=3, minutes=9),
        -timedelta(1),
    ]
    assert [duration(span) for span in spans] == ["5s", "4m 5s", "2d 3h", "0s"]


def test_sizes() -> None:
    assert [size(n) for n in (None, 0, 999, 12_300_000, 2_500_000_000)] == ["", "0 B", "999 B", "12 MB", "2.5 GB"]
