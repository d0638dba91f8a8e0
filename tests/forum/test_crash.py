"""`kill -9` anywhere: every speech once, in the channel, in the records and in the file; the host hears each once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.forum.kit import START, Life, life_on, of_type, output, said, spread

from antiphon.brokers.sqlite import SqliteBroker

POINTS = ["before_commit", "after_commit", "in_file", "after_file"]
APPS = ["insight", "media", "query"]
THRESHOLD = 3
LIFE_S = 60

crashes = st.lists(st.tuples(st.sampled_from(POINTS), st.integers(0, 12)), min_size=1, max_size=4)
spoken = st.lists(
    st.tuples(st.sampled_from(APPS), st.booleans(), st.sampled_from(["same", ""])), min_size=4, max_size=14
)


def script(speeches: list[tuple[str, bool, str]]) -> list[tuple[str, str]]:
    """Lines of all apps; some speeches have the same words."""
    lines = [(app, START) for app in APPS]  # whichever is heard first begins the session
    for number, (app, is_spread, text) in enumerate(speeches):
        text = text or f"speech {number}"
        lines += [(app, line) for line in (spread(text) if is_spread else [output(text)])]
    return lines


def live(directory: Path, wanted: dict[str, Any]) -> int:
    """One life; its exit status."""
    program = [sys.executable, "-m", "tests.forum.dying", str(directory)]
    done = subprocess.run(program, input=orjson.dumps(wanted) + b"\n", capture_output=True, timeout=LIFE_S, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode


async def everything(directory: Path) -> tuple[Life, list[Any], list[str], dict[str, Any]]:
    broker = SqliteBroker(directory / "data")
    broker.open()
    async with life_on(broker, file=directory / "forum.log", threshold=THRESHOLD) as life:
        return life, await life.events(), await life.records(), await life.state()


@pytest.mark.timeout(900)
async def test_every_speech_once_over_kills(tmp_path: Path) -> None:
    crossed: Counter[str] = Counter()
    directories = iter(range(1_000_000))
    lived: list[tuple[Path, list[tuple[str, bool, str]]]] = []

    @settings(max_examples=12, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(spoken, crashes)
    def search(speeches: list[tuple[str, bool, str]], deaths: list[tuple[str, int]]) -> None:
        directory = tmp_path / str(next(directories))
        directory.mkdir()
        wanted = {"lines": script(speeches), "speeches": len(speeches), "threshold": THRESHOLD}
        for point, after in deaths:
            killed = live(directory, {**wanted, "die": point, "after": after})
            crossed[point if killed else "survived"] += 1
        assert live(directory, {**wanted, "die": "never", "after": 0}) == 0
        lived.append((directory, speeches))

    search()
    for directory, speeches in lived:
        _, events, records, state = await everything(directory)
        agents = [speech for speech in said(events) if speech["kind"] == "agent"]
        assert Counter((found["source"], found["text"]) for found in agents) == Counter(
            (app.upper(), text or f"speech {number}") for number, (app, _, text) in enumerate(speeches)
        )
        assert len({found["speech_id"] for found in agents}) == len(agents)
        hosts = said(events, "HOST")
        assert len(hosts) == len(speeches) // THRESHOLD
        assert state["buffered"] == len(speeches) % THRESHOLD
        assert [found["status"] for found in of_type(events, "message.close")].count("completed") == len(hosts)
        kept = [record for record in records if "[SYSTEM]" not in record]
        assert len(kept) == len(agents) + len(hosts)
        assert (directory / "forum.log").read_text("utf-8").splitlines() == records
    print(dict(crossed))
    assert sum(crossed[point] for point in POINTS) >= 5
