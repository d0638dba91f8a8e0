"""How fast lines come into the log: from a part of the server, and from programs, through shim and spool."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub
from antiphon.messages import NewEvent
from bench import store
from bench.harness import Benchmark, Figure, Setting, Watch, per_second, thousands
from bench.wire import Wire, serving

EVENTS = 500_000
LINES = 1_000_000  # of one program, or of twenty together
PROGRAMS = 20
WRITER = """
import sys
for first in range(0, int(sys.argv[1]), 100):
    sys.stdout.write("".join(f"{number:09d} INFO took a step and kept its balance, as it has done so often before\\n"
                             for number in range(first, first + 100)))
"""
"""Writes as fast as it can; what it writes is only read as fast as the shim can."""


async def run(setting: Setting) -> AsyncIterator[Figure]:
    events = setting.sized(EVENTS, step=store.BATCH)
    for size in (100, store.BATCH):
        seconds = await publish_many(setting.home / f"batches-of-{size}", events, size)
        yield Figure(f"inside the server, in batches of {size}", per_second(events, seconds, "lines"))
    for programs in (1, PROGRAMS):
        lines = setting.sized(LINES, step=programs * store.BATCH)
        seconds = await through_the_shim(setting.home / f"programs-{programs}", programs, lines // programs)
        what = "one program that writes as fast as it can" if programs == 1 else f"{programs} such programs at once"
        yield Figure(f"{what}, until all is stored", per_second(lines, seconds, "lines"))


async def publish_many(data: Path, events: int, size: int) -> float:
    batches = [
        [NewEvent(store.CHANNEL, "line", store.line(number)) for number in range(first, first + size)]
        for first in range(0, events, size)
    ]
    broker = SqliteBroker(data)
    broker.open()
    async with Hub(broker) as hub:
        watch = Watch()
        for batch in batches:
            await hub.publish_many(batch)
        return watch.seconds


async def through_the_shim(home: Path, programs: int, lines: int) -> float:
    config = settings(home, programs, lines)
    async with serving(home / "data", config=config) as server, Wire.connect(server) as wire:
        watch = Watch()
        for number in range(programs):
            await wire.send("process.start", name=f"writer{number}")
        for _ in range(programs):
            assert (await wire.receive())["result"]["process"]["started_at"]
        for number in range(programs):
            await stored(wire, f"log:writer{number}", lines + 2)  # its start and its end are events too
        return watch.seconds


def settings(home: Path, programs: int, lines: int) -> Path:
    home.mkdir()
    config = home / "antiphon.toml"
    command = f"command = ['{sys.executable}', '-I', '-S', '-c', '''{WRITER}''', '{lines}']"
    config.write_text("".join(f"[process.writer{number}]\n{command}\n" for number in range(programs)))
    return config


async def stored(wire: Wire, channel: str, offset: int) -> None:
    """Wait until the channel has this event."""
    await wire.send("subscribe", channel=channel)
    while True:
        message = await wire.receive()
        reached = message["result"]["head"] if "result" in message else message["params"]["offset"]
        if reached >= offset:
            break
    await wire.send("unsubscribe", channel=channel)
    while "result" not in await wire.receive() or reached < offset:
        pass


BENCHMARK = Benchmark(
    "ingestion",
    "Ingestion",
    f"Lines of about 100 characters. Inside the server: {thousands(EVENTS)} lines by `publish_many`, one "
    f"transaction and one fsync for each batch. Programs: {thousands(LINES)} lines together, from the first start "
    "until the last line is committed; the programs, their shims and the server share the machine's cores.",
    run,
)
