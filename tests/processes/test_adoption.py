"""A server that dies, and the next one that finds everything again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest
from tests.observed_hub import ObservedHub, OpenHub, hub_opener
from tests.processes.programs import COUNTER, GATED, SLEEPER, fifo, is_alive, open_gate, python, until_gone

from antiphon import shim
from antiphon.errors import ConflictError, SettingsError
from antiphon.services.processes import ProcessConfig, Processes
from antiphon.services.processes.directories import StartDirectory, create, create_run, find, ring
from antiphon.services.processes.life import spec_of


@asynccontextmanager
async def abandoned(
    open_hub: OpenHub, configs: dict[str, ProcessConfig], data: Path
) -> AsyncIterator[tuple[ObservedHub, Processes]]:
    """A server that lets go of everything at the end of the block, as if it had been killed."""
    async with open_hub() as hub:
        processes = await Processes(hub, configs, data).__aenter__()
        try:
            yield hub, processes
        finally:
            await processes.release()


async def test_what_still_runs_is_found_again(open_hub: OpenHub, tmp_path: Path) -> None:
    gate = fifo(tmp_path / "gate")
    configs = {"a": python(GATED, gate, 0)}
    async with abandoned(open_hub, configs, tmp_path) as (hub, first):
        before = await first.start("a")
        await hub.until_lines("log:a", 1)
    assert is_alive(before["pid"])
    async with open_hub() as hub, Processes(hub, configs, tmp_path) as second:
        row = second.rows()["a"]
        assert (row["status"], row["pid"], row["started_at"]) == ("running", before["pid"], before["started_at"])
        assert await second.start("a") == row
        await open_gate(gate)
        await hub.until_row("a", status="exited", exit_code=0)
        await hub.until_type("log:a", "process.exited")
        assert [event.type for event in await hub.events("log:a")] == [
            *("process.started", "line", "line", "process.exited")
        ]


async def test_what_ended_meanwhile_tells_how(open_hub: OpenHub, tmp_path: Path) -> None:
    gates = {name: fifo(tmp_path / name) for name in ("well", "badly", "killed")}
    configs = {name: python(GATED, gate, 0 if name == "well" else 7) for name, gate in gates.items()}
    async with abandoned(open_hub, configs, tmp_path) as (hub, first):
        pids = {name: (await first.start(name))["pid"] for name in configs}
        shims = {start.name: shim_pid(start) for start in find(tmp_path / "processes")}
        for name in configs:
            await hub.until_lines(f"log:{name}", 1)
    os.kill(pids["killed"], signal.SIGKILL)
    await open_gate(gates["well"])
    await open_gate(gates["badly"])
    for pid in shims.values():
        await until_gone(pid)
    async with open_hub() as hub, Processes(hub, configs, tmp_path) as second:
        rows = second.rows()
        assert [(rows[name]["status"], rows[name]["exit_code"], rows[name]["signal"]) for name in configs] == [
            ("exited", 0, None),
            ("failed", 7, None),
            ("failed", None, "SIGKILL"),
        ]
        for name in configs:
            await hub.until_type(f"log:{name}", "process.exited")
        assert await hub.lines("log:badly") == ["before", "after"]
        assert await hub.lines("log:killed") == ["before"]
    async with open_hub() as hub, Processes(hub, configs, tmp_path) as third:  # the rows outlive the directories
        assert third.rows() == rows
        assert len(await hub.events("log:well")) == 4
    assert list(find(tmp_path / "processes")) == []


def shim_pid(start: StartDirectory) -> int:
    pid: int = orjson.loads((start.path / shim.STATUS).read_bytes())["shim"]["pid"]
    return pid


async def test_a_killed_shim_is_no_riddle(open_hub: OpenHub, tmp_path: Path) -> None:
    """Neither its row nor what it leaves behind goes unnoticed, whether we look or not."""
    configs = {name: python(SLEEPER, grace_s=0.1) for name in ("watched", "unwatched")}
    async with abandoned(open_hub, configs, tmp_path) as (hub, first):
        pids = [(await first.start(name))["pid"] for name in configs]
        shims = {start.name: shim_pid(start) for start in find(tmp_path / "processes")}
        for name in configs:
            await hub.until_lines(f"log:{name}", 1)
        os.kill(shims["watched"], signal.SIGKILL)
        row = await hub.until_row("watched", status="failed", pid=None)
        assert "supervisor was killed" in row["reason"]
    os.kill(shims["unwatched"], signal.SIGKILL)
    await until_gone(shims["unwatched"])
    async with open_hub() as hub, Processes(hub, configs, tmp_path):
        row = await hub.until_row("unwatched", status="failed", pid=None)
        assert "supervisor was killed" in row["reason"]
        for name in configs:
            await hub.until_type(f"log:{name}", "process.exited")
    assert not any(map(is_alive, pids))


async def test_a_start_that_nobody_recorded_is_found(open_hub: OpenHub, tmp_path: Path) -> None:
    """The server died between starting the program and publishing its row."""
    configs = {"a": python("print('hello'); raise SystemExit(4)")}
    start = create(tmp_path / "processes", "a")
    await launch(start, configs["a"])
    async with open_hub() as hub, Processes(hub, configs, tmp_path):
        await hub.until_row("a", status="failed", exit_code=4)
        await hub.until_type("log:a", "process.exited")
        assert await hub.lines("log:a") == ["hello"]


async def launch(start: StartDirectory, config: ProcessConfig) -> None:
    """As a server does it, but without one: returns once the program runs."""
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", shim.__file__, str(start.path)), stdin=asyncio.subprocess.PIPE
    )
    await starter.communicate(orjson.dumps(asdict(spec_of(config))))
    assert starter.returncode == 0


async def test_a_restart_that_was_due_is_made_up_for(open_hub: OpenHub, tmp_path: Path) -> None:
    code = "import sys; sys.exit(1)"
    first_config = python(code, restart="on-failure", restart_delay_s=3600, restart_max_delay_s=3600)
    async with abandoned(open_hub, {"a": first_config}, tmp_path) as (hub, first):
        await first.start("a")
        await hub.until_row("a", status="failed")
        await hub.until_type("log:a", "process.exited")
    second_config = python(SLEEPER, restart="on-failure", restart_delay_s=0.01)
    async with open_hub() as hub, Processes(hub, {"a": second_config}, tmp_path):
        row = await hub.until_row("a", status="running")
        assert row["restarts"] == 1


async def test_a_process_that_is_no_longer_configured(open_hub: OpenHub, tmp_path: Path) -> None:
    async with abandoned(open_hub, {"a": python(SLEEPER), "idle": python(SLEEPER)}, tmp_path) as (hub, first):
        before = await first.start("a")
    async with open_hub() as hub, Processes(hub, {}, tmp_path) as second:
        assert second.rows().keys() == {"a"}
        assert second.rows()["a"]["pid"] == before["pid"]
        with pytest.raises(ConflictError, match=r"antiphon\.toml"):
            await second.start("a")
        assert (await second.stop("a"))["status"] == "stopped"
        await hub.until_type("log:a", "process.exited")
    async with open_hub() as hub, Processes(hub, {}, tmp_path) as third:
        assert third.rows() == {}


async def test_a_directory_without_a_shim_is_cleared_away(
    open_hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.services.processes.adoption.YOUNG_S", -1.0)
    create(tmp_path / "processes", "a")
    damaged = create(tmp_path / "processes", "b")
    (damaged.path / shim.STATUS).write_text("{")
    async with open_hub() as hub, Processes(hub, {"a": python(SLEEPER)}, tmp_path) as processes:
        assert processes.rows()["a"]["status"] == "stopped"
        assert [start.key for start in find(tmp_path / "processes")] == [damaged.key]  # it may hold lines


# What `antiphon run` starts


def run(data: Path, name: str, config: ProcessConfig) -> subprocess.Popen[bytes]:
    """As `antiphon run` does it: the shim stays in the foreground, here with a pipe instead of a terminal."""
    start = create_run(data / "processes", name)
    spec = {**asdict(spec_of(config)), "echo": True}
    process = subprocess.Popen(
        (sys.executable, "-I", "-S", shim.__file__, str(start.path)), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert process.stdin is not None
    process.stdin.write(orjson.dumps(spec))
    process.stdin.close()
    return process


async def test_runs_appear_while_the_server_runs(open_hub: OpenHub, tmp_path: Path) -> None:
    gate = fifo(tmp_path / "gate")
    async with open_hub() as hub, Processes(hub, {"web": python(SLEEPER)}, tmp_path) as processes:
        first = run(tmp_path, "job", python(GATED, gate, 6))
        row = await hub.until_row("job", status="running", source="run", stdin=False)
        second = run(tmp_path, "job", python(SLEEPER))
        await hub.until_row("job-2", status="running", source="run")
        third = run(tmp_path, "web", python(SLEEPER))
        await hub.until_row("web-2", status="running", source="run")
        assert processes.rows()["web"]["status"] == "stopped"
        with pytest.raises(ConflictError, match=r"antiphon\.toml"):
            await processes.start("job-2")
        with pytest.raises(ConflictError, match=r"antiphon\.toml"):
            await processes.restart("job-2")
        assert (await processes.stop("job-2"))["status"] == "stopped"
        assert (await processes.stop("web-2"))["status"] == "stopped"
        assert is_alive(row["pid"])
        await open_gate(gate)
        await hub.until_row("job", status="failed", exit_code=6)
        await hub.until_type("log:job", "process.exited")
        assert await hub.lines("log:job") == ["before", "after"]
        assert [await asyncio.to_thread(process.wait, 30) for process in (first, second, third)] == [6, 143, 143]
        again = run(tmp_path, "job", python("print('again')"))
        await hub.until_type("log:job", "process.exited", 2)
        assert (await hub.lines("log:job"))[-1] == "again"
        assert await asyncio.to_thread(again.wait, 30) == 0


async def test_runs_made_without_a_server_are_found(open_hub: OpenHub, tmp_path: Path) -> None:
    ended = run(tmp_path, "job", python("print('first')"))
    assert await asyncio.to_thread(ended.wait, 30) == 0
    living = run(tmp_path, "job", python(SLEEPER))
    other = run(tmp_path, "job", python(SLEEPER))
    async with abandoned(open_hub, {}, tmp_path) as (hub, processes):
        assert {name: row["status"] for name, row in processes.rows().items()} == {"job": "running", "job-2": "running"}
        assert await hub.until_lines("log:job", 2) == ["first", "up"]
        assert await hub.until_lines("log:job-2", 1) == ["up"]
        before = processes.rows()
    async with open_hub() as hub, Processes(hub, {}, tmp_path) as processes:
        after = processes.rows()
        assert {name: row["pid"] for name, row in after.items()} == {name: row["pid"] for name, row in before.items()}
    assert living.poll() is None  # a server that stops leaves them alone
    async with open_hub() as hub, Processes(hub, {}, tmp_path) as processes:
        for name in after:
            assert (await processes.stop(name))["status"] == "stopped"
    for process in (living, other):
        assert await asyncio.to_thread(process.wait, 30) == 143


# kill -9

SERVER = """
import asyncio, sys
from pathlib import Path
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub
from antiphon.services.processes import ProcessConfig, Processes

async def main():
    data, counter = Path(sys.argv[1]), sys.argv[2]
    broker = SqliteBroker(data / "store", synchronous="normal")
    broker.open()
    configs = {name: ProcessConfig(command=(sys.executable, "-c", counter, "0", "30000")) for name in ("a", "b")}
    async with Hub(broker) as hub, Processes(hub, configs, data) as processes:
        if "start" in sys.argv:
            for name in configs:
                await processes.start(name)
        while True:
            for name in configs:
                print((await hub.history(f"log:{name}", limit=1)).head, flush=True)
            await asyncio.sleep(0.01)

asyncio.run(main())
"""


async def test_kill_9_in_the_middle_of_much_output(tmp_path: Path) -> None:
    """Each line once, in order, though the server is killed twice while it takes them in."""
    for life in range(2):
        arguments = ("-c", SERVER, str(tmp_path), COUNTER, *(["start"] if life == 0 else []))
        server = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
        assert server.stdout is not None
        while int(await server.stdout.readline()) < 1000 + life * 8000:
            pass
        server.kill()
        await server.wait()
    configs = {name: python(COUNTER, 0, 30_000) for name in ("a", "b")}
    async with hub_opener("sqlite", tmp_path)() as hub, Processes(hub, configs, tmp_path):
        for name in configs:
            await hub.until_row(name, status="exited", exit_code=0)
            await hub.until_type(f"log:{name}", "process.exited")
            events = await hub.events(f"log:{name}")
            assert [event.type for event in events] == ["process.started", *["line"] * 30_000, "process.exited"]
            assert [event.data["text"] for event in events[1:-1]] == [str(number) for number in range(30_000)]


async def test_a_start_that_came_to_life_late(
    open_hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server died while it started a program; the next one looked before that was up."""
    monkeypatch.setattr("antiphon.services.processes.service.PATIENCE_S", 0.0)
    root, config = tmp_path / "processes", python(SLEEPER)
    idle, busy = create(root, "idle"), create(root, "busy")
    async with open_hub() as hub, Processes(hub, {"idle": config, "busy": config}, tmp_path) as processes:
        own = await processes.start("busy")
        await launch(idle, config)
        await launch(busy, config)
        ring(root)
        await hub.until_row("idle", status="running")
        await hub.until_type("log:idle", "process.started")
        stray = orjson.loads((busy.path / shim.STATUS).read_bytes())["child"]["pid"]
        await until_gone(stray)  # two at once would be one too many
        assert processes.rows()["busy"] == own
        await processes.stop("busy")
        await hub.until_type("log:busy", "process.exited", 2)
        started = await hub.until_type("log:busy", "process.started", 2)
        assert [event.data["pid"] for event in started] == [own["pid"], stray]


async def test_only_so_many_rows_of_ended_runs_are_kept(
    open_hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.services.processes.service.MAX_ENDED_RUNS", 2)
    async with open_hub() as hub, Processes(hub, {"a": python("pass")}, tmp_path) as processes:
        for name in ("one", "two", "three", "four"):
            process = run(tmp_path, name, python("pass"))
            await hub.until_type(f"log:{name}", "process.exited")
            assert await asyncio.to_thread(process.wait, 30) == 0
        assert {"a", "four"} <= processes.rows().keys()
        assert "one" not in processes.rows()
    async with open_hub() as hub, Processes(hub, {}, tmp_path) as processes:
        assert processes.rows().keys() == {"three", "four"}


@pytest.mark.parametrize("name", ["", "../x", ".hidden", "-x", "a:b", "a b", "x" * 65, "é"])
def test_impossible_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="a name has"):
        Processes(ObservedHub.__new__(ObservedHub), {name: python(SLEEPER)}, tmp_path)


async def test_no_second_program_while_the_first_outlives_its_supervisor(open_hub: OpenHub, tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    config = python(code, grace_s=0.5, restart="on-failure", restart_delay_s=0.01)
    async with open_hub() as hub, Processes(hub, {"a": config}, tmp_path) as processes:
        first = await processes.start("a")
        (start,) = find(tmp_path / "processes")
        await hub.until_lines("log:a", 1)
        os.kill(shim_pid(start), signal.SIGKILL)
        row = await hub.until_row("a", status="unhealthy")
        assert "supervisor was killed" in row["reason"]
        assert is_alive(first["pid"])
        row = await hub.until_row("a", status="running", restarts=1)
        assert not is_alive(first["pid"])
        assert is_alive(row["pid"])
