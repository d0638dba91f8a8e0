"""What a scenario is: what it may use, and what it tells."""

from __future__ import annotations

import itertools
import shutil
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.delivery.peers import PEERS
from bench.delivery.peers.base import Peer, Running

OURS = "antiphon"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. `met` is None where there is no goal."""

    what: str
    reached: str
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture."""

    group: str
    label: str
    value: float


@dataclass(slots=True)
class Outcome:
    rows: list[Row] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)

    def add(self, what: str, reached: str, goal: str = "", met: bool | None = None) -> None:
        self.rows.append(Row(what, reached, goal, met))
        verdict = {None: "", True: "  yes", False: "  NO"}[met]
        print(f"  {what:74} {reached:44} {goal}{verdict}", flush=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run may use.

    Attributes:
        home: An empty folder for what servers write.
        runs: How often each server is measured; the median counts.
        quick: Small numbers that only show that everything works.
        servers: Names of the servers that are to be had here.
    """

    home: Path
    runs: int
    quick: bool
    servers: Sequence[str]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def sized(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def rounds(self, *names: str) -> Iterator[Peer]:
        """These servers, by default all general ones, as often as there are runs.

        They alternate: what disturbs the machine disturbs all of them.
        """
        wanted = names or [name for name, peer in PEERS.items() if peer.is_general]
        for _ in range(self.runs):
            yield from (PEERS[name] for name in self.servers if name in wanted)

    @contextmanager
    def running(self, peer: Peer) -> Iterator[Running]:
        """A fresh server with a folder of its own."""
        folder = self.home / f"{peer.name}-{next(self._numbers)}"
        with peer.running(folder) as server:
            yield server
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str  # as on the command line
    title: str
    about: str  # what is done, so that a reader can judge the figures
    run: Callable[[Plan], Outcome]


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def ms(us: float) -> str:
    """Microseconds as milliseconds, two digits that mean something."""
    value = us / 1000
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def number(value: float) -> str:
    """Groups of three: 123456 -> 123 456."""
    return f"{value:,.0f}".replace(",", " ")


def kib(value: float) -> str:
    return f"{value / 1024:.1f} KB"


def mib(value: float) -> str:
    return f"{value / 2**20:.0f} MB"
