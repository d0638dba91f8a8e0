"""The full-text index of a folder: SQLite FTS5 in a temporary database. Its methods block: they are for threads."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from antiphon.services.tools.documents.files import Folder, Stamp
from antiphon.services.tools.documents.passages import passages

SNIPPET_LINES = 5
MAX_SNIPPET = 600  # characters
MAX_WORDS = 20  # of a query

_SCHEMA = """
CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT UNIQUE, mtime_ns INTEGER, size INTEGER, inode INTEGER);
CREATE TABLE passages (id INTEGER PRIMARY KEY, file INTEGER, line INTEGER);
CREATE INDEX passages_of_file ON passages (file, line);
CREATE VIRTUAL TABLE words USING fts5(text, path, tokenize='unicode61 remove_diacritics 2');
"""
_WORD = re.compile(r"\w+")


class Hit(NamedTuple):
    path: str
    line: int  # from 1
    snippet: str


class Lines(NamedTuple):
    text: str
    from_line: int
    of_lines: int  # how many the file has
    is_cut: bool  # whether there was more text than may be returned


class Refreshed(NamedTuple):
    files: int
    read: int  # files that were new or changed
    left_out: int  # files beyond the limit


class Index:
    """Args: max_files: Files beyond this number are left out."""

    def __init__(self, folder: Folder, *, max_files: int) -> None:
        self._folder = folder
        self._max_files = max_files
        # An empty name: a file of SQLite's own, kept in memory while it is small, gone when it is closed.
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def refresh(self, stopped: Callable[[], bool]) -> Refreshed:
        """Bring the index up to date with the folder. Stopping leaves what is done."""
        known = {path: (number, Stamp(*stamp)) for number, path, *stamp in self._db.execute("SELECT * FROM files")}
        seen: set[str] = set()
        read = left_out = 0
        for found in self._folder.files({path: stamp for path, (_, stamp) in known.items()}, stopped):
            if len(seen) >= self._max_files:
                left_out += 1
                continue
            seen.add(found.path)
            if found.path in known and known[found.path][1] == found.stamp:
                continue
            self._replace(known.get(found.path, (None, None))[0], found.path, found.stamp, found.text or "")
            read += 1
        if not stopped():
            for path in known.keys() - seen:
                self._forget(known[path][0])
        return Refreshed(len(seen), read, left_out)

    def _replace(self, number: int | None, path: str, stamp: Stamp, text: str) -> None:
        self._db.execute("BEGIN")
        if number is not None:
            self._drop(number)
        file = self._db.execute(
            "INSERT INTO files (path, mtime_ns, size, inode) VALUES (?, ?, ?, ?)", (path, *stamp)
        ).lastrowid
        for passage in passages(text):
            row = self._db.execute("INSERT INTO passages (file, line) VALUES (?, ?)", (file, passage.line)).lastrowid
            self._db.execute("INSERT INTO words (rowid, text, path) VALUES (?, ?, ?)", (row, passage.text, path))
        self._db.execute("COMMIT")

    def _forget(self, number: int) -> None:
        self._db.execute("BEGIN")
        self._drop(number)
        self._db.execute("COMMIT")

    def _drop(self, number: int) -> None:
        self._db.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM passages WHERE file = ?)", (number,))
        self._db.execute("DELETE FROM passages WHERE file = ?", (number,))
        self._db.execute("DELETE FROM files WHERE id = ?", (number,))

    def search(self, query: str, limit: int) -> list[Hit]:
        """The best passages: those with all words, else those with any, else those with the text itself."""
        words = list(dict.fromkeys(_WORD.findall(query)))[:MAX_WORDS]
        terms = [f'"{word}"*' for word in words]
        for together in (" AND ", " OR ")[: len(terms)]:
            found = self._matching(together.join(terms), limit)
            if found:
                return [self._hit(row, words) for row in found]
        # Words of languages without spaces between them, and signs.
        return [self._hit(row, [query]) for row in self._holding(query, limit)] if query.strip() else []

    def _matching(self, expression: str, limit: int) -> list[tuple[str, int, str]]:
        return self._db.execute(
            "SELECT path, line, text FROM words JOIN passages ON passages.id = words.rowid "
            "WHERE words MATCH ? ORDER BY bm25(words, 1.0, 0.5) LIMIT ?",
            (expression, limit),
        ).fetchall()

    def _holding(self, text: str, limit: int) -> list[tuple[str, int, str]]:
        return self._db.execute(
            "SELECT path, line, text FROM words JOIN passages ON passages.id = words.rowid "
            "WHERE instr(lower(text), lower(?)) ORDER BY path, line LIMIT ?",
            (text, limit),
        ).fetchall()

    def _hit(self, row: tuple[str, int, str], words: list[str]) -> Hit:
        path, line, text = row
        lines = text.split("\n")
        at = _best_line(lines, words)
        return Hit(path, line + at, _snippet(lines, at, words))

    def read(self, path: str, from_line: int, lines: int, max_chars: int) -> Lines | None:
        """Lines of a file as it was indexed; None = there is no such file."""
        file = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if file is None:
            return None
        texts = self._db.execute(
            "SELECT text FROM passages JOIN words ON words.rowid = passages.id WHERE file = ? ORDER BY line", file
        ).fetchall()
        found = "\n".join(text for (text,) in texts).split("\n") if texts else []
        text = "\n".join(found[from_line - 1 : from_line - 1 + lines])
        return Lines(text[:max_chars], from_line, len(found), len(text) > max_chars)


def _snippet(lines: list[str], at: int, words: list[str]) -> str:
    """The line with what is around it; of a very long one, what is around the words."""
    shown = "\n".join(lines[max(0, at - 1) : at + SNIPPET_LINES - 1])
    if len(shown) <= MAX_SNIPPET:
        return shown
    places = [place for place in (lines[at].casefold().find(word.casefold()) for word in words) if place >= 0]
    begin = max(0, min(places, default=0) - MAX_SNIPPET // 3)
    return lines[at][begin : begin + MAX_SNIPPET]


def _best_line(lines: list[str], words: list[str]) -> int:
    """The line with the most of the words; the first where none stands in the text."""
    wanted = [word.casefold() for word in words]
    counts = [sum(word in line.casefold() for word in wanted) for line in lines]
    return counts.index(max(counts))
