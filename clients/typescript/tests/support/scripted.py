"""What the tests have the real server run: runs that say what they are told, and wait where they are told."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict

from antiphon import Run

gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)


async def open_gate(run: Run, gate: str) -> str:  # noqa: ARG001 - a runnable is given its run
    """Let the run go on that waits here, or will."""
    gates[gate].set()
    return gate


async def story(run: Run, prompt: str) -> str:
    """Say so many `pieces`, in the middle of them wait at the `gate`, if there is one, and call a tool at the end.

    The prompt is JSON: `{"pieces": 400, "gate": "g1"}`.
    """
    told = json.loads(prompt)
    async with run.message(role="assistant") as message:
        for place in range(told["pieces"]):
            if place == told["pieces"] // 2 and "gate" in told:
                await gates[told["gate"]].wait()
            await message.append(f"{place}·é🫖\n")
            if place % 10 == 0:
                await run.progress(place / told["pieces"])  # otherwise what is said at once is one event
    async with run.tool("clock", {"zone": "UTC"}) as tool:
        await tool.result("noon")
    return "told"


async def asks(run: Run, prompt: str) -> str:
    """Ask which tea, then have it approved; say what was answered."""
    tea = await run.ask(prompt, options=["green", "black"])
    order = await run.approve("Order it?", {"tea": tea, "cups": 1})
    async with run.message(role="assistant") as message:
        await message.append(json.dumps([tea, order.action, order.value]))
    return tea
