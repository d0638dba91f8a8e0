"""`antiphon run`: the program is a run."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Begin, Cli, environment
from tests.cli.owned import OwnedRun
from tests.live.real_server import RealServer

import antiphon
from antiphon import Event, Live
from antiphon.errors import Forbidden

PYTHON = sys.executable
OUTCOMES = ("run.succeeded", "run.failed", "run.cancelled", "run.lost")
SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
COUNTER = """
import sys
print("begin", flush=True)
for number in range(3000):
    print(number, flush=True)
    if number % 1000 == 999:
        sys.stdin.readline()
"""


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[RealServer]:
    """A server to be killed."""
    found = RealServer(tmp_path / "own")
    await found.start()
    yield found
    await found.kill()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RealServer]:
    """A server with a user."""
    token = hashlib.sha256(b"token of ann").hexdigest()
    (tmp_path / "guarded.toml").write_text(f'[users.ann]\ntoken_sha256 = "{token}"\ngrants = ["*"]\n')
    found = RealServer(tmp_path / "guarded", config=tmp_path / "guarded.toml")
    asyncio.run(found.start())
    yield found
    asyncio.run(found.kill())


def only_run(live: Live, name: str) -> Any:
    runs = live.request("run.list", {"name": name})["runs"]
    assert len(runs) == 1
    return runs[0]


async def until_outcome(url: str, name: str, token: str | None = None) -> tuple[Any, list[Event]]:
    """The row of the one run of this name, and everything that it said."""
    async with asyncio.timeout(60), antiphon.connect(url, token=token) as live:
        async with live.subscribe("runs") as changes:
            while not (found := (await live.request("run.list", {"name": name}))["runs"]):
                await anext(changes)
        said = []
        async for item in live.subscribe(f"run:{found[0]['run_id']}", after="start"):
            if isinstance(item, Event):
                said.append(item)
                if item.type in OUTCOMES:
                    break
        return (await live.request("run.get", {"run_id": found[0]["run_id"]}))["run"], said


def texts(said: list[Event]) -> list[str]:
    return [event.data["text"] for event in said if event.type == "log"]


def test_it_is_a_run_with_its_lines(cli: Cli, server: RealServer) -> None:
    program = "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr)"
    labelled = ["--label", "team=blue", "--title", "Of tea", "--thread", "t1"]
    done = cli("run", "--name", "lined", *labelled, "--", PYTHON, "-c", program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")
    row, said = asyncio.run(until_outcome(server.url, "lined"))
    assert (row["status"], row["by"], row["labels"]) == ("succeeded", "local", {"team": "blue"})
    assert (row["title"], row["thread_id"]) == ("Of tea", "t1")
    assert (row["owner"]["kind"], row["owner"]["client"]) == ("remote", "antiphon run")
    lines = [(event.data["logger"], event.data["text"]) for event in said if event.type == "log"]
    assert sorted(lines) == [("stderr", "err"), ("stdout", "out")]
    assert said[-1].data == {"result": {"exit_code": 0}}


def test_the_program_knows_its_run(cli: Cli, live: Live) -> None:
    program = "import os; print([os.environ[f'ANTIPHON_{name}'] for name in ('URL', 'TOKEN', 'RUN_ID')])"
    done = cli("run", "--name", "knowing", "--", PYTHON, "-c", program)
    row = only_run(live, "knowing")
    assert done.stdout == f"{[live.url, '', row['run_id']]}\n"


def test_lines_that_say_so_are_events(cli: Cli, server: RealServer) -> None:
    events = [
        {"antiphon": "run.progress", "progress": 0.5, "message": "half"},
        {"antiphon": "message.open", "message_id": "m", "role": "assistant"},
        *({"antiphon": "message.append", "message_id": "m", "delta": delta} for delta in ("h", "i", "!")),
        {"antiphon": "message.close", "message_id": "m", "status": "completed"},
        {"antiphon": "tool.start", "tool_call_id": "t", "name": "pour"},
        {"antiphon": "x.smell", "strength": 3},
        {"antiphon": "state.patch", "ops": [{"op": "add", "path": "/cups", "value": 2}]},
    ]
    lines = ["first", *map(json.dumps, events), "last"]
    done = cli("run", "--name", "speaking", "--", PYTHON, "-c", f"print({chr(10).join(lines)!r})")
    assert done.stdout.splitlines() == lines  # the terminal shows what the program wrote
    row, said = asyncio.run(until_outcome(server.url, "speaking"))
    assert (row["progress"], row["progress_message"]) == (0.5, "half")
    assert texts(said) == ["first", "last"]
    assert "".join(event.data["delta"] for event in said if event.type == "message.append") == "hi!"
    kinds = [event.type for event in said if event.type not in ("log", "message.append", "run.status")]
    assert kinds == [
        "run.started",
        "run.progress",
        "message.open",
        "message.close",
        "tool.start",
        "x.smell",
        "state.patch",
        "tool.end",
        "run.succeeded",
    ]
    logged = cli("tail", "log:speaking", "--after", "start", "--no-follow", "--json").stdout.splitlines()
    rows = [json.loads(line) for line in logged]
    assert [row["data"]["text"] for row in rows if row["type"] == "line"] == lines


@pytest.mark.parametrize(
    "line",
    [
        '{"antiphon": "run.progress", "progress": 7}',
        '{"antiphon": "run.succeeded", "result": 1}',
        '{"antiphon": "message.append", "message_id": "never-opened", "delta": "x"}',
        '{"antiphon": 5}',
        '{"antiphon": "x.broken"',
        '{"other": "antiphon"}',
        '["antiphon"]',
    ],
)
def test_what_cannot_be_said_stays_a_line(cli: Cli, server: RealServer, line: str) -> None:
    name = f"malformed-{hashlib.sha256(line.encode()).hexdigest()[:8]}"
    cli("run", "--name", name, "--", PYTHON, "-c", f"print({line!r})")
    row, said = asyncio.run(until_outcome(server.url, name))
    assert row["status"] == "succeeded"
    assert texts(said) == [line]


@pytest.mark.parametrize(
    ("name", "program", "status", "message"),
    [
        ("coded", "import sys; sys.exit(3)", 3, "exit code 3"),
        ("signalled", "import os; os.kill(os.getpid(), 9)", 137, "killed by SIGKILL"),
    ],
)
def test_other_ends_are_failures(
    cli: Cli, server: RealServer, name: str, program: str, status: int, message: str
) -> None:
    assert cli("run", "--name", name, "--", PYTHON, "-c", program).returncode == status
    row, _ = asyncio.run(until_outcome(server.url, name))
    assert (row["status"], row["error"]["message"]) == ("failed", message)


def test_a_program_that_is_not_there_is_a_failure(cli: Cli, server: RealServer) -> None:
    assert cli("run", "--", "no-such-program-of-runs").returncode == 127
    row, _ = asyncio.run(until_outcome(server.url, "no-such-program-of-runs"))
    assert row["status"] == "failed"
    assert "No such file" in row["error"]["message"]


def test_a_cancel_ends_the_whole_tree(begin: Begin, cli: Cli, live: Live, server: RealServer) -> None:
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
    running = begin("run", "--name", "tree", "--", PYTHON, "-c", program)
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    run_id = only_run(live, "tree")["run_id"]
    assert cli("runs", "cancel", run_id, "--reason", "enough").returncode == 0
    assert running.wait(timeout=30) == 128 + signal.SIGTERM
    assert running.stdout.read() == ""  # closed by the last of the tree
    row, said = asyncio.run(until_outcome(server.url, "tree"))
    assert (row["status"], row["reason"]) == ("cancelled", "enough")
    assert texts(said) == ["up"]


def test_a_cancelled_program_that_ends_well_was_cancelled_all_the_same(
    begin: Begin, cli: Cli, live: Live, server: RealServer
) -> None:
    program = f"import signal, sys; signal.signal(15, lambda *_: (print('bye'), sys.exit(0))); {SLEEPER}"
    running = begin("run", "--name", "polite", "--", PYTHON, "-c", program)
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    cli("runs", "cancel", only_run(live, "polite")["run_id"])
    assert running.wait(timeout=30) == 0
    row, said = asyncio.run(until_outcome(server.url, "polite"))
    assert row["status"] == "cancelled"
    assert texts(said) == ["up", "bye"]


def test_a_program_that_somebody_stops_was_cancelled(begin: Begin, cli: Cli, server: RealServer) -> None:
    running = begin("run", "--name", "stopped-here", "--", PYTHON, "-c", SLEEPER)
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30) == 128 + signal.SIGTERM
    row, _ = asyncio.run(until_outcome(server.url, "stopped-here"))
    assert (row["status"], row["reason"]) == ("cancelled", "the program was stopped by SIGTERM")


def test_a_killed_supervisor_is_a_failure(begin: Begin, server: RealServer) -> None:
    running = begin("run", "--name", "orphaned", "--", PYTHON, "-c", SLEEPER)
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    running.kill()
    row, said = asyncio.run(until_outcome(server.url, "orphaned"))
    assert row["status"] == "failed"
    assert "supervisor was killed" in row["error"]["message"]
    assert texts(said) == ["up"]


def test_without_a_server_the_next_one_has_the_run(cli: Cli, no_server: str, tmp_path: Path) -> None:
    program = "import os; print(os.environ['ANTIPHON_RUN_ID'])"
    done = cli("run", "--name", "early", "--", PYTHON, "-c", program, url=no_server)
    assert len(done.stderr.splitlines()) == 1
    later = RealServer(tmp_path / "data")
    asyncio.run(later.start())
    try:
        row, said = asyncio.run(until_outcome(later.url, "early"))
        assert (row["status"], row["run_id"]) == ("succeeded", done.stdout.strip())
        assert texts(said) == [row["run_id"]]
    finally:
        asyncio.run(later.stop())


async def test_the_run_goes_on_over_a_killed_server(begin: Begin, own_server: RealServer) -> None:
    running = begin("run", "--name", "counter", "--", PYTHON, "-c", COUNTER, url=own_server.url, stdin=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stdin is not None
    shown = [await asyncio.to_thread(running.stdout.readline)]
    for _ in range(3):
        shown += [await asyncio.to_thread(running.stdout.readline) for _ in range(1000)]
        await own_server.kill()
        running.stdin.write("on\n")
        running.stdin.flush()
        await own_server.start()
    assert await asyncio.to_thread(running.wait, 30) == 0
    row, said = await until_outcome(own_server.url, "counter")
    assert row["status"] == "succeeded"
    assert texts(said) == [line.rstrip() for line in shown] == ["begin", *map(str, range(3000))]


MIXED = """
import json, sys
def say(kind, **data):
    print(json.dumps({"antiphon": kind, "message_id": "m", **data}), flush=True)
say("message.open", role="assistant")
for number in range(900):
    print(number, flush=True)
    say("message.append", delta=f"{number},")
    if number % 300 == 299:
        print("pause", flush=True)
        sys.stdin.readline()
"""


async def test_events_among_lines_are_said_once_over_servers_that_end(begin: Begin, own_server: RealServer) -> None:
    running = begin("run", "--name", "mixed", "--", PYTHON, "-c", MIXED, url=own_server.url, stdin=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stdin is not None
    for end in (own_server.kill, own_server.stop, own_server.kill):
        while await asyncio.to_thread(running.stdout.readline) != "pause\n":
            pass
        await end()  # in the midst of taking them in
        await own_server.start()
        running.stdin.write("on\n")
        running.stdin.flush()
    row, said = await until_outcome(own_server.url, "mixed")
    assert row["status"] == "succeeded"
    assert [text for text in texts(said) if text != "pause"] == [str(number) for number in range(900)]
    deltas = [event.data["delta"] for event in said if event.type == "message.append"]
    assert "".join(deltas) == "".join(f"{number}," for number in range(900))


async def test_a_run_cancelled_while_nobody_supervised_it_is_stopped_by_the_next_server(
    begin: Begin, own_server: RealServer
) -> None:
    running = begin("run", "--name", "later", "--", PYTHON, "-c", SLEEPER, url=own_server.url)
    assert running.stdout is not None
    assert await asyncio.to_thread(running.stdout.readline) == "up\n"
    await own_server.kill()
    assert running.poll() is None
    await own_server.start()
    async with antiphon.connect(own_server.url) as live:
        run_id = (await live.request("run.list", {"name": "later"}))["runs"][0]["run_id"]
        await live.request("run.cancel", {"run_id": run_id})
    assert await asyncio.to_thread(running.wait, 30) == 128 + signal.SIGTERM
    row, _ = await until_outcome(own_server.url, "later")
    assert row["status"] == "cancelled"


def test_no_run_keeps_only_lines(cli: Cli, live: Live) -> None:
    program = "import os; print(os.environ.get('ANTIPHON_RUN_ID'))"
    done = cli("run", "--no-run", "--name", "runless", "--", PYTHON, "-c", program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")
    assert live.request("run.list", {"name": "runless"})["runs"] == []


def test_a_run_inside_a_run_is_its_child(cli: Cli, live: Live) -> None:
    inner = [PYTHON, "-m", "antiphon", "run", "--name", "inner", "--", PYTHON, "-c", "print('deep')"]
    done = cli("run", "--name", "outer", "--", *inner)
    assert (done.returncode, done.stdout) == (0, "deep\n")
    assert only_run(live, "inner")["parent_run_id"] == only_run(live, "outer")["run_id"]


def test_a_surrounding_run_of_another_server_is_left_out(cli: Cli, live: Live, server: RealServer) -> None:
    given = {**environment(server.url), "ANTIPHON_RUN_ID": "run_of_somebody_else"}
    assert cli("run", "--name", "stray", "--", "true", env=given).returncode == 0
    assert only_run(live, "stray")["parent_run_id"] is None


def test_with_users_the_program_gets_a_token_for_its_run_alone(begin: Begin, guarded: RealServer) -> None:
    given = {**environment(guarded.url), "ANTIPHON_TOKEN": "token of ann"}
    program = "import os; print(os.environ['ANTIPHON_RUN_ID'], os.environ['ANTIPHON_TOKEN'], flush=True); input()"
    running = begin("run", "--name", "tokened", "--", PYTHON, "-c", program, env=given, stdin=subprocess.PIPE)
    assert running.stdout is not None
    run_id, token = running.stdout.readline().split()
    assert token != given["ANTIPHON_TOKEN"]
    with antiphon.connect(guarded.url, token=token) as live:
        said = {"type": "log", "data": {"level": "info", "text": "from inside"}}
        live.request("run.emit", {"run_id": run_id, "events": [said]})
        for refused in ("run.list", "connection.list"):
            with pytest.raises(Forbidden):
                live.request(refused)
    running.communicate("\n", timeout=30)
    row, events = asyncio.run(until_outcome(guarded.url, "tokened", "token of ann"))
    assert (row["status"], row["by"]) == ("succeeded", "ann")
    assert "from inside" in texts(events)


def test_where_the_server_has_no_room_the_program_runs_all_the_same(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "full.toml").write_text("[runs]\nmax_active = 1\n")
    full = RealServer(tmp_path / "full", config=tmp_path / "full.toml")
    asyncio.run(full.start())
    try:
        with antiphon.connect(full.url) as live:
            OwnedRun(live, "first")
        done = cli("run", "--name", "crowded", "--", "echo", "hi", url=full.url)
        assert (done.returncode, done.stdout) == (0, "hi\n")
        assert "not a run" in done.stderr
        assert cli("ps", "--json", url=full.url).stdout.count("crowded") > 0
    finally:
        asyncio.run(full.stop())


def test_what_no_run_can_be_is_refused_before_anything_runs(cli: Cli, no_server: str) -> None:
    done = cli("run", "--thread", "a b", "--", "echo", "hi", url=no_server)
    assert (done.returncode, done.stdout) == (2, "")
    assert "thread_id" in done.stderr
    assert cli("run", "--label", "blue", "--", "echo", "hi", url=no_server).returncode == 2
