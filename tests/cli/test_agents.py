"""`antiphon agents`, `tools` and `chat`: the real command, a real server, a model server that does as it is told."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.cli.conftest import Begin, Cli, Done
from tests.cli.terminal import Terminal
from tests.live.real_server import RealServer

import antiphon

ROOT = Path(__file__).resolve().parents[2]
SUM = [{"call": "calculator", "arguments": {"expression": "6 * 7"}}]


class Place(NamedTuple):
    """Where the agents are."""

    url: str
    model_port: int
    folder: Path

    def open(self, gate: str) -> None:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.model_port}/control/open/{gate}", method="POST")
        urllib.request.urlopen(asked).close()


@pytest.fixture(scope="module")
def model_port() -> Iterator[int]:
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.agents.model_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    yield int(program.stdout.readline())
    program.communicate("")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, model_port: int) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("agents")
    config = home / "antiphon.toml"
    config.write_text(f"""
[model.told]
name = "told"
base_url = "http://127.0.0.1:{model_port}/v1"

[agent.assistant]
title = "Assistant"
description = "Computes without a model."

[agent.obedient]
model = "told"
models = ["offline"]
needs_approval = ["calculator"]
""")
    server = RealServer(home / "data", config=config)
    asyncio.run(server.start())
    yield Place(server.url, model_port, home)
    asyncio.run(server.stop())


@pytest.fixture
def ask(cli: Cli, place: Place) -> Callable[..., Done]:
    """`ask("chat", ...)`, of the server that has agents."""
    return lambda *arguments, **options: cli(*arguments, url=place.url, **options)


def script(*rounds: list[dict[str, Any]]) -> str:
    return json.dumps({"rounds": rounds})


@pytest.mark.parametrize("name", ["agents", "chat", "tools"])
def test_each_command_teaches_by_example(cli: Cli, name: str) -> None:
    done = cli(name, "--help")
    assert done.returncode == 0
    assert f"antiphon {name}" in done.stdout.split("Example")[1]


def test_agents_and_tools_are_listed(ask: Callable[..., Done]) -> None:
    shown = ask("agents").stdout.splitlines()
    assert shown[0].split() == ["AGENT", "MODEL", "TOOLS", "WHAT"]
    assert shown[1].split(maxsplit=4) == [
        "assistant",
        "offline",
        "calculator,",
        "clock",
        "Assistant · Computes without a model.",
    ]
    assert shown[2].split()[:2] == ["obedient", "told"]
    rows = {row["name"]: row for row in json.loads(ask("agents", "--json").stdout)}
    assert rows["assistant"]["is_offline"]
    assert [tool["name"] for tool in rows["obedient"]["tools"] if tool["needs_approval"]] == ["calculator"]
    tools = {row["name"]: row for row in json.loads(ask("tools", "--json").stdout)}
    assert {"calculator", "clock"} <= tools.keys()
    assert [line.split()[:2] for line in ask("tools").stdout.splitlines()[1:3]] == [
        ["calculator", "built-in"],
        ["clock", "built-in"],
    ]


def test_once_prints_the_answer_and_nothing_else(ask: Callable[..., Done]) -> None:
    done = ask("chat", "--once", "What is 17 * 23?")
    assert (done.returncode, done.stderr) == (0, "")
    assert "391" in done.stdout
    assert "▸" not in done.stdout
    done = ask("chat", "obedient", "--once", "-", input="Tea?\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "You said: Tea?\n", "")


def test_once_as_json(ask: Callable[..., Done], place: Place) -> None:
    done = ask("chat", "obedient", "--once", "Tea?", "--json", "--thread", "t-json")
    found = json.loads(done.stdout)
    assert (found["status"], found["text"], found["thread_id"]) == ("succeeded", "You said: Tea?", "t-json")
    with antiphon.connect(place.url) as live:
        assert live.get_run(found["run_id"]).run.thread_id == "t-json"


def test_failures_have_their_status_and_a_sentence(ask: Callable[..., Done], cli: Cli, no_server: str) -> None:
    failed = ask("chat", "obedient", "--once", script([{"status": 400}]))
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "failed" in failed.stderr
    nobody = ask("chat", "nobody", "--once", "?")
    assert nobody.returncode == 1
    assert "there is no agent 'nobody'; there are: assistant, obedient" in nobody.stderr
    wrong = ask("chat", "obedient", "--model", "gone", "--once", "?")
    assert wrong.returncode == 2
    assert cli("chat", "--once", "?", url=no_server).returncode == 3


def test_another_model_answers_if_asked_to(ask: Callable[..., Done]) -> None:
    done = ask("chat", "obedient", "--model", "offline", "--once", "What day is it?", "--json")
    assert "offline" in json.loads(done.stdout)["text"]


def test_lines_of_standard_input_are_questions_of_one_thread(ask: Callable[..., Done], place: Place) -> None:
    done = ask("chat", "obedient", "--json", input="One\n\nTwo\n")
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["text"], second["text"]) == ("You said: One", "You said: Two")
    with antiphon.connect(place.url) as live:
        assert [run.run_id for run in live.threads.get(first["thread_id"]).runs] == [first["run_id"], second["run_id"]]
    again = ask("chat", "--thread", first["thread_id"], "--once", "Three", "--json")
    assert json.loads(again.stdout)["text"] == "You said: Three"


def test_ctrl_c_cancels_what_was_asked_once(begin: Begin, place: Place) -> None:
    asked = begin("chat", "obedient", "--once", script([{"text": "Wait"}, {"wait": "never"}]), url=place.url)
    assert asked.stdout is not None
    assert asked.stdout.read(4) == "Wait"
    asked.send_signal(signal.SIGINT)
    out, err = asked.communicate(timeout=60)
    assert (asked.returncode, out) == (1, "\n")
    assert "cancelled" in err


def test_a_conversation(place: Place, tmp_path: Path) -> None:
    with Terminal(place.url, tmp_path, "chat", "obedient") as terminal:
        terminal.until("Ctrl-D leaves\n")
        terminal.until("> ")
        terminal.type("Hello\r")
        terminal.until("You said: Hello\n")
        terminal.until("> ")
        terminal.type(script([{"text": "I wait"}, {"wait": "never"}]) + "\r")
        terminal.until("\nI wait")
        terminal.type("\x03")
        terminal.until("cancelled by local: stopped by Ctrl-C\n")
        terminal.until("> ")
        terminal.type("Still there?\r")
        terminal.until("You said: Still there?\n")
        terminal.until("> ")
        terminal.type("\x04")
        terminal.until("to go on with this: antiphon chat --thread ")
        thread_id = terminal.until("\n").strip()
        assert terminal.end() == 0
    with antiphon.connect(place.url) as live:
        assert [run.status for run in live.threads.get(thread_id).runs] == ["succeeded", "cancelled", "succeeded"]
    with Terminal(place.url, tmp_path, "chat", "--thread", thread_id) as terminal:
        terminal.until("obedient · 'Hello', 3 questions so far")
        terminal.until("> ")
        terminal.interrupt_until("\n")
        assert terminal.end() == 0


def test_what_the_agent_asks_is_put_to_the_person(place: Place, tmp_path: Path) -> None:
    with Terminal(place.url, tmp_path, "chat", "obedient") as terminal:
        terminal.until("> ")
        terminal.type(script(SUM, [{"text": "Computed."}]) + "\r")
        terminal.until("calculator")
        terminal.until("approve? ")
        terminal.type("perhaps\r")
        terminal.until("say y, n with a reason")
        terminal.until("approve? ")
        terminal.type("y\r")
        terminal.until("→ 42")
        terminal.until("Computed.")
        terminal.until("> ")
        terminal.type(script(SUM, [{"text": "Then not."}]) + "\r")
        terminal.until("approve? ")
        terminal.type("n too dear\r")
        terminal.until("Then not.")
        assert "too dear" in terminal.shown.split("n too dear")[-1]
        terminal.until("> ")
        terminal.type(script(SUM, [{"text": "Changed."}]) + "\r")
        terminal.until("approve? ")
        terminal.type('{"expression": "6 * 8"}\r')
        terminal.until("→ 48")
        terminal.until("Changed.")


def test_ctrl_c_at_a_question_stops_the_answer_and_others_may_answer_first(place: Place, tmp_path: Path) -> None:
    with Terminal(place.url, tmp_path, "chat", "obedient") as terminal:
        terminal.until("> ")
        terminal.type(script(SUM, [{"text": "Never said."}]) + "\r")
        terminal.until("approve? ")
        terminal.interrupt_until("cancelled by local")
        terminal.until("> ")
        terminal.type(script(SUM, [{"text": "Others said yes."}]) + "\r")
        terminal.until("approve? ")
        with antiphon.connect(place.url) as live:
            (question,) = live.questions()
            live.answer(question.question_id, action="approve")
        terminal.type("y\r")
        terminal.until("antiphon: ")
        terminal.until("Others said yes.")
