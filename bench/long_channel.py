"""A channel of a million lines: its last screen, and searching it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import httpx2

from bench import store
from bench.harness import Benchmark, Figure, Setting, Watch, milliseconds, thousands, timed
from bench.wire import Server, Wire, serving

LINES = 1_000_000
SCREEN = 200
TIMES = 20


async def run(setting: Setting) -> AsyncIterator[Figure]:
    lines = setting.sized(LINES, step=store.BATCH)
    data = setting.home / "data"
    await store.fill(data, lines)
    async with serving(data) as server, Wire.connect(server) as wire:
        yield Figure("last screen over WebSocket, first time after the start", await screen(wire, 1), "< 200 ms")
        yield Figure("last screen over WebSocket", await screen(wire, TIMES), "< 200 ms")
        yield Figure("last screen over HTTP", await screen_over_http(server), "< 200 ms")
        for kind, text in (("frequent", store.FREQUENT), ("rare", store.RARE), ("absent", store.ABSENT)):
            search = partial(wire.call, "search", channel=store.CHANNEL, text=text)
            yield Figure(
                f"first answer of a search, {kind} word", milliseconds(await timed(search, times=TIMES)), "< 300 ms"
            )
        for kind, text in (("frequent", store.FREQUENT), ("absent", store.ABSENT)):
            counted, slices, seconds = await count(wire, text)
            what = f"all {thousands(lines)} lines counted, {kind} word: {thousands(counted)} found"
            yield Figure(what, f"{milliseconds([seconds])} in {slices} slices", "< 1 s")


async def screen(wire: Wire, times: int) -> str:
    return milliseconds(await timed(partial(wire.call, "history", channel=store.CHANNEL, limit=SCREEN), times=times))


async def screen_over_http(server: Server) -> str:
    async with httpx2.AsyncClient(base_url=server.url) as client:
        work = partial(client.get, f"/api/channels/{store.CHANNEL}/events", params={"limit": SCREEN})
        return milliseconds(await timed(work, times=TIMES))


async def count(wire: Wire, text: str) -> tuple[int, int, float]:
    """All matches, the slices that it took, and the seconds."""
    watch, found, slices = Watch(), 0, 0
    query = {"channel": store.CHANNEL, "text": text, "limit": 0}
    while True:
        answer = await wire.call("search", **query)
        found += answer["count"]
        slices += 1
        if answer["complete"]:
            return found, slices, watch.seconds
        query["before"] = answer["scanned_to"]


BENCHMARK = Benchmark(
    "long-channel",
    "A channel of a million lines",
    f"A log of {thousands(LINES)} lines of about 100 characters. A screen is the newest {SCREEN} lines, read and "
    "decoded. One word is in every tenth line, one only in the oldest, one in none; a search answers in slices, "
    "and counting goes on until all lines were looked at.",
    run,
)
