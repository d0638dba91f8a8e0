"""Starts servers by forking a process that has imported the server already: `antiphon serve` without its imports.

A suite starts hundreds of servers, and most of what each start takes is reading modules. What runs is the same command
in a process of its own; `tests/cli` starts it as people do. As a program this is the process that forks.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

MOST_BYTES = 1 << 20  # of a request


class Nursery:
    """The process that forks; one for each process of the suite, begun by the first server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = str(theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.live.nursery", number],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._control = ours
        atexit.register(self._close)

    def _ask(self, request: dict[str, Any], fds: tuple[int, ...] = ()) -> int:
        with self._lock:
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
            return int(self._control.recv(MOST_BYTES))

    def bear(self, arguments: list[str], environ: dict[str, str], cwd: str) -> Born:
        """Start `antiphon ARGUMENTS`."""
        reading, writing = os.pipe()
        try:
            pid = self._ask({"arguments": arguments, "environ": environ, "cwd": cwd}, (writing, 2))
        finally:
            os.close(writing)
        return Born(self, pid, reading)

    def reap(self, pid: int) -> int:
        """The exit status of one that has ended."""
        return os.waitstatus_to_exitcode(self._ask({"reap": pid}))

    def _close(self) -> None:
        self._control.close()
        self._process.wait()


class Born:
    """A server, with the part of Popen's face that is used."""

    def __init__(self, nursery: Nursery, pid: int, reading: int) -> None:
        self.pid = pid
        self.stdout = os.fdopen(reading, "rb")
        self.returncode: int | None = None
        self._nursery = nursery
        self._pidfd = os.pidfd_open(pid)

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._pidfd], [], [], 0)[0]:
            self._ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._pidfd], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("antiphon", timeout or 0)
            self._ended()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def _ended(self) -> None:
        self.returncode = self._nursery.reap(self.pid)
        os.close(self._pidfd)


def next_birth(control: socket.socket) -> dict[str, Any]:
    """Fork for each request; returns the request in the child, and ends the parent when nobody asks any more."""
    while True:
        request, fds, _, _ = socket.recv_fds(control, MOST_BYTES, 2)
        if not request:
            sys.exit()
        wanted: dict[str, Any] = json.loads(request)
        if "reap" in wanted:
            control.send(b"%d" % os.waitpid(wanted["reap"], 0)[1])
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            for target, fd in enumerate(fds, 1):
                os.dup2(fd, target)
                os.close(fd)
            return wanted
        for fd in fds:
            os.close(fd)
        control.send(b"%d" % pid)


def main() -> None:
    from antiphon.cli import main as antiphon
    from antiphon.server import run  # noqa: F401 - what the command imports later

    gc.collect()
    gc.freeze()
    wanted = next_birth(socket.socket(fileno=int(sys.argv[1])))
    random.seed()
    os.environ.clear()
    os.environ.update(wanted["environ"])
    time.tzset()
    os.chdir(wanted["cwd"])
    sys.argv = ["antiphon", *wanted["arguments"]]
    antiphon()


if __name__ == "__main__":
    main()
