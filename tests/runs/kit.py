"""Short words for tests of runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from antiphon.hub import Hub
from antiphon.messages import Event
from antiphon.services.runs import CancelReceipt, ManualClock, NewRun, Opened, RunEvent, Runs
from antiphon.services.runs.states import ENDED

LEASE = "a lease of twenty-four c"
OUTCOMES = frozenset(f"run.{status}" for status in ENDED)
DEADLINE_S = 30


class Scene(NamedTuple):
    """One life of a server."""

    hub: Hub
    runs: Runs
    clock: ManualClock

    async def open(self, run_id: str = "r", *, lease: str = LEASE, lease_s: float = 15.0, **wanted: Any) -> Opened:
        new = NewRun(name=wanted.pop("name", "demo"), run_id=run_id, **wanted)
        return await self.runs.open(new, by="ann", lease=lease, lease_s=lease_s)

    async def say(self, *events: RunEvent, run_id: str = "r", lease: str | None = LEASE) -> None:
        await self.runs.say(run_id, events, lease=lease, by="ann")

    async def finish(self, status: Any = "succeeded", *, run_id: str = "r", **facts: Any) -> dict[str, Any]:
        return await self.runs.finish(run_id, status, lease=LEASE, **facts)

    async def cancel(self, run_id: str = "r", reason: str | None = "enough") -> CancelReceipt:
        return await self.runs.cancel(run_id, reason=reason, by="bob")

    async def events(self, run_id: str = "r") -> list[Event]:
        return await log(self.hub, f"run:{run_id}")

    async def types(self, run_id: str = "r") -> list[str]:
        return [event.type for event in await self.events(run_id)]

    async def row(self, run_id: str = "r") -> dict[str, Any]:
        """As published."""
        found: dict[str, Any] = (await self.hub.state("runs")).value[run_id]
        return found

    async def ended(self, run_id: str = "r") -> dict[str, Any]:
        """The published row, once there is an outcome."""
        async with asyncio.timeout(DEADLINE_S):
            await self.runs.result(run_id, timeout_s=DEADLINE_S)
        return await self.row(run_id)

    async def pass_time(self, seconds: float) -> None:
        """Let whoever sleeps lie down first, then move the clock."""
        await settle()
        self.clock.advance(seconds)
        await settle()


async def settle() -> None:
    """Let everything that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(holds: Callable[[], object]) -> None:
    """Step by step of the loop until it holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - tables are published by others, at their own pace
            await asyncio.sleep(0.002)


async def log(hub: Hub, channel: str) -> list[Event]:
    """All that is kept."""
    found: list[Event] = []
    while page := (await hub.history(channel, after=found[-1].offset if found else 0, limit=1000)).events:
        found += page
    return found


def note(text: str = "hello") -> RunEvent:
    return RunEvent("log", {"level": "info", "text": text})


def begin(message_id: str = "m", role: str = "assistant") -> RunEvent:
    return RunEvent("message.open", {"message_id": message_id, "role": role})


def grow(delta: str, message_id: str = "m") -> RunEvent:
    return RunEvent("message.append", {"message_id": message_id, "delta": delta})


def close(message_id: str = "m", status: str = "completed") -> RunEvent:
    return RunEvent("message.close", {"message_id": message_id, "status": status})


def tool(tool_call_id: str = "t", name: str = "search") -> RunEvent:
    return RunEvent("tool.start", {"tool_call_id": tool_call_id, "name": name})


def tool_end(tool_call_id: str = "t", status: str = "succeeded") -> RunEvent:
    return RunEvent("tool.end", {"tool_call_id": tool_call_id, "status": status, "result": 1})
