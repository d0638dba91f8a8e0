"""Counters of the hub; they only grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stats:
    published: int = 0  # events committed
    deliveries: int = 0  # events sent live, counted per subscriber
    flushes: int = 0
    cuts: int = 0  # live subscriptions that went back to pulling because their connection was over its bound
    pages: int = 0  # pages pulled from the log
    pulled: int = 0  # events in them
    gaps: int = 0  # times that a subscriber was told of events that will not come
    trimmed: int = 0  # events forgotten by retention
