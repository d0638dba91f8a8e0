"""The half of the dialogue that knows: reads questions line by line, answers each with one line from the index."""

from __future__ import annotations

import argparse
import re
import signal
import sys
from pathlib import Path

from textindex import TextIndex


def who_mentions(index: TextIndex, word: str) -> str:
    found = index.where(word)
    if not found:
        return f"Nobody mentions {word}."
    (path, times), *others = found
    also = f", then {' and '.join(other for other, _ in others)}" if others else ""
    return f"{path} does, {times} times{also}."


def what_about(index: TextIndex, path: str) -> str:
    words = index.typical_words(path)
    return f"It talks of {', '.join(words)}." if words else f"I have not read {path}."


def how_long(index: TextIndex, path: str) -> str:
    size = index.size_of(path)
    return f"I have not read {path}." if size is None else f"{size[0]} lines, {size[1]} words."


def what_left(index: TextIndex, path: str) -> str:
    notes = index.notes_of(path)
    if not notes:
        return "Nothing is left to do there."
    number, text = notes[0]
    return f"{len(notes)} notes; the first, in line {number}: {text or '(no words)'}"


QUESTIONS = (
    (re.compile(r"Who mentions (\S+) most\?"), who_mentions),
    (re.compile(r"What is (\S+) about\?"), what_about),
    (re.compile(r"How long is (\S+)\?"), how_long),
    (re.compile(r"What is left to do in (\S+)\?"), what_left),
)


def answer(index: TextIndex, question: str) -> str:
    """One line for one question."""
    for pattern, reply in QUESTIONS:
        match = pattern.fullmatch(question.strip())
        if match:
            return reply(index, match[1])
    return "I do not understand the question."


def main() -> int:
    parser = argparse.ArgumentParser(description="Answer questions about indexed files.")
    parser.add_argument("index", type=Path)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # they are for the asker, who then ends our input
    index = TextIndex(parser.parse_args().index)
    for question in sys.stdin:
        print(answer(index, question), flush=True)
    index.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
