"""From nothing to the first answer, with an empty store and with a long one."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from bench import store
from bench.harness import Benchmark, Figure, Setting, Watch, milliseconds, thousands
from bench.wire import Server

TIMES = 5
LINES = 1_000_000


async def run(setting: Setting) -> AsyncIterator[Figure]:
    empty = [await start(setting.home / f"empty-{number}", signal.SIGTERM) for number in range(TIMES)]
    yield Figure("cold start, a new data directory", milliseconds(empty))
    data, lines = setting.home / "long", setting.sized(LINES, step=store.BATCH)
    await store.fill(data, lines)
    for name, number in (("an orderly stop", signal.SIGTERM), ("`kill -9`", signal.SIGKILL)):
        await start(data, number)  # so that the first of the samples follows such an end too
        samples = [await start(data, number) for _ in range(TIMES)]
        yield Figure(f"start after {name}, {thousands(lines)} lines", milliseconds(samples))


async def start(data: Path, end: signal.Signals) -> float:
    """Seconds until the store has answered a request; then the server is ended."""
    watch = Watch()
    server = await Server.start(data)
    async with httpx2.AsyncClient(base_url=server.url) as client:
        answer = await client.get(f"/api/channels/{store.CHANNEL}/events")
        seconds = watch.seconds
        assert answer.status_code == 200
    await server.end(end)
    return seconds


BENCHMARK = Benchmark(
    "starting",
    "Starting",
    "From starting the Python interpreter until the answer to a first HTTP request for the newest lines has arrived.",
    run,
)
