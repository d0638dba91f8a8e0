"""What a benchmark is, and how its samples become a figure that can be read."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, what came out, what we want (empty: no goal)."""

    what: str
    measured: str
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a benchmark may use.

    Attributes:
        home: An empty directory on the disk that is measured.
        part: 1.0 = the sizes that the documentation tells; less for a try.
    """

    home: Path
    part: float = 1.0

    def sized(self, count: int, *, step: int = 1) -> int:
        """That many, or a part of it; a multiple of `step`."""
        return max(step, int(count * self.part) // step * step)


@dataclass(frozen=True, slots=True)
class Benchmark:
    name: str  # as on the command line
    title: str
    about: str  # what is done, so that a reader can judge the figures
    run: Callable[[Setting], AsyncIterator[Figure]]


class Watch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began


async def timed(work: Callable[[], Awaitable[object]], *, times: int) -> list[float]:
    """How many seconds the work took, each time."""
    samples = []
    for _ in range(times):
        watch = Watch()
        await work()
        samples.append(watch.seconds)
    return samples


def milliseconds(samples: Sequence[float]) -> str:
    """The middle and the worst of some durations."""
    text = f"{_rounded(statistics.median(samples) * 1000)} ms"
    return text if len(samples) == 1 else f"{text}, worst of {len(samples)}: {_rounded(max(samples) * 1000)} ms"


def per_second(count: int, seconds: float, what: str) -> str:
    return f"{thousands(count / seconds)} {what}/s"


def thousands(number: float) -> str:
    """Three digits that mean something, groups of three: 123 456 -> 123 000."""
    digits = max(0, len(str(int(number))) - 3)
    return f"{round(number / 10**digits) * 10**digits:,}".replace(",", " ")


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"
