"""Large and small channels side by side; one write per connection and flush."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.hub.kit import DEADLINE_S, Connection, new, publish

from antiphon.brokers.memory import MemoryBroker
from antiphon.hub import Hub, Start, pulling
from antiphon.messages import Event


async def test_a_small_channel_does_not_wait_for_a_large_one() -> None:
    async with Hub(MemoryBroker()) as hub:
        crowd = [Connection(hub) for _ in range(20_000)]
        for connection in crowd:
            await connection.subscribe("large")
        small = Connection(hub)
        await small.subscribe("small")
        waiting_when_small_arrived: list[int] = []
        deliver = small.send

        def arrived(parts: object) -> None:
            waiting_when_small_arrived.append(sum(not connection.offsets("large") for connection in crowd))
            deliver(parts)  # type: ignore[arg-type]

        small.send = arrived  # type: ignore[assignment, method-assign]
        large = hub.submit(new("large"))
        await large
        await crowd_started(crowd)
        await hub.publish(new("small"))
        await small.until_offset("small", 1)
        for connection in crowd:
            await connection.until_offset("large", 1)
        assert waiting_when_small_arrived[0] > 0, "the small one came while the large one was still being written"


async def crowd_started(crowd: list[Connection]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not any(connection.offsets("large") for connection in crowd):  # noqa: ASYNC110 - the loop is what we watch
            await asyncio.sleep(0)


async def test_many_busy_channels_are_one_write() -> None:
    async with Hub(MemoryBroker()) as hub:
        connections = [Connection(hub) for _ in range(50)]
        names = [f"busy:{number}" for number in range(40)]
        for connection in connections:
            for name in names:
                await connection.subscribe(name)
        before = [connection.writes for connection in connections]
        await hub.publish_many([new(name) for name in names])
        for connection in connections:
            for name in names:
                await connection.until_offset(name, 1)
        assert [connection.writes - wrote for connection, wrote in zip(connections, before, strict=True)] == [1] * 50


async def test_what_comes_during_a_flush_is_the_next_batch() -> None:
    async with Hub(MemoryBroker()) as hub:
        crowd = [Connection(hub) for _ in range(3000)]
        for connection in crowd:
            await connection.subscribe("a")
        for _ in range(30):
            await publish(hub, "a", 7)
            late = Connection(hub)  # joins in the middle of flushes
            await late.subscribe("a")
            crowd.append(late)
            gone = crowd.pop(0)
            gone.drop()
            left = gone.offsets("a")
            assert left == list(range(left[0], left[0] + len(left))) if left else True
        head = (await hub.history("a", limit=1)).head
        for connection in crowd[:-1]:
            await connection.until_offset("a", head)
            offsets = connection.offsets("a")
            assert offsets == list(range(offsets[0], head + 1)), "contiguous from where it joined"


async def test_after_unsubscribing_nothing_gathered_follows() -> None:
    async with Hub(MemoryBroker()) as hub:
        crowd = [Connection(hub) for _ in range(5000)]
        for connection in crowd:
            await connection.subscribe("a")
        await hub.publish(new("a"))
        for connection in crowd[::7]:
            connection.outlet.unsubscribe("a")
            connection.outlet.release()  # what a reply does before it is sent
            connection.tape.append("unsubscribed")
        await crowd[1].until_offset("a", 1)
        await hub.publish(new("a"))
        for connection in crowd[1::7]:
            await connection.until_offset("a", 2)
        assert all(connection.tape[-1] == "unsubscribed" for connection in crowd[::7])


async def test_a_crowd_that_comes_back_reads_each_page_once() -> None:
    broker = MemoryBroker()
    async with Hub(broker) as hub:
        await publish(hub, "a", 3000)
        reads = 0
        read = broker.read

        async def counted(*args: Any, **kwargs: Any) -> list[Event]:
            nonlocal reads
            reads += 1
            return await read(*args, **kwargs)

        broker.read = counted  # type: ignore[method-assign]
        crowd = [Connection(hub) for _ in range(200)]
        for connection in crowd:
            await connection.subscribe("a", Start.START)
        for connection in crowd:
            await connection.until_offset("a", 3000)
            assert connection.offsets("a") == list(range(1, 3001))
        pages = 3000 // pulling.PAGE_EVENTS
        assert reads <= pages + pulling.WORKERS * pages, "at most once by each worker that looked at the same time"
