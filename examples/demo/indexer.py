"""Index the text of a folder, report what is in it, then watch it and index again what changes.

    python3 indexer.py FOLDER [--work FOLDER]

Progress is written over itself with carriage returns, as many programs do. Every indexed file is also noted in a plain
log file, `index.log`, as a program would that knows nothing of Antiphon.
"""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from textindex import TextIndex, read_facts, text_files

BOLD, DIM, GREEN, YELLOW, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[0m"


class Indexer:
    """Keeps an index in step with a folder."""

    def __init__(self, root: Path, work: Path, stop: Event) -> None:
        self.root = root.resolve()
        self.index = TextIndex(work / "index.sqlite3")
        self.stop = stop
        self._log = (work / "index.log").open("a", encoding="utf-8")

    def close(self) -> None:
        self.index.close()
        self._log.close()

    def changes(self) -> tuple[list[tuple[str, int]], list[str]]:
        """Files that are new or changed, and those that are gone."""
        known, present = self.index.known(), dict(text_files(self.root))
        changed = [(path, time) for path, time in present.items() if known.get(path) != time]
        return changed, sorted(known.keys() - present.keys())

    def read(self, path: str, changed: int) -> str | None:
        """Index one file; a sentence about it, or None if it vanished."""
        try:
            text = (self.root / path).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None  # the next look finds it gone
        facts = read_facts(text)
        self.index.put(path, changed, facts)
        self._note(f"indexed {path} lines={facts.lines} words={facts.word_count} todo={len(facts.notes)}")
        return f"{facts.lines} lines, {facts.word_count} words, {len(facts.notes)} to do"

    def forget(self, path: str) -> None:
        self.index.remove(path)
        self._note(f"removed {path}")

    def _note(self, text: str) -> None:
        self._log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")
        self._log.flush()


def first_pass(indexer: Indexer) -> None:
    """Index everything that changed since the last time, with a progress line."""
    changed, gone = indexer.changes()
    for path in gone:
        indexer.forget(path)
    for done, (path, time) in enumerate(changed, 1):
        if indexer.stop.is_set():
            break
        indexer.read(path, time)
        say(f"\r{DIM}indexing {done}/{len(changed)} ({100 * done // len(changed)} %) {path}{PLAIN}", end="")
    if changed:
        say()
    say(f"{GREEN}{len(changed)} files read, {len(gone)} gone since the last time{PLAIN}")


def report(indexer: Indexer) -> None:
    """Say what the index holds."""
    totals = indexer.index.totals()
    say(f"{BOLD}{totals.files} files, {totals.lines} lines, {totals.words} words, {totals.notes} to do{PLAIN}")
    for path, lines in indexer.index.longest():
        say(f"  {lines:>6} lines  {path}  {DIM}{', '.join(indexer.index.typical_words(path, 3))}{PLAIN}")


def watch(indexer: Indexer, every_s: float) -> None:
    """Index what changes until somebody stops us."""
    say(f"watching {indexer.root.name}")
    while not indexer.stop.wait(every_s):
        changed, gone = indexer.changes()
        for path, time in changed:
            sentence = indexer.read(path, time)
            if sentence is not None:
                say(f"{YELLOW}changed{PLAIN} {path}: {sentence}")
        for path in gone:
            indexer.forget(path)
            say(f"{YELLOW}removed{PLAIN} {path}")


def say(text: str = "", end: str = "\n") -> None:
    print(text, end=end, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Index a folder's text and watch it.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work", help="where the index is kept")
    parser.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="between two looks at the folder")
    options = parser.parse_args()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    indexer = Indexer(options.folder, options.work, stop)
    try:
        first_pass(indexer)
        report(indexer)
        watch(indexer, options.every)
    finally:
        indexer.close()
    say("stopped; the index stays")
    return 0


if __name__ == "__main__":
    sys.exit(main())
