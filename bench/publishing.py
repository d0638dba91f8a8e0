"""Durable publishes over WebSocket: every answer means that the event is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bench.harness import Benchmark, Figure, Setting, Watch, per_second, thousands
from bench.wire import Server, Wire, serving

PIPELINED = 50_000
WINDOW = 1000  # publishes under way at a time
PUBLISHERS = 64
EACH = 500
EVENT = {"channel": "news:tea", "type": "speech", "data": {"text": "x" * 150}}


async def run(setting: Setting) -> AsyncIterator[Figure]:
    async with serving(setting.home / "data") as server:
        count = setting.sized(PIPELINED, step=WINDOW)
        yield Figure("1 publisher, pipelined", per_second(count, await pipelined(server, count), "publishes"))
        each = setting.sized(EACH)
        for publishers in (1, PUBLISHERS):
            seconds = await one_by_one(server, publishers, each)
            what = f"{publishers} publisher{'s' * (publishers > 1)}, each waiting for every answer"
            yield Figure(what, per_second(publishers * each, seconds, "publishes"))


async def pipelined(server: Server, count: int) -> float:
    async with Wire.connect(server) as wire:
        room = asyncio.Semaphore(WINDOW)

        async def listen() -> None:
            for _ in range(count):
                assert "result" in await wire.receive()
                room.release()

        watch = Watch()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listen())
            for _ in range(count):
                await room.acquire()
                await wire.send("publish", **EVENT)
        return watch.seconds


async def one_by_one(server: Server, publishers: int, each: int) -> float:
    async def publish(wire: Wire) -> None:
        for _ in range(each):
            await wire.call("publish", **EVENT)

    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(Wire.connect(server)) for _ in range(publishers)]
        watch = Watch()
        await asyncio.gather(*(publish(wire) for wire in wires))
        return watch.seconds


BENCHMARK = Benchmark(
    "publishing",
    "Durable publishes",
    "Events of 200 bytes over WebSocket, each acknowledged after its commit with `synchronous = full`; where they "
    f"are pipelined, {thousands(WINDOW)} are under way at a time. The publishers are one Python process, which "
    "takes about as much of the machine as the server does.",
    run,
)
