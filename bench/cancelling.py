"""Cancelling runs of another process at random points, over a network that is cut from time to time."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

import antiphon
from bench.harness import Benchmark, Figure, Setting
from bench.relay import Relay
from bench.wire import serving

CANCELS = 1000
LATEST_S = 0.3  # after the beginning of a run
CUT_EVERY_S = 1.5
AWAY_S = 0.1


@dataclass(slots=True)
class Victim:
    """What is known of one run; times are those of `time.monotonic`, which all processes share."""

    place: str
    asked_at: float = 0.0
    receipt_at: float = 0.0
    interrupted_at: float | None = None
    left_with: str | None = None


@dataclass(slots=True)
class Found:
    """What came out: figures, and what must not be."""

    victims: dict[str, Victim] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)

    @property
    def receipts_s(self) -> list[float]:
        return [victim.receipt_at - victim.asked_at for victim in self.victims.values()]

    @property
    def away(self) -> int:
        """Cancels that were asked for while the agent had just lost its connection."""
        return sum(any(0 <= victim.asked_at - cut <= AWAY_S for cut in self.cuts) for victim in self.victims.values())

    @property
    def interrupts_s(self) -> list[float]:
        found = ((victim.interrupted_at, victim.asked_at) for victim in self.victims.values())
        return [at - asked for at, asked in found if at is not None]


async def cancel_runs(url: str, count: int, seed: int) -> Found:
    """Let an agent in another process begin `count` runs on the server at `url`, and cancel each."""
    found, chance = Found(), random.Random(seed)
    port = urlsplit(url).port
    assert port is not None
    async with Relay(port) as relay, antiphon.connect(url) as live:
        command = [sys.executable, "-m", "bench.agent", f"http://127.0.0.1:{relay.port}", str(count), str(seed)]
        agent = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        cutting = asyncio.create_task(_cut(relay))
        try:
            await _watch(agent, live, found, chance)
        finally:
            cutting.cancel()
            found.cuts = relay.cuts
            if agent.returncode is None:
                agent.kill()
            await agent.wait()
        for run_id, victim in found.victims.items():
            await _check(live, run_id, victim, found)
    if len(found.victims) != count:
        found.wrong.append(f"{len(found.victims)} of {count} runs began")
    return found


async def _cut(relay: Relay) -> None:
    while True:
        await asyncio.sleep(CUT_EVERY_S)
        relay.cut()


async def _watch(agent: asyncio.subprocess.Process, live: Any, found: Found, chance: random.Random) -> None:
    """Read what the agent tells, and cancel each run that has begun."""
    assert agent.stdout is not None
    async with asyncio.TaskGroup() as tasks:
        async for line in agent.stdout:
            told = orjson.loads(line)
            match told["what"]:
                case "begun":
                    victim = found.victims[told["run_id"]] = Victim(told["place"])
                    tasks.create_task(_cancel(live, told["run_id"], victim, chance.uniform(0, LATEST_S)))
                case "interrupted":
                    found.victims[told["run_id"]].interrupted_at = told["at"]
                case "left" if told["run_id"]:
                    found.victims[told["run_id"]].left_with = told["error"]


async def _cancel(live: Any, run_id: str, victim: Victim, after_s: float) -> None:
    await asyncio.sleep(after_s)
    victim.asked_at = time.monotonic()
    await live.request("run.cancel", {"run_id": run_id, "reason": "enough"})
    victim.receipt_at = time.monotonic()


async def _check(live: Any, run_id: str, victim: Victim, found: Found) -> None:
    if victim.interrupted_at is None:
        found.wrong.append(f"{run_id} {victim.place}: its code saw nothing")
    if victim.left_with != "RunCancelled":
        found.wrong.append(f"{run_id} {victim.place}: left with {victim.left_with}")
    row = (await live.request("run.get", {"run_id": run_id}))["run"]
    newest = (await live.request("history", {"channel": f"run:{run_id}", "limit": 1000}))["events"]
    outcomes = [event["type"] for event in newest if event["type"].removeprefix("run.") == row["status"]]
    if row["status"] != "cancelled" or newest[-1]["type"] != "run.cancelled" or len(outcomes) != 1:
        found.wrong.append(f"{run_id} {victim.place}: {row['status']}, last {newest[-1]['type']}")


def ninety_nine(samples: list[float]) -> str:
    ordered = sorted(samples)
    middle, late = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{middle * 1000:.1f} ms, p99 {late * 1000:.1f} ms, worst {ordered[-1] * 1000:.0f} ms"


async def run(setting: Setting) -> AsyncIterator[Figure]:
    async with serving(setting.home / "data") as server:
        found = await cancel_runs(server.url, setting.sized(CANCELS), seed=1)
    yield Figure("from asking to the receipt", ninety_nine(found.receipts_s))
    yield Figure("from asking to CancelledError in the agent", ninety_nine(found.interrupts_s))
    yield Figure(f"of {len(found.victims)} cancels, within {AWAY_S:g} s after a cut", str(found.away))
    yield Figure("runs that did not end as cancelled, or whose code did not see it", str(len(found.wrong)), "0")


BENCHMARK = Benchmark(
    "cancelling",
    "Cancelling",
    "An agent in another process has 16 runs under way; each is cancelled within 0.3 s: before its first token, in a "
    "message, inside a tool, while a question is open. The agent's connection is cut every 1.5 s, and comes back.",
    run,
)
