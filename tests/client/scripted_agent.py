"""An agent without a model: it says what it always says, at a steady pace. `python scripted_agent.py RUN_ID`."""

from __future__ import annotations

import asyncio
import sys

import antiphon

WORDS = 400
CALLS = 30
PACE_S = 0.003


async def work(run: antiphon.Run) -> None:
    """Speak, call tools, keep a state and a log, each in small pieces."""
    async with run.message() as message:
        for number in range(WORDS):
            await message.append(f"word-{number} ")
            if number % 10 == 0:
                await run.log(f"at word {number}")
                async with run.state.edit() as state:
                    state.setdefault("words", []).append(number)
            await asyncio.sleep(PACE_S)
    async with run.tool("count", tool_call_id="count") as tool:
        for number in range(WORDS):
            await tool.args(f"{number},")
            await asyncio.sleep(PACE_S)
        await tool.result(WORDS)
    for call in range(CALLS):
        async with run.tool("step", {"call": call}, tool_call_id=f"step-{call}") as tool, run.state.edit() as state:
            state["last"] = {"call": call}
            await tool.result({"call": call})
    await run.result({"words": WORDS})


async def main(run_id: str) -> None:
    async with antiphon.connect() as live, live.run("scripted", run_id=run_id, lease_s=5) as run:
        print("open", flush=True)
        await work(run)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
