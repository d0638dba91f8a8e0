"""The real server in a process of its own, to be killed at the worst moment and started again on the same data."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.live.nursery import Born, Nursery

STARTED_WITHIN_S = 30
COMMAND = ("-m", "antiphon")


class RealServer:
    """`antiphon serve` on one data directory; keeps its port over restarts."""

    def __init__(self, data: Path, *, config: Path | None = None, environ: dict[str, str] | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.printed: list[str] = []
        self._config = config
        self._environ = environ or {}
        self._process: subprocess.Popen[bytes] | Born | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def live(self) -> str:
        return f"ws://127.0.0.1:{self.port}/live"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Return once it listens."""
        config = ["--config", str(self._config)] if self._config else []
        arguments = ["serve", "--port", str(self.port), "--data", str(self.data), *config]
        async with asyncio.timeout(STARTED_WITHIN_S):
            await asyncio.to_thread(self._launch, arguments)

    def _launch(self, arguments: list[str]) -> None:
        self._process = begin(arguments, {**os.environ, **self._environ}, str(self.data.parent))
        self._listening(self._process)

    def _listening(self, process: subprocess.Popen[bytes] | Born) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.printed.append(line.decode().strip())
            if f":{self.port}" in self.printed[-1]:
                return
        raise AssertionError(f"the server ended with {process.wait()} before it listened: {self.printed}")

    async def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody is told."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM: everything is closed in order."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        status = await asyncio.to_thread(process.wait, STARTED_WITHIN_S)
        if process.stdout is not None:
            process.stdout.close()
        return status


@cache
def nursery() -> Nursery:
    return Nursery()


def begin(arguments: list[str], environ: dict[str, str], cwd: str) -> subprocess.Popen[bytes] | Born:
    """Start the command: from the nursery, unless the environment changes what Python itself does."""
    if hasattr(os, "pidfd_open") and environ.get("PYTHONPATH") == os.environ.get("PYTHONPATH"):
        return nursery().bear(arguments, environ, cwd)
    command = [sys.executable, *COMMAND, *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environ, cwd=cwd)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
