"""A subscriber 300 000 events behind with a slow reader gets them all, while 200 live ones stay live."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from antiphon.hub import Start, pulling
from hub.conftest import open_sqlite
from hub.kit import OVERHEAD, CaughtUp, Connection, new

BEHIND = 300_000
LIVE = 200
EVENTS_WHILE_CATCHING_UP = 500
BOUND = 256 << 10
STEP = 48 << 10  # what the slow one reads at a time: less than a page
PAGE = pulling.PAGE_BYTES + pulling.PAGE_EVENTS * OVERHEAD


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_far_behind_and_slow_beside_many_who_are_live(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path) as hub:
        for first in range(0, BEHIND, 1000):
            await hub.publish_many([new("a", n) for n in range(first, first + 1000)])
        live = [Connection(hub, bound_bytes=BOUND) for _ in range(LIVE)]
        for connection in live:
            await connection.subscribe("a")
        slow = Connection(hub, bound_bytes=BOUND)
        slow.stop_reading()
        subscription, reply = await slow.place("a", Start.START)
        assert (reply.after, reply.head) == (0, BEHIND)

        published = 0
        while subscription.cursor < BEHIND + EVENTS_WHILE_CATCHING_UP or slow.queued_bytes:
            await slow.until(lambda: slow.queued_bytes > 0)
            slow.read(STEP)
            if published < EVENTS_WHILE_CATCHING_UP and len(slow.tape) * EVENTS_WHILE_CATCHING_UP > published * BEHIND:
                published += 1
                await hub.publish(new("a", f"live {published}"))
            await asyncio.sleep(0)

        head = BEHIND + EVENTS_WHILE_CATCHING_UP
        assert published == EVENTS_WHILE_CATCHING_UP
        slow.go_on_reading()
        assert slow.offsets("a") == list(range(1, head + 1)), "all, each once, in order"
        assert len(slow.all(CaughtUp)) == 1
        assert slow.peak_bytes <= BOUND + PAGE
        for connection in live:
            await connection.until_offset("a", head)
            assert connection.offsets("a") == list(range(BEHIND + 1, head + 1))
            assert connection.peak_bytes <= BOUND
        assert hub.stats.cuts == 0, "all who were live stayed live"
        assert hub.stats.gaps == 0
        assert hub.stats.pulled >= BEHIND
        assert hub.stats.pages >= BEHIND / pulling.PAGE_EVENTS, "it came in pages, not at once"
        assert hub.stats.deliveries >= LIVE * EVENTS_WHILE_CATCHING_UP
