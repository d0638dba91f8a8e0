"""Cuts texts into passages: what a search finds and ranks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MAX_LINES = 30
MAX_CHARS = 3000
GOOD_LINES = 8  # after so many, a passage ends at an empty line or a heading


class Passage(NamedTuple):
    line: int  # where it begins, from 1
    text: str


def split_lines(text: str) -> list[str]:
    """As editors count lines; `str.splitlines` knows more ends of a line than they do."""
    found = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return found if found[-1] else found[:-1]


def passages(text: str) -> Iterator[Passage]:
    """The whole text in order; a line that is longer than a passage is one of its own."""
    lines: list[str] = []
    begin, size = 1, 0
    for number, line in enumerate(split_lines(text), 1):
        if lines and (_ends(lines, line) or size + len(line) > MAX_CHARS):
            yield Passage(begin, "\n".join(lines))
            lines, begin, size = [], number, 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield Passage(begin, "\n".join(lines))


def _ends(lines: list[str], following: str) -> bool:
    return len(lines) >= MAX_LINES or (len(lines) >= GOOD_LINES and (not lines[-1].strip() or following[:1] == "#"))
