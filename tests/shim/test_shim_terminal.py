"""The shim in the user's terminal (`antiphon run`)."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.services.processes.shimlink import ShimLink
from antiphon.services.processes.spool import Position, Spool

RUN = """
import sys
from pathlib import Path
from antiphon.services.processes.shimlink import Spec, exec_in_terminal
exec_in_terminal(Path(sys.argv[1]), Spec(command=tuple(sys.argv[2:]), cwd="/", env={}, grace_s=0.2))
"""

Run = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """`run(program, **options of Popen)`: what a small `antiphon run` would do; its directory is `tmp_path/life`."""
    running: list[subprocess.Popen[bytes]] = []

    def start(program: str, **options: Any) -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, "-c", RUN, str(tmp_path / "life"), sys.executable, "-S", "-u", "-c", program]
        running.append(subprocess.Popen(command, **{**pipes, **options}))
        return running[-1]

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=30)


def spooled(directory: Path) -> list[str]:
    spool = Spool(directory)
    batch = spool.read(Position())
    spool.close()
    return [line.text for line in batch.lines]


def test_output_is_shown_unmodified_and_spooled(run: Run, tmp_path: Path) -> None:
    process = run("import os; os.write(1, b'1%\\r2%\\r\\n\\xffend')")
    assert process.communicate(timeout=30) == (b"1%\r2%\r\n\xffend", b"")
    assert process.returncode == 0
    assert spooled(tmp_path / "life") == ["2%", "\N{REPLACEMENT CHARACTER}end"]


def test_stdin_is_the_terminals(run: Run) -> None:
    process = run("print(input())")
    assert process.communicate(b"typed\n", timeout=30)[0] == b"typed\n"


def test_exit_status_is_passed_on(run: Run) -> None:
    process = run("import sys; sys.stderr.write('bad'); sys.exit(42)")
    assert process.communicate(timeout=30) == (b"", b"bad")
    assert process.returncode == 42


def test_death_by_signal_is_128_and_more(run: Run) -> None:
    process = run("import os; os.kill(os.getpid(), 9)")
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGKILL


def test_unknown_command_is_127(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path / "life"), "no-such-command"]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert done.returncode == 127
    assert b"no-such-command" in done.stderr


async def test_server_finds_and_stops_it(run: Run, tmp_path: Path) -> None:
    process = run("import time; print('up'); time.sleep(1000)")
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == b"up\n"
    link = await ShimLink.attach(tmp_path / "life")
    assert link.status.shim_pid == process.pid
    assert (await link.stop(signal="TERM", grace_s=30)).signal == "SIGTERM"
    assert process.wait(timeout=30) == 128 + signal.SIGTERM


def test_output_that_nobody_takes_ends_the_program_as_without_us(run: Run) -> None:
    process = run("while True: print('y')")
    assert process.stdout is not None
    assert process.stdout.readline() == b"y\n"
    process.stdout.close()
    assert process.wait(timeout=30) in (1, 128 + signal.SIGPIPE)
    process.stdout = None


def test_slow_terminal_delays_but_loses_nothing(run: Run) -> None:
    process = run("for i in range(50000): print(i)")
    assert process.stdout is not None
    assert process.stdout.readline() == b"0\n"
    assert process.stdout.read().split() == [b"%d" % number for number in range(1, 50000)]
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_stop_the_tree(run: Run, number: int) -> None:
    process = run("import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(1000)")
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(number)
    assert process.wait(timeout=30) == 128 + signal.SIGKILL


COUNTING = """
import signal
counted = []
def count(*_):
    counted.append(1)
    print("interrupted")
signal.signal(signal.SIGINT, count)
print("up")
input()
print("total", len(counted))
"""


def test_interrupt_without_a_terminal_is_forwarded(run: Run) -> None:
    process = run(COUNTING, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"interrupted\n"
    assert process.communicate(b"\n", timeout=30)[0] == b"total 1\n"


def read_until(fd: int, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        seen += os.read(fd, 1000)
    return seen


def test_ctrl_c_in_a_terminal_arrives_once(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(
            sys.executable, [sys.executable, "-c", RUN, str(tmp_path / "life"), sys.executable, "-u", "-c", COUNTING]
        )
    read_until(terminal, b"up")
    os.write(terminal, b"\x03")
    read_until(terminal, b"interrupted")
    os.write(terminal, b"\n")
    read_until(terminal, b"total 1")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
