"""Functions in processes of their own: a cancelled call ends with the death of its process.

The function and its arguments go there as a pickle, its result comes back as one; `worker` is the program.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import spawn
from pathlib import Path
from typing import Any

import structlog

from antiphon.errors import ToolError

WORKER = Path(__file__).with_name("worker.py")
MAX_RESULT_BYTES = 64 << 20
_HEAD = 8  # bytes that say how long a message is
_log = structlog.get_logger(__name__)


def check_findable(function: Callable[..., Any]) -> None:
    """Raise TypeError unless another process can find this function by its name.

    Only the name is looked at: a decorator is called before the name stands in its module.
    """
    name = getattr(function, "__qualname__", None)
    if name is None or "<" in name:
        raise TypeError(
            f"{name or function!r} cannot run in a process of its own: define it at the top level of a module, make it "
            "async, or pass in_process=True"
        )


async def run_elsewhere(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call it in a new process and wait. However this ends, the process and its children are gone.

    Raises:
        ToolError: The function raised, or its process died.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the worker's folder holds no modules for the function to find
        str(WORKER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # so that it can be killed with all its children
    )
    try:
        answer = await _converse(process, _message(function, arguments))
    finally:
        await asyncio.shield(_end(process))
    return _read(answer, process)


def _message(function: Callable[..., Any], arguments: dict[str, Any]) -> bytes:
    preparation = spawn.get_preparation_data("tool")
    preparation.pop("authkey", None)
    if function.__module__ != "__main__":  # only then does the worker need what the server was started as
        preparation.pop("init_main_from_name", None)
        preparation.pop("init_main_from_path", None)
    body = pickle.dumps((preparation, pickle.dumps((function, arguments))))
    return len(body).to_bytes(_HEAD) + body


async def _converse(process: asyncio.subprocess.Process, message: bytes) -> bytes:
    """The answer; empty when the process dies without one."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(message)
        await process.stdin.drain()
        size = int.from_bytes(await process.stdout.readexactly(_HEAD))
        return await process.stdout.readexactly(size) if size <= MAX_RESULT_BYTES else b""
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that holds only the dead
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _read(answer: bytes, process: asyncio.subprocess.Process) -> Any:
    if not answer:
        raise ToolError("The tool's process ended without an answer")
    succeeded, value = pickle.loads(answer)  # noqa: S301  # from our own code in our own process
    if succeeded:
        return value
    if value["traceback"] is not None:
        _log.warning("a tool failed", pid=process.pid, traceback=value["traceback"])
    raise ToolError(value["message"])
