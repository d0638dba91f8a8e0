"""A small inverted index of a folder's text, in one SQLite file: which words stand in which files, and how often."""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TEXT_SUFFIXES = {
    ".css",
    ".html",
    ".js",
    ".json",
    ".md",
    ".mjs",
    ".py",
    ".sh",
    ".toml",
    ".ts",
    ".tsx",
    ".txt",
    ".yml",
    ".yaml",
}
SKIPPED_FOLDERS = {"node_modules", "data", "work", "dist", "static", "requirements", "__pycache__"}
SKIPPED_FILES = {"package-lock.json"}
MAX_BYTES = 1_000_000  # a longer file is data, not text that somebody wrote

WORD = re.compile(r"[A-Za-z][a-z]{2,24}|[A-Z]{3,24}")
NOTE = re.compile(r"\b(?:TODO|FIXME)\b[ :]*(.*)")

SCHEMA = """
create table if not exists files (path text primary key, changed integer, lines integer, words integer);
create table if not exists words (word text, path text, times integer, primary key (word, path)) without rowid;
create table if not exists notes (path text, line integer, text text);
create index if not exists words_of_file on words (path);
"""


class FileFacts(NamedTuple):
    """What was read from one file."""

    lines: int
    words: Counter[str]
    notes: list[tuple[int, str]]  # line number and text of each TODO

    @property
    def word_count(self) -> int:
        return self.words.total()


class Totals(NamedTuple):
    """The whole index in four numbers."""

    files: int
    lines: int
    words: int
    notes: int


def text_files(root: Path) -> Iterator[tuple[str, int]]:
    """Path below `root` and time of change (ns) of every text file, in order; no hidden or generated folders."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in TEXT_SUFFIXES and name not in SKIPPED_FILES:
                try:
                    facts = path.stat()
                except FileNotFoundError:
                    continue  # removed since the folder was listed
                if facts.st_size <= MAX_BYTES:
                    yield path.relative_to(root).as_posix(), facts.st_mtime_ns


def read_facts(text: str) -> FileFacts:
    """Count a text's lines and words and pick out its TODO notes."""
    lines = text.splitlines()
    notes = [(number, match[1].strip()) for number, line in enumerate(lines, 1) if (match := NOTE.search(line))]
    return FileFacts(len(lines), Counter(word.lower() for word in WORD.findall(text)), notes)


class TextIndex:
    """The index in a file; one writer, any number of readers."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=10)
        self._db.execute("pragma journal_mode = wal")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def known(self) -> dict[str, int]:
        """Time of change of every indexed file, as it was when the file was read."""
        return dict(self._db.execute("select path, changed from files"))

    def put(self, path: str, changed: int, facts: FileFacts) -> None:
        """Replace what is known of one file."""
        with self._db:
            self._forget(path)
            self._db.execute("insert into files values (?, ?, ?, ?)", (path, changed, facts.lines, facts.word_count))
            self._db.executemany(
                "insert into words values (?, ?, ?)", [(word, path, n) for word, n in facts.words.items()]
            )
            self._db.executemany(
                "insert into notes values (?, ?, ?)", [(path, line, text) for line, text in facts.notes]
            )

    def remove(self, path: str) -> None:
        with self._db:
            self._forget(path)

    def _forget(self, path: str) -> None:
        for table in ("files", "words", "notes"):
            self._db.execute(f"delete from {table} where path = ?", (path,))

    def totals(self) -> Totals:
        sums = self._db.execute(
            "select count(*), coalesce(sum(lines), 0), coalesce(sum(words), 0) from files"
        ).fetchone()
        (notes,) = self._db.execute("select count(*) from notes").fetchone()
        return Totals(sums[0], sums[1], sums[2], notes)

    def where(self, word: str, limit: int = 3) -> list[tuple[str, int]]:
        """The files that use `word` most, with how often."""
        sql = "select path, times from words where word = ? order by times desc, path limit ?"
        return self._db.execute(sql, (word.lower(), limit)).fetchall()

    def typical_words(self, path: str, limit: int = 5) -> list[str]:
        """The words that set one file apart: frequent in it, rare elsewhere."""
        sql = """
            select word, times * 1.0 / (select count(*) from words as other where other.word = words.word) as weight
            from words where path = ? and times > 1 order by weight desc, word limit ?"""
        return [word for word, _ in self._db.execute(sql, (path, limit))]

    def size_of(self, path: str) -> tuple[int, int] | None:
        """Lines and words of a file; None if it is not in the index."""
        size: tuple[int, int] | None = self._db.execute(
            "select lines, words from files where path = ?", (path,)
        ).fetchone()
        return size

    def notes_of(self, path: str) -> list[tuple[int, str]]:
        return self._db.execute("select line, text from notes where path = ? order by line", (path,)).fetchall()

    def longest(self, limit: int = 5) -> list[tuple[str, int]]:
        """The files with the most lines."""
        return self._db.execute("select path, lines from files order by lines desc, path limit ?", (limit,)).fetchall()
