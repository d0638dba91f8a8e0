"""Two programs talk line by line about the indexed files: this one asks, `answerer.py` knows.

    python3 dialogue.py [--work FOLDER] [--pause SECONDS]

Each question follows from the last answer. Whoever writes a word to this program's standard input turns the talk to it.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

CYAN, MAGENTA, PLAIN = "\033[36m", "\033[35m", "\033[0m"
FIRST_WORD = "channel"

PATH = re.compile(r"^(\S+) does, \d+ times")
TALKS_OF = re.compile(r"^It talks of (.+)\.$")


class Asker:
    """Decides what to ask next; plain code, no pipes."""

    def __init__(self, first_word: str, chance: random.Random) -> None:
        self._word = first_word
        self._chance = chance
        self._asked: set[str] = set()

    def turn_to(self, word: str) -> None:
        """Ask about this word next, whether or not it was asked before."""
        self._word = word

    def round(self) -> Generator[str, str, None]:
        """One round of questions; each takes its answer back in by `send`."""
        self._asked.add(self._word)
        found = PATH.match((yield f"Who mentions {self._word} most?"))
        if found is None:
            self._word = FIRST_WORD
            return
        path = found[1]
        topics = TALKS_OF.match((yield f"What is {path} about?"))
        yield self._chance.choice((f"How long is {path}?", f"What is left to do in {path}?"))
        words = topics[1].split(", ") if topics else []
        fresh = [word for word in words if word not in self._asked]
        if not fresh:
            self._asked.clear()
        self._word = self._chance.choice(fresh or words or [FIRST_WORD])


class Answerer:
    """The other program, at the far end of two pipes."""

    def __init__(self, index: Path) -> None:
        program = Path(__file__).with_name("answerer.py")
        pipe = subprocess.PIPE
        self._program = subprocess.Popen(
            [sys.executable, str(program), str(index)], stdin=pipe, stdout=pipe, text=True, encoding="utf-8"
        )

    def ask(self, question: str) -> str:
        """Write one line, read one line. Raises EOFError if the other half is gone."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        try:
            self._program.stdin.write(question + "\n")
            self._program.stdin.flush()
        except BrokenPipeError:
            raise EOFError("the answerer is gone") from None
        answer = self._program.stdout.readline()
        if not answer:
            raise EOFError("the answerer is gone")
        return answer.rstrip("\n")

    def close(self) -> None:
        """End its input and wait until it is gone."""
        self._program.communicate()


def listen(words: SimpleQueue[str]) -> None:
    """Put the first word of every line that people write into the queue."""
    for line in sys.stdin:
        if line.strip():
            words.put(line.split()[0])


def converse(asker: Asker, answerer: Answerer, words: SimpleQueue[str], stop: Event, pause_s: float) -> None:
    """Ask and answer until somebody stops us."""
    while not stop.is_set():
        questions = asker.round()
        question = next(questions)
        while not stop.is_set():
            print(f"{CYAN}asker     {PLAIN}{question}", flush=True)
            reply = answerer.ask(question)
            print(f"{MAGENTA}answerer  {PLAIN}{reply}", flush=True)
            stop.wait(pause_s)
            try:
                question = questions.send(reply)
            except StopIteration:
                break
        try:
            asker.turn_to(words.get_nowait())
        except Empty:
            continue


def main() -> int:
    parser = argparse.ArgumentParser(description="Talk about the indexed files.")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work", help="where the index is kept")
    parser.add_argument("--pause", type=float, default=3.0, metavar="SECONDS", help="between two questions")
    options = parser.parse_args()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    words: SimpleQueue[str] = SimpleQueue()
    Thread(target=listen, args=(words,), daemon=True, name="listener").start()
    answerer = Answerer(options.work / "index.sqlite3")
    try:
        converse(Asker(FIRST_WORD, random.Random()), answerer, words, stop, options.pause)
    except EOFError as problem:
        print(problem, file=sys.stderr, flush=True)
        return 1
    finally:
        answerer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
