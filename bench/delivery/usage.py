"""What a server used: processor time and memory of its process and all its descendants, from /proc."""

from __future__ import annotations

import contextlib
import re
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil


class Usage(NamedTuple):
    cpu_s: float
    rss_bytes: int


def usage(pid: int) -> Usage:
    """User and system time so far, that of children that ended included, and resident memory now."""
    cpu_s, rss = 0.0, 0
    for process in _tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            cpu_s += times.user + times.system + times.children_user + times.children_system
            rss += process.memory_info().rss
    return Usage(cpu_s, rss)


def forget_peak(pid: int) -> None:
    """Let `peak_bytes` count from now on."""
    for process in _tree(pid):
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def peak_bytes(pid: int) -> int:
    """The most memory that was resident; of several processes, the sum of their peaks."""
    found = (re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{p.pid}/status").read_text()) for p in _tree(pid))
    return sum(int(match[1]) * 1024 for match in found if match)


def raise_file_limit() -> int:
    """Let this process and those that it starts open as many files as it may; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _tree(pid: int) -> Iterator[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        yield root
        yield from root.children(recursive=True)
