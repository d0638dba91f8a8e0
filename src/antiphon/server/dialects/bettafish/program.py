"""The report's program: started for one run, ended with it, whatever it has started itself included."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson
import psutil

from antiphon.services.logs.lines import LineSplitter

GRACE_S: Final = 3.0  # from SIGTERM to SIGKILL
LINE_BYTES: Final = 256 * 1024
RECORD: Final = "process.json"  # beside what it writes: which process it is, should this server die


class Program:
    """One process and its group.

    Args:
        directory: Where it writes what it has made; it is told in `ANTIPHON_REPORT_DIR`.
    """

    def __init__(self, command: Sequence[str], cwd: Path | None, directory: Path) -> None:
        self._command = command
        self._cwd = cwd
        self._directory = directory

    async def run(self, given: Mapping[str, Any]) -> AsyncGenerator[list[str], None]:
        """Its lines as they come, until it has ended; closing this early ends it.

        Raises:
            OSError: It cannot be started.
            RuntimeError: It failed.
        """
        env = {**os.environ, "ANTIPHON_REPORT_DIR": str(self._directory), "PYTHONUNBUFFERED": "1"}
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=STDOUT, cwd=self._cwd, env=env, start_new_session=True
        )
        try:
            note(self._directory, process.pid)
            async for lines in _talk(process, orjson.dumps(given)):
                yield lines
            code = await process.wait()
            if code != 0:
                raise RuntimeError(f"the report command ended with exit code {code}")
        finally:
            await _end(process)
            (self._directory / RECORD).unlink(missing_ok=True)


async def _talk(process: Process, given: bytes) -> AsyncGenerator[list[str], None]:
    telling = asyncio.create_task(_tell(process, given), name="report input")
    splitter = LineSplitter(0, LINE_BYTES)
    assert process.stdout is not None
    try:
        while data := await process.stdout.read(64 * 1024):
            if lines := splitter.feed(data):
                yield lines
        if lines := splitter.finish():
            yield lines
    finally:
        telling.cancel()
        await asyncio.wait([telling])


async def _tell(process: Process, given: bytes) -> None:
    """It need not read what it is told."""
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.write(given + b"\n")
        await process.stdin.drain()
        process.stdin.close()


async def _end(process: Process) -> None:
    """Whatever is left of its group is ended, also if this is interrupted."""
    try:
        if process.returncode is None:
            _signal(process.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await process.wait()
    finally:
        _signal(process.pid, signal.SIGKILL)
        if process.returncode is None:
            await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def note(directory: Path, pid: int) -> None:
    with suppress(psutil.Error):
        record = {"pid": pid, "born": psutil.Process(pid).create_time()}
        (directory / RECORD).write_bytes(orjson.dumps(record))


def end_left_over(directory: Path) -> None:
    """End a program whose server was killed."""
    path = directory / RECORD
    try:
        record = orjson.loads(path.read_bytes())
        if psutil.Process(record["pid"]).create_time() == record["born"]:
            _signal(record["pid"], signal.SIGKILL)
    except (OSError, ValueError, KeyError, psutil.Error):
        pass
    path.unlink(missing_ok=True)
