"""The programs of the demo workspace do what they say, and end when they are told to."""

from __future__ import annotations

import importlib
import random
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import antiphon
from antiphon.server.settings import load
from antiphon.testing import MemoryServer

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"


class Program:
    """One of the demo's programs, with its lines read as they come."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, str(DEMO / str(arguments[0])), *map(str, arguments[1:])]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def line_with(self, words: str) -> str:
        """The next line of stdout that contains `words`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return line
        raise AssertionError(f"ended without a line with {words!r}")

    def write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def stop(self) -> tuple[int, str]:
        """Exit status after SIGTERM, and what went to stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate()
        return self.process.returncode, errors


@pytest.fixture
def start() -> Iterator[type[Program]]:
    started: list[Program] = []

    class Owned(Program):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)
            started.append(self)

    yield Owned
    for program in started:
        program.process.kill()
        program.process.communicate()


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    monkeypatch.syspath_prepend(str(DEMO))
    before = set(sys.modules)
    yield Demo()
    for name in {"answerer", "dialogue", "load", "textindex"} - before:
        sys.modules.pop(name, None)


class Demo:
    """The demo's modules, by name."""

    def __getattr__(self, name: str) -> ModuleType:
        return importlib.import_module(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "tea.md").write_text("tea tea kettle\nTODO: warm the pot\n")
    (folder / "coffee.txt").write_text("coffee tea\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def test_indexer_reports_and_follows_changes(start: type[Program], folder: Path, tmp_path: Path) -> None:
    indexer = start("indexer.py", folder, "--work", tmp_path / "work", "--every", "0.02")
    assert "2 files read" in indexer.line_with("files read")
    assert "2 files, 3 lines, 9 words, 1 to do" in indexer.line_with("lines, ")
    indexer.line_with("watching texts")
    (folder / "water.md").write_text("water\n")
    assert "1 lines, 1 words" in indexer.line_with("water.md")
    (folder / "water.md").unlink()
    indexer.line_with("removed")
    assert indexer.stop() == (0, "")
    log = (tmp_path / "work" / "index.log").read_text()
    assert "indexed tea.md lines=2 words=7 todo=1" in log
    assert "removed water.md" in log


def test_indexer_reads_again_only_what_changed(start: type[Program], folder: Path, tmp_path: Path) -> None:
    for expected in ("2 files read", "0 files read"):
        indexer = start("indexer.py", folder, "--work", tmp_path / "work")
        assert expected in indexer.line_with("files read")
        indexer.line_with("watching")
        assert indexer.stop() == (0, "")


def test_dialogue_asks_and_answers_in_turn(start: type[Program], folder: Path, tmp_path: Path) -> None:
    indexer = start("indexer.py", folder, "--work", tmp_path / "work")
    indexer.line_with("watching")
    indexer.stop()
    dialogue = start("dialogue.py", "--work", tmp_path / "work", "--pause", "0.01")
    assert "Who mentions channel most?" in dialogue.line_with("asker")
    assert "Nobody mentions channel." in dialogue.line_with("answerer")
    dialogue.write("tea\n")
    dialogue.line_with("Who mentions tea most?")
    assert "tea.md does, 2 times, then coffee.txt." in dialogue.line_with("answerer")
    assert dialogue.stop() == (0, "")


def test_a_round_of_questions_follows_from_the_answers(demo: Demo) -> None:
    asker = demo.dialogue.Asker("tea", random.Random(1))
    questions = asker.round()
    assert next(questions) == "Who mentions tea most?"
    assert questions.send("tea.md does, 2 times.") == "What is tea.md about?"
    assert questions.send("It talks of kettle, tea.").endswith("tea.md?")
    with pytest.raises(StopIteration):
        questions.send("2 lines, 7 words.")
    assert next(asker.round()) == "Who mentions kettle most?"  # tea was asked about already


def test_answers_name_what_is_not_known(demo: Demo, tmp_path: Path) -> None:
    index = demo.textindex.TextIndex(tmp_path / "index.sqlite3")
    assert demo.answerer.answer(index, "How long is no.md?") == "I have not read no.md."
    assert demo.answerer.answer(index, "What time is it?") == "I do not understand the question."
    index.close()


def test_load_prints_a_line_each_time(start: type[Program]) -> None:
    load = start("load.py", "--every", "0.02")
    assert "disk" in load.line_with("load")
    load.line_with("load")
    assert load.stop()[0] == 0


def test_gauges_are_read_from_proc(demo: Demo) -> None:
    before = demo.load.read_cpu("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3\n")
    after = demo.load.read_cpu("cpu  150 0 150 800 100 0 0 0 0 0\n")
    assert demo.load.busy_percent(before, after) == 50
    assert demo.load.read_memory("MemTotal: 4 kB\nMemAvailable: 3 kB\n") == (1024, 4096)


def test_a_threshold_warns_once_each_way(demo: Demo) -> None:
    loud: set[str] = set()
    told = [
        list(demo.load.crossings(loud, [demo.load.Reading("memory", percent, "some")]))
        for percent in (50, 91, 95, 80, 70)
    ]
    assert [len(lines) for lines in told] == [0, 1, 0, 0, 1]
    assert told[1] == ["warning: memory at 91 % (some), over 90 %"]


def test_every_program_of_the_workspace_exists() -> None:
    settings = tomllib.loads((DEMO / "antiphon.toml").read_text())
    assert len(settings["process"]) == 3
    for process in settings["process"].values():
        assert (DEMO / process["command"][1]).is_file()
    assert not all(process.get("autostart", False) for process in settings["process"].values())


def test_the_assistant_knows_the_documentation(tmp_path: Path) -> None:
    """It is offline, and finds what it is asked in the pages of this repository."""
    settings = load(DEMO / "antiphon.toml").settings
    assert settings.tools.documents is not None
    assert settings.tools.documents.folder.resolve() == DEMO.parents[1] / "docs"
    given = {
        "tools.documents.folder": str(settings.tools.documents.folder),
        "agent.assistant.instructions": settings.agent["assistant"].instructions,
    }
    with MemoryServer(tmp_path, settings=given) as server, antiphon.connect(server.url) as live:
        (agent,) = live.agents.list()
        assert agent.is_offline
        found = live.agents.ask("assistant", "What is an idempotency key?").result(timeout_s=60)
        assert "idempotency" in found.result.lower()
        assert ".md`, line " in found.result
