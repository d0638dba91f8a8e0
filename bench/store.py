"""Long channels, written straight into a store that nobody serves yet."""

from __future__ import annotations

from pathlib import Path

import orjson

from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub, Keep
from antiphon.messages import NewEvent

CHANNEL = "log:long"
BATCH = 1000
FREQUENT, RARE, ABSENT = "request", "meltdown", "unicorn"
EVERYTHING = {"*": Keep(max_events=None)}


def line(number: int) -> bytes:
    """A line of usual length. Every tenth is frequent; of the rare ones there is one, the oldest."""
    text = f"{number:09d} INFO worker-{number % 8} took a step and kept its balance, as it has done before"
    if number % 10 == 0:
        text += f" {FREQUENT}"
    if number == 0:
        text += f" {RARE}"
    return orjson.dumps({"text": text, "stream": "stdout"})


async def fill(data: Path, lines: int) -> None:
    """Write a channel of so many lines (a multiple of BATCH)."""
    broker = SqliteBroker(data, synchronous="off")
    broker.open()
    async with Hub(broker, keep=EVERYTHING) as hub:
        for first in range(0, lines, BATCH):
            await hub.publish_many([NewEvent(CHANNEL, "line", line(number)) for number in range(first, first + BATCH)])
