"""What a killed shim leaves behind: found by identity and by an inherited mark, never by a bare pid."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from antiphon import shim
from antiphon.errors import InternalError

STEP_S = 0.05
KILL_DEADLINE_S = 10.0


def find_orphans(record: dict[str, Any]) -> set[int]:
    """Living processes of the tree that `status.json` tells of; none if the machine has been started anew since."""
    if record["boot_id"] != shim.boot_id():
        return set()
    table = shim.processes()
    table.pop(os.getpid(), None)  # a server that itself runs under a shim carries a mark too
    roots = {pid for pid, facts in table.items() if not facts.zombie and _belongs(pid, facts, record)}
    return (roots | shim.descendants(table, roots)) - {record["shim"]["pid"]}


async def kill_orphans(record: dict[str, Any], number: int, grace_s: float) -> int:
    """Signal the orphans, kill what is left after the grace; returns how many there were, when none is left.

    Raises:
        InternalError: Some cannot be killed; the message names their pids.
    """
    met: set[int] = set()
    told: set[int] = set()
    kill_at = time.monotonic() + grace_s
    while left := await asyncio.to_thread(find_orphans, record):
        now = time.monotonic()
        if now > kill_at + KILL_DEADLINE_S:
            raise InternalError(f"processes {sorted(left)} cannot be killed")
        _signal(left if now >= kill_at else left - told, signal.SIGKILL if now >= kill_at else number)
        told |= left
        met |= left
        await asyncio.sleep(STEP_S)
    return len(met)


def _belongs(pid: int, facts: shim.Facts, record: dict[str, Any]) -> bool:
    child = record["child"]
    if child is not None and (pid, facts.start) == (child["pid"], child["start"]):
        return True
    if shim.LINUX:
        with suppress(OSError):
            return f"{shim.TOKEN}={record['token']}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return False
    return bool(
        facts.session == record["shim"]["pid"]
    )  # macOS shows no environment; its shim leads a session of its own


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
