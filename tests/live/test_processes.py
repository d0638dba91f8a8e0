"""Real programs under a real server: every state, and what stopping, restarting and killing the server do to them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer, free_port
from tests.live.workspace import (
    ask,
    lines,
    python,
    refusal,
    rows,
    serving,
    until_lines,
    until_log,
    until_row,
    write_settings,
)

PUPPET = """
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: print("asked to stop", flush=True))
print("up", flush=True)
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "listen":
        listener = socket.create_server(("127.0.0.1", int(rest)))
    elif word == "deafen":
        listener.close()
    elif word == "exit":
        sys.exit(int(rest))
    print("did", word, flush=True)
"""
"""Does what its standard input says; asked to stop, it says so and goes on."""

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
os.write(1, b"pid %d\\n" % os.getpid())
while True:
    time.sleep(3600)
"""
"""Three processes that ignore SIGTERM, the last in a session of its own."""

SLEEPER = "import time; print('up', flush=True); time.sleep(3600)"


COUNT = "import os, sys; n = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_APPEND); os.write(n, b'.'); "
"""Counts its lives in a file."""

ECHO = "import sys\nfor line in sys.stdin: print('heard', line.strip(), flush=True)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """One server with a program for each test that leaves the server alone."""
    home, quick = tmp_path_factory.mktemp("processes"), {"restart_delay_s": 0.01, "restart_max_delay_s": 0.01}
    later = {"restart_delay_s": 3000, "restart_max_delay_s": 3000}
    puppet = {"stdin": True, "health_interval_s": 0.02, "start_timeout_s": 600}
    third = COUNT + "sys.exit(0 if os.fstat(n).st_size == 3 else 5)"
    tables = {
        "process.puppet": python(PUPPET, port=free_port(), grace_s=600, **puppet),
        "process.sleeper": python(SLEEPER),
        "process.stubborn": python(STUBBORN, grace_s=0.2),
        "process.never": python("raise SystemExit(5)", **quick),
        "process.third": python(third, home / "third", restart="on-failure", **quick),
        "process.always": python(COUNT, home / "always", restart="always", **quick),
        "process.later": python("raise SystemExit(5)", restart="always", **later),
        "process.base": python(PUPPET, port=free_port(), grace_s=0, **puppet),
        "process.web": python(SLEEPER, depends_on=["base"]),
        "process.broken": {"command": ["./no-such-program"]},
        "process.above": python(SLEEPER, depends_on=["broken"]),
        "process.echo": python(ECHO, stdin=True),
        "process.deaf": python(SLEEPER),
        "process.ends": python(PUPPET, stdin=True),
    }
    found = RealServer(home / "data", config=write_settings(home / "antiphon.toml", tables))
    asyncio.run(found.start())
    yield found
    asyncio.run(found.stop())


async def say(server: RealServer, name: str, text: str) -> None:
    await ask(server, "process.write", name=name, text=text + "\n")


async def test_every_state_is_passed_through(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        await rpc.call("subscribe", channel="processes")
        first = (await rows(server))["puppet"]
        port = first["port"]
        assert first["status"] == "stopped"
        started = (await ask(server, "process.start", name="puppet"))["process"]
        assert started["status"] == "starting"
        await say(server, "puppet", f"listen {port}")
        await until_row(server, "puppet", status="running", pid=started["pid"], reason=None)
        await say(server, "puppet", "deafen")
        assert str(port) in (await until_row(server, "puppet", status="unhealthy"))["reason"]
        await say(server, "puppet", f"listen {port}")
        await until_row(server, "puppet", status="running")
        stop = await rpc.send("process.stop", name="puppet")
        await until_row(server, "puppet", status="stopping")
        await until_lines(server, "puppet", "asked to stop")
        assert not stop.done()
        await say(server, "puppet", "exit 0")
        stopped = (await stop)["result"]["process"]
        assert (stopped["status"], stopped["pid"], stopped["exit_code"]) == ("stopped", None, 0)
        for code, status in ((0, "exited"), (3, "failed")):
            await ask(server, "process.start", name="puppet")
            await say(server, "puppet", f"exit {code}")
            row = await until_row(server, "puppet", status=status)
            assert (row["exit_code"], row["signal"], row["reason"]) == (code, None, "exit code 3" if code else None)
        assert await statuses(rpc, "puppet", until="failed") == [
            *("starting", "running", "unhealthy", "running", "stopping", "stopped"),
            *("starting", "exited", "starting", "failed"),
        ]


async def statuses(rpc: Rpc, name: str, *, until: str) -> list[str]:
    """The statuses that the table has told of a process, one after another."""
    seen: list[str] = []
    while seen[-1:] != [until]:
        ops = (await rpc.next("event"))["data"]["ops"]
        seen += [op["value"] for op in ops if op["path"] == f"/{name}/status"]
    return seen


async def test_starting_what_runs_changes_nothing(server: RealServer) -> None:
    first = (await ask(server, "process.start", name="sleeper"))["process"]
    await asyncio.gather(*(ask(server, "process.start", name="sleeper") for _ in range(10)))
    again = (await ask(server, "process.start", name="sleeper"))["process"]
    assert (again["status"], again["restarts"]) == ("running", 0)
    assert (again["pid"], again["started_at"]) == (first["pid"], first["started_at"])
    await ask(server, "process.stop", name="sleeper")
    ended = await until_log(server, "sleeper", has_ended)
    assert [event["type"] for event in ended].count("process.started") == 1


def has_ended(events: list[Any]) -> bool:
    return events[-1:] != [] and events[-1]["type"] == "process.exited"


async def test_stop_answers_when_a_stubborn_tree_is_gone(server: RealServer) -> None:
    await ask(server, "process.start", name="stubborn")
    said = lines(await until_log(server, "stubborn", lambda events: len(lines(events)) == 3))
    tree = [psutil.Process(int(text.removeprefix("pid "))) for text in said]
    assert len({os.getsid(process.pid) for process in tree}) == 2
    row = (await ask(server, "process.stop", name="stubborn"))["process"]
    assert not [process for process in tree if process.is_running()]  # by pid and start time
    assert (row["status"], row["signal"]) == ("stopped", "SIGKILL")
    assert "did not end in time" in row["reason"]


async def test_the_restart_policy(server: RealServer) -> None:
    for name in ("never", "third", "always", "later"):
        await ask(server, "process.start", name=name)
    await until_row(server, "third", status="exited", exit_code=0, restarts=2)
    await until_log(server, "always", lambda events: [e["type"] for e in events].count("process.started") == 5)
    assert (await ask(server, "process.stop", name="always"))["process"]["status"] == "stopped"
    row = await until_row(server, "never", status="failed", exit_code=5, restarts=0)
    assert row["reason"] == "exit code 5"
    assert "starts again in" in (await until_row(server, "later", status="failed"))["reason"]
    stopped = (await ask(server, "process.stop", name="later"))["process"]
    assert (stopped["status"], stopped["exit_code"]) == ("stopped", 5)


async def test_dependencies_run_first(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        start = await rpc.send("process.start", name="web")
        await until_row(server, "web", status="starting", reason="waits for base", pid=None)
        base = await until_row(server, "base", status="starting")
        assert not start.done()
        await say(server, "base", f"listen {base['port']}")
        assert (await start)["result"]["process"]["status"] == "running"
        assert (await rows(server))["base"]["status"] == "running"
    error = await refusal(server, "process.start", name="above")
    assert error["data"]["code"] == "conflict"
    assert "broken" in error["message"]
    await until_row(server, "above", status="failed")


async def test_what_cannot_start_says_why(server: RealServer) -> None:
    row = (await ask(server, "process.start", name="broken"))["process"]
    assert (row["status"], row["pid"], row["exit_code"]) == ("failed", None, None)
    assert "no-such-program" in row["reason"]
    assert (await rows(server))["broken"] == row


async def test_standard_input_is_written_or_refused(server: RealServer) -> None:
    assert (await refusal(server, "process.write", name="echo", text="x"))["data"]["code"] == "conflict"
    for name in ("echo", "deaf"):
        await ask(server, "process.start", name=name)
    await say(server, "echo", "grüße 🫖")
    await until_lines(server, "echo", "heard grüße 🫖")
    assert (await refusal(server, "process.write", name="deaf", text="x"))["data"]["code"] == "conflict"
    assert (await refusal(server, "process.write", name="echo", text="x" * 300_000))["data"]["code"] == "too_large"


async def test_exit_codes_and_signals_are_told(server: RealServer) -> None:
    for code in (1, 2, 127, 255):
        await ask(server, "process.start", name="ends")
        await say(server, "ends", f"exit {code}")
        await until_row(server, "ends", status="failed", exit_code=code, signal=None)
    pid = (await ask(server, "process.start", name="ends"))["process"]["pid"]
    os.kill(pid, signal.SIGSEGV)
    row = await until_row(server, "ends", status="failed", exit_code=None, signal="SIGSEGV")
    assert row["reason"] == "killed by SIGSEGV"
    ends = await until_log(server, "ends", lambda events: [e["type"] for e in events].count("process.exited") == 5)
    codes = [event["data"]["exit_code"] for event in ends if event["type"] == "process.exited"]
    assert codes == [1, 2, 127, 255, None]


async def test_an_orderly_stop_ends_all_but_what_is_kept(tmp_path: Path) -> None:
    tables = {
        "process.goes": python(SLEEPER),
        "process.stays": python(SLEEPER, on_shutdown="keep"),
    }
    async with serving(tmp_path, tables) as server:
        pids = {name: (await ask(server, "process.start", name=name))["process"]["pid"] for name in ("goes", "stays")}
        programs = {name: psutil.Process(pid) for name, pid in pids.items()}
        for name in pids:
            await until_lines(server, name, "up")
        assert await server.stop() == 0
        assert not programs["goes"].is_running()
        assert programs["stays"].is_running()
        await server.start()
        after = await rows(server)
        assert (after["goes"]["status"], after["goes"]["signal"]) == ("stopped", "SIGTERM")
        assert (after["stays"]["status"], after["stays"]["pid"]) == ("running", pids["stays"])
        await ask(server, "process.stop", name="stays")


async def test_a_second_sigterm_ends_the_server_at_once(tmp_path: Path) -> None:
    """Whoever asks twice does not want to wait for the grace; what still runs is found by the next server."""
    told = tmp_path / "told"
    os.mkfifo(told)
    patient = (
        f"import signal; signal.signal(15, lambda *_: open({str(told)!r}, 'w').close()); print('up', flush=True)\n"
    )
    patient += "while True: signal.pause()"
    settings = {"process.patient": python(patient, grace_s=600)}
    async with serving(tmp_path, settings) as server:
        pid = (await ask(server, "process.start", name="patient"))["process"]["pid"]
        await until_lines(server, "patient", "up")
        main = psutil.Process(server.pid)
        main.terminate()
        await asyncio.to_thread(lambda: told.open().close())  # the program is being stopped
        assert await server.stop() == 128 + signal.SIGTERM
        assert psutil.pid_exists(pid)
        write_settings(tmp_path / "antiphon.toml", {"process.patient": python(patient, grace_s=0.1)})
        waiting = asyncio.create_task(asyncio.to_thread(lambda: told.open().close()))
        await server.start()
        await until_row(server, "patient", status="stopped", pid=None)  # it had been told to stop
        assert not psutil.pid_exists(pid)
        await waiting


async def test_runs_in_a_terminal_appear_and_survive_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path, {}) as server:
        command = [sys.executable, "-m", "antiphon", "run", "--name", "mine", "--data", str(server.data), "--"]
        run = subprocess.Popen(  # noqa: ASYNC220  forks once, quickly
            [*command, sys.executable, "-c", PUPPET], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
        )
        assert run.stdin is not None
        assert run.stdout is not None
        try:
            row = await until_row(server, "mine", status="running", source="run")
            await until_lines(server, "mine", "up")
            await server.kill()
            tell(run, "meanwhile")
            await asyncio.to_thread(run.stdout.readline)
            await server.start()
            assert (await rows(server))["mine"]["pid"] == row["pid"]
            assert (await refusal(server, "process.start", name="nobody"))["data"]["code"] == "not_found"
            tell(run, "exit 9")
            assert await asyncio.to_thread(run.wait, DEADLINE_S) == 9
        finally:
            run.kill()
            run.communicate()
        await until_row(server, "mine", status="failed", exit_code=9)
        events = await until_log(server, "mine", has_ended)
        assert lines(events) == ["up", "did meanwhile"]


def tell(run: subprocess.Popen[bytes], text: str) -> None:
    assert run.stdin is not None
    run.stdin.write(text.encode() + b"\n")
    run.stdin.flush()
