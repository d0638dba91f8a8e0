"""CPU and memory of process trees."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import psutil

MEMORY_STEP_BYTES = 1024 * 1024
_CPU_NOISE_PERCENT = 1.0
_MEMORY_NOISE = 0.02  # part of the value


class Usage(NamedTuple):
    """Of one tree. A busy core is 100 percent; memory is resident bytes."""

    cpu_percent: float
    memory_bytes: int


class Seen(NamedTuple):
    """What one look at one process gave. `born` tells a reused pid."""

    parent: int
    born: float
    cpu_s: float
    memory_bytes: int


class Look(NamedTuple):
    """All processes at one moment."""

    at_s: float  # monotonic
    processes: Mapping[int, Seen]


def look() -> Look:
    """Look at every process of the machine once; blocks for some milliseconds."""
    seen: dict[int, Seen] = {}
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                times = process.cpu_times()
                cpu_s = times.user + times.system
                seen[process.pid] = Seen(process.ppid(), process.create_time(), cpu_s, process.memory_info().rss)
        except psutil.Error:
            continue  # it has ended, or is not ours to see
    return Look(time.monotonic(), seen)


def below(root: int, look: Look) -> set[int]:
    """The pids of all descendants of `root`, without itself."""
    children: dict[int, list[int]] = {}
    for pid, seen in look.processes.items():
        children.setdefault(seen.parent, []).append(pid)
    found: set[int] = set()
    todo = [root]
    while todo:
        fresh = [pid for pid in children.get(todo.pop(), ()) if pid not in found and pid != root]
        found.update(fresh)
        todo += fresh
    return found


def measure(roots: Iterable[int], before: Look | None, now: Look) -> dict[int, Usage]:
    """Usage of the tree below each root, roots left out; CPU is 0 where there was no look before."""
    return {root: _tree(below(root, now), before, now) for root in roots}


def _tree(pids: set[int], before: Look | None, now: Look) -> Usage:
    memory = sum(now.processes[pid].memory_bytes for pid in pids)
    if before is None or now.at_s <= before.at_s:
        return Usage(0.0, memory)
    spent = sum(_spent(now.processes[pid], before.processes.get(pid)) for pid in pids)
    return Usage(max(0.0, 100.0 * spent / (now.at_s - before.at_s)), memory)


def _spent(now: Seen, before: Seen | None) -> float:
    return now.cpu_s - before.cpu_s if before is not None and before.born == now.born else now.cpu_s


def steady(shown: Usage | None, measured: Usage) -> Usage:
    """What to show: whole percents and mebibytes, and what was shown before while only noise has changed."""
    rounded = Usage(
        float(round(measured.cpu_percent)),
        round(measured.memory_bytes / MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES,
    )
    if shown is None:
        return rounded
    cpu_is_noise = abs(measured.cpu_percent - shown.cpu_percent) <= _CPU_NOISE_PERCENT and measured.cpu_percent >= 0.5
    memory_noise = max(MEMORY_STEP_BYTES, _MEMORY_NOISE * shown.memory_bytes)
    memory_is_noise = abs(measured.memory_bytes - shown.memory_bytes) < memory_noise
    return Usage(
        shown.cpu_percent if cpu_is_noise else rounded.cpu_percent,
        shown.memory_bytes if memory_is_noise else rounded.memory_bytes,
    )
