"""Contracts 3, 4 and 6, searched by machine: SIGKILL anywhere, resume, and nothing told before is contradicted.

Each life is a real process on a real database file; a crash is `kill -9` at a chosen point of the hub's work: between
two steps, before, in or after a commit, at an acknowledgement. See `crash_worker.py` and `crash_model.py`.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.crash_model import Model

SEQUENCES = 500
WORKER = Path(__file__).with_name("crash_worker.py")
POINTS = ["now", "before_commit", "after_commit", "in_thread", "while_appending", "after_ack"]

Op = tuple[Any, ...]
followers = st.sampled_from(["ann", "bob", "cid"])
channels = st.sampled_from(["plain", "board", "board"])
starts = st.sampled_from(["start", "now", "cursor", "cursor", "cursor", "other epoch", "beyond", "oldest"])
publishes = st.tuples(
    st.just("publish"), channels, st.integers(1, 12), st.booleans(), st.sampled_from([True, True, False]), st.booleans()
)
operations = st.one_of(
    publishes,
    publishes,
    publishes,
    st.tuples(st.just("subscribe"), followers, channels, starts),
    st.tuples(st.just("subscribe"), followers, channels, starts),
    st.tuples(st.just("lag"), followers, st.sampled_from([True, True, False])),
    st.tuples(st.just("fall behind"), followers, channels, st.integers(5, 15), st.sampled_from([True, True, False])),
    st.tuples(st.just("drop"), followers),
    st.just(("sweep",)),
    st.just(("flush",)),
    st.just(("thread",)),
    st.tuples(st.just("rest"), st.integers(1, 9)),
    st.tuples(st.just("crash"), st.sampled_from(POINTS), st.integers(0, 6), channels, st.booleans()),
    st.tuples(st.just("crash"), st.sampled_from(POINTS), st.integers(0, 6), channels, st.booleans()),
)
sequences = st.lists(operations, min_size=8, max_size=20)


class Worker:
    """Lives lives, one after the other; the facts that it tells go to the model."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def live(self, directory: Path, model: Model, ops: list[list[Any]]) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps([str(directory), model.seen(), ops]) + b"\n")
        self._process.stdin.flush()
        facts = []
        for line in self._process.stdout:
            facts.append(orjson.loads(line))
            if facts[-1][0] == "ended":
                break
        for fact in facts[:-1]:  # after the life, so that none of it is left for the next
            model.take(fact)
        assert facts[-1] == ["ended", signal.SIGKILL if ops[-1][0] == "crash" else 0]


@contextmanager
def worker() -> Iterator[Worker]:
    with subprocess.Popen([sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Worker(process)
        assert process.stdin is not None
        process.stdin.close()


class Sequence:
    """Turns generated operations into lives, and lives them."""

    def __init__(self, crossed: Counter[str], live: Callable[[Model, list[list[Any]]], None]) -> None:
        self._crossed = crossed
        self._live = live
        self.model = Model(crossed)
        self._numbers = 0
        self._keyed: list[Any] | None = None  # the last publish with a key

    def run(self, ops: list[Op]) -> None:
        self._crossed["sequences"] += 1
        self._crossed["operations"] += len(ops)
        life: list[list[Any]] = []
        for op in ops:
            life += self._translate(op)
            if op[0] == "crash":
                self._perform(life)
                self.model.begun_after_crash = True
                life = self._beginning()
        self._perform([*life, ["settle"]])
        self._perform([*self._beginning(), ["settle"]])
        if self._keyed is not None:
            assert self._keyed[2][0] in self.model.places, "the retried one is stored"

    def _perform(self, life: list[list[Any]]) -> None:
        self._live(self.model, life)
        if life[-1][0] == "settle":
            self.model.check_claims()

    def _translate(self, op: Op) -> list[list[Any]]:
        if op[0] == "publish":
            return [self._publish(*op[1:])]
        if op[0] == "fall behind":
            _, who, channel, count, is_trimmed = op
            steps = [["subscribe", who, channel, "cursor"], ["settle"], ["lag", who, True]]
            steps += [
                step for _ in range(3) for step in (self._publish(channel, count // 3, False, True, True), ["flush"])
            ]
            return [*steps, ["sweep"]] if is_trimmed else steps
        if op[0] == "crash":
            _, point, in_flight, channel, is_keyed = op
            last = [self._publish(channel, in_flight, False, True, False)] if in_flight else []
            keyed = [self._publish(channel, 1, True, True, False)] if is_keyed else []
            return [*last, *keyed, ["crash", point]]
        return [list(op)]

    def _publish(self, channel: str, count: int, is_keyed: bool, is_patch: bool, waits: bool) -> list[Any]:
        numbers = [self._numbers + n for n in range(1, 1 + (1 if is_keyed else count))]
        self._numbers = numbers[-1]
        is_patch = is_patch and channel == "board"
        self.model.channel_of.update(dict.fromkeys(numbers, channel))
        if is_patch:
            self.model.patches.update(numbers)
        key = f"key-{numbers[0]}" if is_keyed else None
        made = ["publish", channel, numbers, key, is_patch, waits]
        if is_keyed:
            self._keyed = [*made[:-1], True]
        return made

    def _beginning(self) -> list[list[Any]]:
        """After the restart everybody resumes, and the last publish with a key is tried again."""
        resumed = [["subscribe", who, channel, "cursor"] for who, channel in sorted(self.model.views)]
        if self._keyed is None:
            return resumed
        was_stored = self._keyed[2][0] in self.model.places
        self._crossed["retries of what was known to be stored" if was_stored else "retries of what was not"] += 1
        return [*resumed, self._keyed]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_sequence_of_crashes_contradicts_what_was_told(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    crossed: Counter[str] = Counter()
    directories = iter(range(1_000_000))

    @settings(
        max_examples=SEQUENCES,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(sequences)
    def search(ops: list[Op]) -> None:
        directory = tmp_path / str(next(directories))
        Sequence(crossed, lambda model, life: lives.live(directory, model, life)).run(ops)
        shutil.rmtree(directory)

    with worker() as lives:
        search()
    print(dict(sorted(crossed.items())))
    for name, count in crossed.items():
        record_property(name, count)
    assert crossed["sequences"] >= SEQUENCES
    assert crossed["operations"] >= 8 * SEQUENCES
    for name in (
        "resumed after a crash",
        "crashed with unacknowledged in flight",
        "gaps",
        "cuts",
        "pages",
        "trimmed",
        "sweeps",
        "cursors refused",
        "states checked",
        "retries of what was known to be stored",
        "retries of what was not",
        *(f"crashed {point}" for point in POINTS),
    ):
        assert crossed[name] >= 10, f"{name}: {crossed[name]}; the search does not reach what it is for"
