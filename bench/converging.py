"""Many viewers of a big state that changes all the time: all come to the same, from a small part of the bytes."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import websockets

from bench.harness import Benchmark, Figure, Setting, Watch
from bench.wire import Wire, serving

KEYS = 10_000
CHANGES_PER_S = 2000
OPS = 20  # in one event
VIEWERS = 200
LATE = 10  # of them, who come in the middle
SECONDS = 10
LEASE = "the-lease-of-a-benchmark"


class Viewer:
    """Follows a run's state by applying what comes."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.state: dict[str, Any] = {}
        self.offset = 0
        self.bytes = 0  # of events
        self._socket = socket

    async def begin(self, channel: str, after: Any = "now") -> bool:
        """Subscribe; whether the cursor could be continued. One round trip, whatever the cursor was."""
        params = {"channel": channel, "after": after}
        await self._socket.send(
            orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": params}), text=True
        )
        while "id" not in (message := orjson.loads(await self._socket.recv())):
            pass
        reply = message["result"]
        self.offset = reply["after"]
        if "state" in reply:
            self.state = reply["state"]["value"]
        return bool(reply["recovered"])

    async def follow(self, upto: int) -> None:
        """Apply everything up to an offset."""
        while self.offset < upto:
            text = await self._socket.recv(decode=False)
            self.bytes += len(text)
            offset, ops = _event(text)
            if offset == 0:
                continue
            assert offset == self.offset + 1, f"{offset} after {self.offset}"
            self.offset = offset
            for name, value in ops:
                self.state[name] = value

    @property
    def digest(self) -> str:
        return digest(self.state)


@lru_cache(maxsize=1000)  # all viewers get the same bytes
def _event(text: bytes) -> tuple[int, list[tuple[str, Any]]]:
    """Offset and changes; 0 for what is no event."""
    message = orjson.loads(text)
    if message["method"] != "event":
        return 0, []
    ops = message["params"]["data"].get("ops", [])
    return message["params"]["offset"], [(op["path"][1:], op["value"]) for op in ops]


def digest(state: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    digests: set[str]  # of the server and of all viewers
    healed: bool  # who came with a dead cursor was given the state in the same reply
    share: float  # of what broadcasting the whole state at each change would have cost
    behind_s: float  # how long after the last change had been acknowledged the last viewer had it


async def converge(live: str, *, viewers: int, seconds: float) -> Outcome:
    """Change a run's state for so long while so many look on.

    Args:
        live: The URL of `/live`.
    """
    chance = random.Random(1)
    async with AsyncExitStack() as stack:
        owner = Wire(await _socket(stack, live))
        await owner.receive()
        run_id = (await owner.call("run.open", name="board", lease=LEASE, lease_s=60))["run_id"]
        channel = f"run:{run_id}"
        for first in range(0, KEYS, 500):
            await _change(owner, run_id, [(f"k{number}", number) for number in range(first, first + 500)])
        early = [Viewer(await _socket(stack, live)) for _ in range(viewers - LATE)]
        await asyncio.gather(*(viewer.begin(channel) for viewer in early))
        events = int(seconds * CHANGES_PER_S / OPS)
        last = early[0].offset + events
        async with asyncio.TaskGroup() as tasks:
            for viewer in early:
                tasks.create_task(viewer.follow(last))
            late = tasks.create_task(_come_late(stack, live, channel, last, after_s=seconds / 2))
            await _keep_changing(owner, run_id, events, chance)
            watch = Watch()
        behind_s = watch.seconds
        reply = await owner.call("state", channel=channel)
        healed = await _heal(stack, live, channel)
        await owner.call("run.finish", run_id=run_id, lease=LEASE, status="succeeded")
    state = reply["value"]
    digests = {digest(state), healed.digest, *(viewer.digest for viewer in (*early, *late.result()))}
    whole = len(orjson.dumps(state)) * events * OPS
    return Outcome(digests, healed.offset >= last, max(viewer.bytes for viewer in early) / whole, behind_s)


async def _socket(stack: AsyncExitStack, live: str) -> websockets.ClientConnection:
    connecting = websockets.connect(live, max_size=None, max_queue=None, compression=None)
    return await stack.enter_async_context(connecting)


async def _change(owner: Wire, run_id: str, changes: list[tuple[str, Any]]) -> None:
    ops = [{"op": "add", "path": f"/{name}", "value": value} for name, value in changes]
    events = [{"type": "state.patch", "data": {"ops": ops}}]
    await owner.call("run.emit", run_id=run_id, lease=LEASE, events=events)


async def _keep_changing(owner: Wire, run_id: str, events: int, chance: random.Random) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in itertools.islice(itertools.count(), events):
        await asyncio.sleep(began + number * OPS / CHANGES_PER_S - loop.time())
        await _change(owner, run_id, [(f"k{chance.randrange(KEYS)}", chance.randrange(10**6)) for _ in range(OPS)])


async def _come_late(stack: AsyncExitStack, live: str, channel: str, upto: int, *, after_s: float) -> list[Viewer]:
    await asyncio.sleep(after_s)
    viewers = [Viewer(await _socket(stack, live)) for _ in range(LATE)]
    for viewer in viewers:
        await viewer.begin(channel)
    await asyncio.gather(*(viewer.follow(upto) for viewer in viewers))
    return viewers


async def _heal(stack: AsyncExitStack, live: str, channel: str) -> Viewer:
    """Somebody whose cursor is of a life of the store that is over."""
    viewer = Viewer(await _socket(stack, live))
    assert not await viewer.begin(channel, {"epoch": "gone", "offset": 5})
    return viewer


async def run(setting: Setting) -> AsyncIterator[Figure]:
    viewers, seconds = max(LATE + 1, setting.sized(VIEWERS)), max(0.5, SECONDS * setting.part)
    async with serving(setting.home / "data") as server:
        found = await converge(server.live, viewers=viewers, seconds=seconds)
    yield Figure("different states at the end, among the server and all viewers", str(len(found.digests) - 1), "0")
    yield Figure("bytes, of what the whole state at each change would be", f"{found.share:.3%}", "<= 5 %")
    yield Figure("from the last answer to the owner until all have seen it", f"{found.behind_s * 1000:.0f} ms")


BENCHMARK = Benchmark(
    "converging",
    "A big state",
    f"A run whose state has {KEYS} keys changes {CHANGES_PER_S} of them a second, {OPS} in one event, while {VIEWERS} "
    f"viewers apply what they are sent. {LATE} of them come in the middle, one with a cursor of an older store.",
    run,
)
