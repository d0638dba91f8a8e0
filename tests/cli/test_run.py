from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import Begin, Cli
from tests.live.real_server import RealServer

import antiphon
from antiphon import Event

PYTHON = sys.executable


async def lines_until_exit(url: str, name: str) -> list[Any]:
    """All lines of a program, once its end is in the log."""
    texts = []
    async with antiphon.connect(url) as live:
        async for item in live.subscribe(f"log:{name}", after="start"):
            if isinstance(item, Event) and item.type == "line":
                texts.append((item.data["stream"], item.data["text"]))
            if isinstance(item, Event) and item.type == "process.exited":
                return [*texts, item.data]
    raise AssertionError


def test_output_here_and_in_the_log_and_the_exit_status_passed_on(cli: Cli, server: RealServer) -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); print(input()); sys.exit(7)"
    done = cli("run", "--name", "both", "--", PYTHON, "-c", program, input="typed\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\ntyped\n", "err\n")
    found = asyncio.run(lines_until_exit(server.url, "both"))
    assert sorted(found[:-1]) == [("stderr", "err"), ("stdout", "out"), ("stdout", "typed")]
    assert found[-1] == {"exit_code": 7, "signal": None}
    assert json.loads(cli("ps", "--json").stdout)["both"]["source"] == "run"


def test_options_after_the_command_are_the_programs(cli: Cli) -> None:
    done = cli("run", PYTHON, "-c", "import sys; print(sys.argv[1:])", "--name", "-h")
    assert done.stdout == "['--name', '-h']\n"


def test_signals_are_passed_on_and_told(cli: Cli, begin: Begin) -> None:
    program = "import time; print('up', flush=True); time.sleep(600)"
    running = begin("run", "--", PYTHON, "-c", program)
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30) == 128 + signal.SIGTERM


def test_no_such_program(cli: Cli) -> None:
    done = cli("run", "--", "no-such-program-anywhere")
    assert done.returncode == 127
    assert "no-such-program-anywhere" in done.stderr


def test_a_taken_name_gets_another(cli: Cli, server: RealServer) -> None:
    for _ in range(2):
        assert cli("run", "--name", "sleeper", "--", PYTHON, "-c", "print('mine')").returncode == 0

    async def until_there() -> list[str]:
        async with antiphon.connect(server.url) as live, live.subscribe("processes") as changes:
            while True:
                found = [name for name in await live.processes() if name.startswith("sleeper")]
                if len(found) >= 2:
                    return found
                await anext(changes)

    assert len(asyncio.run(until_there())) >= 2
    assert json.loads(cli("ps", "--json").stdout)["sleeper"]["source"] == "config"


def test_a_name_that_cannot_be_is_refused(cli: Cli) -> None:
    done = cli("run", "--name", "a b", "--", "true")
    assert done.returncode == 2
    assert "'a b'" in done.stderr


def test_without_a_server_it_runs_says_how_to_watch_and_the_next_server_has_all_lines(
    cli: Cli, no_server: str, tmp_path: Path
) -> None:
    done = cli("run", "--name", "early", "--", PYTHON, "-c", "print('before')", url=no_server)
    assert (done.returncode, done.stdout) == (0, "before\n")
    assert len(done.stderr.splitlines()) == 1
    assert "antiphon serve" in done.stderr
    later = RealServer(tmp_path / "data")
    asyncio.run(later.start())
    try:
        found = asyncio.run(lines_until_exit(later.url, "early"))
        assert found == [("stdout", "before"), {"exit_code": 0, "signal": None}]
    finally:
        asyncio.run(later.stop())
