"""Counters and histograms of the hub; they only grow."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
SIZES = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536)


class Histogram:
    """How often a value fell below each bound."""

    __slots__ = ("bounds", "count", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last one: beyond all bounds
        self.count = 0
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.count += 1
        self.total += value


@dataclass(slots=True)
class Stats:
    published: int = 0  # events committed
    deliveries: int = 0  # events sent live, counted per subscriber
    flushes: int = 0  # ticks of the clock that had something to send
    cuts: int = 0  # live subscriptions that went back to pulling because their connection was over its bound
    pages: int = 0  # pages pulled from the log
    pulled: int = 0  # events in them
    gaps: int = 0  # times that a subscriber was told of events that will not come
    trimmed: int = 0  # events forgotten by retention
    commit_s: Histogram = field(default_factory=lambda: Histogram(SECONDS))  # storing one batch
    flush_s: Histogram = field(default_factory=lambda: Histogram(SECONDS))  # sending one batch of a channel to all
    flush_size: Histogram = field(default_factory=lambda: Histogram(SIZES))  # its deliveries
    write_s: Histogram = field(default_factory=lambda: Histogram(SECONDS))  # from submission to the last socket
