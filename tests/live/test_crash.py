"""`kill -9` while publishes are in flight, searched by machine, over WebSocket and SSE.

Each sequence is drawn from its own seed. The model is the simplest there is: what was acknowledged, what each
subscriber saw, and in the end the log itself, read page by page.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.live.peers import DEADLINE_S, Rpc, event_stream
from tests.live.real_server import RealServer

SEQUENCES = 40
OPERATIONS = 10
CHANNELS = ("news:a", "news:b")
crossed: Counter[str] = Counter()
CROSSED = ("in flight at the crash", "keys retried after a restart", "resumed", "websocket", "sse")


class Watcher:
    """A subscriber that survives drops and crashes by its cursor alone."""

    def __init__(self, server: RealServer, kind: str, channel: str, start: str) -> None:
        self.kind = kind
        self.channel = channel
        self.seen: dict[int, Any] = {}
        self.cursor: dict[str, Any] | None = None
        self.unannounced = 0  # offsets that were skipped without a word
        self._server = server
        self._start = start
        self._task: asyncio.Task[None] | None = None
        self.moved = asyncio.Condition()

    async def attach(self) -> None:
        assert self._task is None
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        follow = self._follow_socket if self.kind == "websocket" else self._follow_stream
        self._task = asyncio.create_task(follow(ready))
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.wait([ready, self._task], return_when=asyncio.FIRST_COMPLETED)
        crossed["resumed"] += self.cursor is not None and bool(self.seen)

    async def drop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def reach(self, offset: int) -> None:
        """Wait until the subscriber is at or beyond an offset."""
        async with asyncio.timeout(DEADLINE_S), self.moved:
            await self.moved.wait_for(lambda: self.cursor is not None and self.cursor["offset"] >= offset)

    async def _follow_socket(self, ready: asyncio.Future[None]) -> None:
        async with Rpc.connect(self._server.live) as rpc:
            reply = await rpc.call("subscribe", channel=self.channel, after=self.cursor or self._start)
            await self._placed(reply)
            ready.set_result(None)
            while True:
                await self._event(await rpc.next("event"))

    async def _follow_stream(self, ready: asyncio.Future[None]) -> None:
        after = f"{self.cursor['epoch']}:{self.cursor['offset']}" if self.cursor else self._start
        async with event_stream(self._server.url, [self.channel], after) as entries:
            async for name, data, _ in entries:
                if name == "subscribed":
                    await self._placed(data)
                    ready.set_result(None)
                elif name == "message":
                    await self._event(data)

    async def _placed(self, reply: dict[str, Any]) -> None:
        assert reply["recovered"], reply
        async with self.moved:
            self.cursor = {"epoch": reply["epoch"], "offset": reply["after"]}
            self.moved.notify_all()

    async def _event(self, event: dict[str, Any]) -> None:
        assert self.cursor is not None
        async with self.moved:
            self.unannounced += event["offset"] != self.cursor["offset"] + 1
            self.seen[event["offset"]] = event["data"]
            self.cursor["offset"] = event["offset"]
            self.moved.notify_all()


class Sequence:
    """One run of generated operations."""

    def __init__(self, server: RealServer, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.acknowledged: dict[str, dict[int, Any]] = {channel: {} for channel in CHANNELS}
        self.last_key: dict[str, tuple[str, Any]] = {}  # last key and data by channel
        self.watchers: list[Watcher] = []
        self.numbers = iter(range(10**9))

    async def run(self) -> None:
        await self.server.start()
        names = ["publish", "keyed", "watch", "drop", "resume", "crash"]
        operations = [self.random.choice(names) for _ in range(OPERATIONS - 2)] + ["crash", "publish"]
        for name in ["watch", *operations]:
            await getattr(self, name)()
        await self.check()
        await self.server.stop()

    def channel(self) -> str:
        return self.random.choice(CHANNELS)

    async def publish(self) -> None:
        """A pipelined burst, all acknowledged."""
        channel = self.channel()
        async with Rpc.connect(self.server.live) as rpc:
            burst = [next(self.numbers) for _ in range(self.random.randint(1, 40))]
            replies = [await rpc.send("publish", channel=channel, type="n", data=number) for number in burst]
            for number, reply in zip(burst, await asyncio.gather(*replies), strict=True):
                self.acknowledged[channel][reply["result"]["offset"]] = number

    async def keyed(self) -> None:
        channel, data = self.channel(), next(self.numbers)
        self.last_key[channel] = (f"key-{data}", data)
        await self._publish_keyed(channel)

    async def _publish_keyed(self, channel: str) -> None:
        key, data = self.last_key[channel]
        body = {"type": "n", "data": data, "idempotency_key": key}
        async with httpx2.AsyncClient(timeout=DEADLINE_S) as client:
            answer = await client.post(f"{self.server.url}/api/channels/{channel}/events", json=body)
        assert answer.status_code == 201, answer.text
        self.acknowledged[channel][answer.json()["offset"]] = data

    async def watch(self) -> None:
        kind = self.random.choice(["websocket", "sse"])
        watcher = Watcher(self.server, kind, self.channel(), self.random.choice(["start", "now"]))
        self.watchers.append(watcher)
        await watcher.attach()

    async def drop(self) -> None:
        await self.random.choice(self.watchers).drop()

    async def resume(self) -> None:
        watcher = self.random.choice(self.watchers)
        await watcher.drop()
        await watcher.attach()

    async def crash(self) -> None:
        """Kill the server under a burst of publishes, then start it, retry the last keys and resume everybody."""
        async with AsyncExitStack() as stack:
            rpc = await stack.enter_async_context(Rpc.connect(self.server.live))
            flights = []
            for _ in range(self.random.randint(5, 200)):
                channel, number = self.channel(), next(self.numbers)
                flights.append((channel, number, await rpc.send("publish", channel=channel, type="n", data=number)))
            channel, data = self.channel(), next(self.numbers)
            key = f"key-{data}"
            reply = await rpc.send("publish", channel=channel, type="n", data=data, idempotency_key=key)
            self.last_key[channel] = (key, data)
            flights.append((channel, data, reply))
            await asyncio.wait([flights[self.random.randrange(len(flights))][2]])  # somewhere in the middle
            await self.server.kill()
            await asyncio.wait([flight[2] for flight in flights])
        for channel, number, flight in flights:
            if flight.exception() is None:
                self.acknowledged[channel][flight.result()["result"]["offset"]] = number
            else:
                crossed["in flight at the crash"] += 1
        crossed["crashes"] += 1
        await self._recover()

    async def _recover(self) -> None:
        await asyncio.gather(*(watcher.drop() for watcher in self.watchers))
        await self.server.start()
        for channel in self.last_key:
            await self._publish_keyed(channel)
            crossed["keys retried after a restart"] += 1
        for watcher in self.watchers:
            await watcher.attach()

    async def check(self) -> None:
        logs = {channel: await self._log(channel) for channel in CHANNELS}
        for channel, events in self.acknowledged.items():
            for offset, data in events.items():
                assert logs[channel][offset] == data, "acknowledged, but not in the log"
        for channel, (_, data) in self.last_key.items():
            assert list(logs[channel].values()).count(data) == 1, "a retried key was stored twice"
        for watcher in self.watchers:
            if watcher._task is None:
                await watcher.attach()
            await watcher.reach(len(logs[watcher.channel]))
            await watcher.drop()
            crossed[watcher.kind] += len(watcher.seen)
            assert watcher.unannounced == 0, "events were missed or repeated"
            for offset, data in watcher.seen.items():
                assert logs[watcher.channel][offset] == data, "seen, but not in the log"

    async def _log(self, channel: str) -> dict[int, Any]:
        found: dict[int, Any] = {}
        async with Rpc.connect(self.server.live) as rpc:
            while True:
                page = await rpc.call("history", channel=channel, after=len(found), limit=1000)
                found |= {event["offset"]: event["data"] for event in page["events"]}
                if len(found) == page["head"]:
                    assert list(found) == list(range(1, len(found) + 1)), "offsets have holes"
                    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEQUENCES))
async def test_nothing_acknowledged_is_lost_and_nothing_seen_unhappens(seed: int, tmp_path: Path) -> None:
    server = RealServer(tmp_path / "data")
    sequence = Sequence(server, seed)
    try:
        await sequence.run()
    finally:
        for watcher in sequence.watchers:
            await watcher.drop()
        await server.kill()
    if seed == SEQUENCES - 1 and crossed["crashes"] >= SEQUENCES:  # in one process: the search crossed what it names
        assert min(crossed[name] for name in CROSSED), crossed
