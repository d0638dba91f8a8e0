"""Follow this machine: load, processor, memory and disk, one coloured line every two seconds.

    python3 load.py [--every SECONDS]

Crossing a threshold is told on stderr, once on the way up and once on the way down.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import NamedTuple

GREEN, YELLOW, RED, PLAIN = "\033[32m", "\033[33m", "\033[31m", "\033[0m"
GIB = 2**30
WARN, ALARM = 75.0, 90.0  # percent


class Reading(NamedTuple):
    """One gauge at one moment."""

    name: str
    percent: float
    text: str


class CpuTimes(NamedTuple):
    """Ticks since boot, from the first line of /proc/stat."""

    busy: int
    total: int


def read_cpu(stat: str) -> CpuTimes:
    """Parse /proc/stat; idle and waiting for disks is not busy."""
    ticks = [int(word) for word in stat.splitlines()[0].split()[1:9]]
    return CpuTimes(sum(ticks) - ticks[3] - ticks[4], sum(ticks))


def busy_percent(before: CpuTimes, after: CpuTimes) -> float:
    """How busy all processors together were between two moments."""
    passed = after.total - before.total
    return 100 * (after.busy - before.busy) / passed if passed > 0 else 0.0


def read_memory(meminfo: str) -> tuple[int, int]:
    """Used and total bytes from /proc/meminfo; what can be freed at once counts as free."""
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in meminfo.splitlines() if line}
    return sizes["MemTotal"] - sizes["MemAvailable"], sizes["MemTotal"]


def level(percent: float) -> str:
    """The colour of a reading."""
    return RED if percent >= ALARM else YELLOW if percent >= WARN else GREEN


class Gauges:
    """Reads this machine; what it does not tell (macOS has no /proc) is left out."""

    def __init__(self, disk: Path = Path("/")) -> None:
        self._disk = disk
        self._proc = Path("/proc")
        self._cpu = self._cpu_times()

    def _cpu_times(self) -> CpuTimes | None:
        stat = self._proc / "stat"
        return read_cpu(stat.read_text()) if stat.exists() else None

    def read(self) -> Iterator[Reading]:
        """All gauges now; `cpu` covers the time since the last reading."""
        load, cores = os.getloadavg()[0], os.cpu_count() or 1
        yield Reading("load", 100 * load / cores, f"{load:.2f} of {cores}")
        before, self._cpu = self._cpu, self._cpu_times()
        if before is not None and self._cpu is not None:
            percent = busy_percent(before, self._cpu)
            yield Reading("cpu", percent, f"{percent:.0f} %")
        meminfo = self._proc / "meminfo"
        if meminfo.exists():
            used, total = read_memory(meminfo.read_text())
            yield Reading("memory", 100 * used / total, f"{used / GIB:.1f} of {total / GIB:.1f} GiB")
        disk = shutil.disk_usage(self._disk)
        yield Reading("disk", 100 * disk.used / disk.total, f"{disk.free / GIB:.0f} GiB free")


def crossings(loud: set[str], readings: list[Reading]) -> Iterator[str]:
    """What to warn about; `loud` holds the gauges over their threshold and is brought up to date."""
    for reading in readings:
        if reading.percent >= ALARM and reading.name not in loud:
            loud.add(reading.name)
            yield f"warning: {reading.name} at {reading.percent:.0f} % ({reading.text}), over {ALARM:.0f} %"
        elif reading.percent < WARN and reading.name in loud:
            loud.discard(reading.name)
            yield f"{reading.name} is back at {reading.percent:.0f} %"


def line(readings: list[Reading]) -> str:
    """All gauges side by side."""
    return "  ".join(f"{reading.name} {level(reading.percent)}{reading.text}{PLAIN}" for reading in readings)


def main() -> int:
    parser = argparse.ArgumentParser(description="Follow this machine's load.")
    parser.add_argument("--every", type=float, default=2.0, metavar="SECONDS")
    options = parser.parse_args()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gauges, loud = Gauges(), set[str]()
    while not stop.wait(options.every):
        readings = list(gauges.read())
        print(line(readings), flush=True)
        for warning in crossings(loud, readings):
            print(warning, file=sys.stderr, flush=True)
    print("stopped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
