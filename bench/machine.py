"""Facts about the machine that figures depend on; nothing that tells whose machine it is."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

SYNCS = 50


def facts() -> Iterator[tuple[str, str]]:
    """Name and value of each fact."""
    yield "processor", f"{_processor()}, {os.cpu_count()} cores"
    yield "memory", f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    yield "system", f"{platform.system()} {platform.release().split('-')[0]}"
    yield "Python", platform.python_version()
    yield "SQLite", sqlite3.sqlite_version
    yield "load when it began", f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def sync_ms(home: Path) -> float:
    """Milliseconds that an fsync takes after 4 KiB on the disk of `home`: the least that a durable publish costs."""
    samples = []
    with (home / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            samples.append(time.perf_counter() - began)
    return statistics.median(samples) * 1000
