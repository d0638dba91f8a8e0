"""Starting, stopping and watching real programs on a real hub."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import psutil
import pytest
from tests.observed_hub import ObservedHub
from tests.processes.programs import (
    COUNTER,
    ECHO,
    GATED,
    LISTENER,
    SLEEPER,
    STUBBORN,
    fifo,
    is_alive,
    open_gate,
    python,
)

from antiphon.errors import Busy, ConflictError, NotFound, SettingsError
from antiphon.services.processes import ProcessConfig, Processes

FIELDS = {
    *("status", "pid", "started_at", "ended_at", "exit_code", "signal", "cpu_percent", "memory_bytes"),
    *("restarts", "port", "reason", "channel", "source", "stdin"),
}


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def test_a_life(hub: ObservedHub, tmp_path: Path) -> None:
    async with Processes(hub, {"a": python(SLEEPER)}, tmp_path) as processes:
        assert hub.is_owned("processes")
        assert hub.is_owned("log:a")
        assert processes.rows()["a"]["status"] == "stopped"
        started = await processes.start("a")
        assert set(started) == FIELDS
        assert started["status"] == "running"
        assert is_alive(started["pid"])
        assert await processes.start("a") == started  # changes nothing
        assert await hub.until_lines("log:a", 1) == ["up"]
        stopped = await processes.stop("a")
        assert (stopped["status"], stopped["signal"], stopped["exit_code"]) == ("stopped", "SIGTERM", None)
        assert not is_alive(started["pid"])
        assert await processes.stop("a") == stopped
        assert (await hub.state("processes")).value["a"] == stopped
        await hub.until_type("log:a", "process.exited")
    events = await hub.events("log:a")
    assert [(event.type, event.data) for event in events] == [
        ("process.started", {"pid": started["pid"]}),
        ("line", {"text": "up", "stream": "stdout"}),
        ("process.exited", {"exit_code": None, "signal": "SIGTERM"}),
    ]
    assert list((tmp_path / "processes").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", {"status": "exited", "exit_code": 0, "signal": None, "reason": None}),
        ("raise SystemExit(3)", {"status": "failed", "exit_code": 3, "signal": None, "reason": "exit code 3"}),
        (
            "import os; os.kill(os.getpid(), 9)",
            {"status": "failed", "exit_code": None, "signal": "SIGKILL", "reason": "killed by SIGKILL"},
        ),
    ],
)
async def test_how_it_ends(hub: ObservedHub, tmp_path: Path, code: str, expected: dict[str, object]) -> None:
    async with Processes(hub, {"a": python(code)}, tmp_path) as processes:
        await processes.start("a")
        row = await hub.until_row("a", **expected)
        assert row["pid"] is None
        assert row["ended_at"] >= row["started_at"]
        assert row["cpu_percent"] is None


async def test_what_cannot_be_started_says_why(hub: ObservedHub, tmp_path: Path) -> None:
    async with Processes(hub, {"a": ProcessConfig(command=("/no/such/program",))}, tmp_path) as processes:
        row = await processes.start("a")
        assert row["status"] == "failed"
        assert "/no/such/program" in row["reason"]
        await hub.until_row("a", status="failed")
    assert await hub.events("log:a") == []


async def test_unknown_names(hub: ObservedHub, tmp_path: Path) -> None:
    async with Processes(hub, {}, tmp_path) as processes:
        for command in (processes.start, processes.stop, processes.restart):
            with pytest.raises(NotFound):
                await command("nobody")
        with pytest.raises(NotFound):
            await processes.write("nobody", "x")


async def test_many_commands_at_once_leave_one_program(hub: ObservedHub, tmp_path: Path) -> None:
    async with Processes(hub, {"a": python(SLEEPER)}, tmp_path) as processes:
        rows = await asyncio.gather(*(processes.start("a") for _ in range(5)))
        assert len({row["pid"] for row in rows}) == 1
        rows = await asyncio.gather(processes.restart("a"), processes.start("a"), processes.restart("a"))
        assert rows[0]["pid"] == rows[1]["pid"] != rows[2]["pid"]
        await asyncio.gather(processes.stop("a"), processes.start("a"), processes.stop("a"))
        assert processes.rows()["a"]["status"] == "stopped"
    started = [event for event in await hub.events("log:a") if event.type == "process.started"]
    assert len(started) == 4
    assert not any(is_alive(event.data["pid"]) for event in started)


async def test_a_tree_that_ignores_the_signal_is_killed_within_the_grace(hub: ObservedHub, tmp_path: Path) -> None:
    async with Processes(hub, {"a": python(STUBBORN, grace_s=0.3)}, tmp_path) as processes:
        await processes.start("a")
        pids = [int(line.split()[1]) for line in await hub.until_lines("log:a", 3)]
        assert all(map(is_alive, pids))
        row = await processes.stop("a")
        assert (row["status"], row["signal"]) == ("stopped", "SIGKILL")
        assert not any(map(is_alive, pids))


async def test_lines_keep_their_order_and_the_end_comes_last(hub: ObservedHub, tmp_path: Path) -> None:
    async with Processes(hub, {"a": python(COUNTER, 0, 20_000)}, tmp_path) as processes:
        for _ in range(2):
            await processes.start("a")
            await hub.until_row("a", status="exited")
        await hub.until_type("log:a", "process.exited", 2)
    events = await hub.events("log:a")
    kinds = ["process.started", *["line"] * 20_000, "process.exited"]
    assert [event.type for event in events] == kinds * 2
    assert [event.data["text"] for event in events if event.type == "line"] == [str(n) for n in range(20_000)] * 2


async def test_standard_input(hub: ObservedHub, tmp_path: Path) -> None:
    configs = {"a": python(ECHO, stdin=True), "b": python(SLEEPER)}
    async with Processes(hub, configs, tmp_path) as processes:
        assert {name: row["stdin"] for name, row in processes.rows().items()} == {"a": True, "b": False}
        with pytest.raises(ConflictError, match="stopped"):
            await processes.write("a", "too early\n")
        await processes.start("a")
        await processes.write("a", "one\ntw")
        await processes.write("a", "o é\n")
        assert await hub.until_lines("log:a", 2) == ["heard one", "heard two é"]
        await processes.start("b")
        with pytest.raises(ConflictError):
            await processes.write("b", "nobody listens\n")


async def test_environment_and_directory(hub: ObservedHub, tmp_path: Path) -> None:
    code = "import os; print(os.getcwd()); print(os.environ['GREETING']); print(os.environ['PATH'])"
    (tmp_path / "here").mkdir()
    config = python(code, cwd=tmp_path / "here", env={"GREETING": "hello"})
    async with Processes(hub, {"a": config}, tmp_path) as processes:
        await processes.start("a")
        assert await hub.until_lines("log:a", 3) == [str(tmp_path / "here"), "hello", os.environ["PATH"]]


async def test_health_decides_between_starting_running_and_unhealthy(
    hub: ObservedHub, tmp_path: Path, free_port: int
) -> None:
    answer = tmp_path / "status"
    answer.write_text("503")
    url = f"http://127.0.0.1:{free_port}/"
    config = python(LISTENER, free_port, answer, port=free_port, url=url, health_interval_s=0.05, start_timeout_s=1)
    async with Processes(hub, {"web": config}, tmp_path) as processes:
        row = await processes.start("web")
        assert (row["status"], row["port"]) == ("starting", free_port)
        row = await hub.until_row("web", status="unhealthy")
        answer.write_text("200")
        row = await hub.until_row("web", status="running", reason=None)
        answer.write_text("500")
        row = await hub.until_row("web", status="unhealthy")
        assert "answers 500" in row["reason"]
        answer.write_text("302")
        row = await hub.until_row("web", status="running", reason=None)
        assert (await processes.stop("web"))["status"] == "stopped"


async def test_dependencies_are_started_first(hub: ObservedHub, tmp_path: Path, free_port: int) -> None:
    answer = tmp_path / "status"
    answer.write_text("500")
    url = f"http://127.0.0.1:{free_port}/"
    configs = {
        "app": python(SLEEPER, depends_on=["api", "cache"]),
        "api": python(LISTENER, free_port, answer, url=url, health_interval_s=0.05, depends_on=["cache"]),
        "cache": python(SLEEPER),
    }
    async with Processes(hub, configs, tmp_path) as processes:
        start = asyncio.create_task(processes.start("app"))
        await hub.until_row("cache", status="running")
        await hub.until_row("api", status="starting", reason=None)
        row = await hub.until_row("app", status="starting", pid=None)
        assert row["reason"] == "waits for api, cache"
        answer.write_text("200")
        assert (await start)["status"] == "running"
        rows = processes.rows()
        assert rows["cache"]["started_at"] <= rows["api"]["started_at"] <= rows["app"]["started_at"]


async def test_a_stop_ends_the_wait_for_dependencies(hub: ObservedHub, tmp_path: Path, free_port: int) -> None:
    configs = {"app": python(SLEEPER, depends_on=["db"]), "db": python(SLEEPER, port=free_port)}
    async with Processes(hub, configs, tmp_path) as processes:
        start = asyncio.create_task(processes.start("app"))
        await hub.until_row("db", status="starting")
        assert (await processes.stop("app"))["status"] == "stopped"
        with pytest.raises(ConflictError, match="stopped before"):
            await start
        assert processes.rows()["db"]["status"] == "starting"


async def test_a_dependency_that_fails_or_is_late_is_named(hub: ObservedHub, tmp_path: Path, free_port: int) -> None:
    configs = {
        "app": python(SLEEPER, depends_on=["bad", "late"]),
        "bad": python("raise SystemExit(9)", port=free_port),
        "late": python(SLEEPER, port=free_port, start_timeout_s=0.2),
    }
    async with Processes(hub, configs, tmp_path) as processes:
        with pytest.raises(ConflictError, match=r"bad ended before it was running: exit code 9; late was not running"):
            await processes.start("app")
        row = await hub.until_row("app", status="failed")
        assert "bad ended before" in row["reason"]


def test_dependencies_are_checked_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        Processes(ObservedHub.__new__(ObservedHub), {"a": python(SLEEPER, depends_on=["b"])}, tmp_path)


async def test_restarts_on_failure_until_it_ends_well(hub: ObservedHub, tmp_path: Path) -> None:
    code = """
import pathlib, sys
file = pathlib.Path(sys.argv[1])
tries = int(file.read_text()) if file.exists() else 0
file.write_text(str(tries + 1))
sys.exit(1 if tries < 3 else 0)
"""
    config = python(code, tmp_path / "tries", restart="on-failure", restart_delay_s=0.01)
    async with Processes(hub, {"a": config}, tmp_path) as processes:
        await processes.start("a")
        row = await hub.until_row("a", status="exited")
        assert row["restarts"] == 3
        assert (tmp_path / "tries").read_text() == "4"
        await hub.until_type("log:a", "process.exited", 4)
    codes = [event.data["exit_code"] for event in await hub.events("log:a") if event.type == "process.exited"]
    assert codes == [1, 1, 1, 0]


async def test_a_stop_between_two_restarts_ends_them(hub: ObservedHub, tmp_path: Path) -> None:
    config = python("raise SystemExit(1)", restart="always", restart_delay_s=3600, restart_max_delay_s=3600)
    async with Processes(hub, {"a": config}, tmp_path) as processes:
        await processes.start("a")
        row = await hub.until_row("a", status="failed")
        assert row["reason"].startswith("exit code 1; starts again in ")
        row = await processes.stop("a")
        assert (row["status"], row["reason"], row["exit_code"]) == ("stopped", "exit code 1", 1)
        row = await processes.start("a")  # by hand, without the delay
        assert row["restarts"] == 0


async def test_leaving_stops_in_reverse_order_and_takes_in_the_last_words(hub: ObservedHub, tmp_path: Path) -> None:
    code = """
import signal, sys
print("up", flush=True)
signal.sigwait([signal.SIGTERM])
print("bye", flush=True)
"""
    blocked = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n" + code
    configs = {
        "db": python(blocked),
        "app": python(blocked, depends_on=["db"]),
        "kept": python(SLEEPER, on_shutdown="keep"),
    }
    async with Processes(hub, configs, tmp_path) as processes:
        await processes.start("app")
        kept = await processes.start("kept")
        for name in configs:
            await hub.until_lines(f"log:{name}", 1)
    rows = (await hub.state("processes")).value
    assert [rows[name]["status"] for name in configs] == ["stopped", "stopped", "running"]
    assert rows["app"]["ended_at"] <= rows["db"]["ended_at"]
    for name in ("db", "app"):
        assert await hub.lines(f"log:{name}") == ["up", "bye"]
        assert (await hub.events(f"log:{name}"))[-1].type == "process.exited"
    assert is_alive(kept["pid"])
    with pytest.raises(Busy):
        await processes.start("app")
    async with Processes(hub, {"kept": python(SLEEPER)}, tmp_path) as processes:
        assert processes.rows()["kept"]["pid"] == kept["pid"]
    assert not is_alive(kept["pid"])


async def test_autostart_does_not_wait(hub: ObservedHub, tmp_path: Path, free_port: int) -> None:
    configs = {
        "app": python(SLEEPER, depends_on=["db"], autostart=True),
        "db": python(SLEEPER, port=free_port),
        "other": python(SLEEPER),
    }
    async with Processes(hub, configs, tmp_path) as processes:
        await hub.until_row("db", status="starting")
        assert processes.rows()["other"]["status"] == "stopped"


async def test_usage_is_shown_while_it_lives(hub: ObservedHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.services.processes.sampling.INTERVAL_S", 0.05)
    async with Processes(hub, {"a": python("while True: pass")}, tmp_path) as processes:
        await processes.start("a")

        async def is_busy() -> bool:
            row = (await hub.state("processes")).value.get("a", {})
            return (row["cpu_percent"] or 0) > 0 and row["memory_bytes"] > 2**20

        await hub.until(is_busy)
        row = await processes.stop("a")
        assert (row["cpu_percent"], row["memory_bytes"]) == (None, None)


async def test_a_program_that_ended_before_its_children(
    hub: ObservedHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.services.processes.sampling.INTERVAL_S", 0.05)
    gate = fifo(tmp_path / "gate")
    code = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    open(sys.argv[1]).read()
sys.exit(0)
"""
    async with Processes(hub, {"a": python(code, gate, grace_s=3600)}, tmp_path) as processes:
        await processes.start("a")
        row = await hub.until_row("a", exit_code=0, pid=None)
        assert "what it left behind" in row["reason"]
        await open_gate(gate)
        await hub.until_row("a", status="exited", reason=None)


async def test_nothing_of_ours_is_left(hub: ObservedHub, tmp_path: Path) -> None:
    gate = fifo(tmp_path / "gate")
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    async with Processes(hub, {"a": python(GATED, gate, 5)}, tmp_path) as processes:
        await processes.start("a")
        await open_gate(gate)
        await hub.until_row("a", status="failed", exit_code=5)
        await hub.until_type("log:a", "process.exited")
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
