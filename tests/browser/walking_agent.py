"""An agent in a process of its own that says the same in every walk: `python walking_agent.py RUN_ID MEETINGS`.

At each meeting it waits for a line on its standard input; what happens while it goes on is up to whoever writes it.
"""

from __future__ import annotations

import asyncio
import sys

import antiphon
from antiphon.client.run.growing import RunMessage, RunTool

STEPS = 20  # between two meetings
PACE_S = 0.004
PARTS = (
    "Fujian's exports rose **41 %**, ",
    "Yunnan's 23 %;\n\n- *buyers* moved to `Shanghai`,\n- ",
    "the [cold chain](https://example.com/chain) reached the coast ☕,\n- and so on.\n\n",
)


async def step(run: antiphon.Run, number: int, message: RunMessage, tool: RunTool) -> None:
    await message.append(f"{number}: {PARTS[number % len(PARTS)]}")
    await tool.args(f"{'[' if number == 0 else ','}{number}")
    async with run.state.edit() as state:
        state["at"] = number
        state.setdefault("tens", {})[f"t{number // 10}"] = {"last": number, "word": f"wörd {number}"}
    if number % 5 == 0:
        await run.log(f"at {number}", "warning" if number % 2 else "info", logger="walker")


async def walk(run: antiphon.Run, meetings: int) -> None:
    loop = asyncio.get_running_loop()
    async with run.message() as message, run.tool("survey", tool_call_id="survey") as tool:
        for number in range(STEPS * (meetings + 1)):
            if number % STEPS == 0 and number > 0:
                await loop.run_in_executor(None, sys.stdin.readline)
            await step(run, number, message, tool)
            await asyncio.sleep(PACE_S)
        await tool.args("]")
        await tool.result({"steps": STEPS * (meetings + 1)})
    await run.result({"walked": meetings})


async def main(run_id: str, meetings: int) -> None:
    async with antiphon.connect() as live, live.run("walker", "Walk.", run_id=run_id, title="A long walk") as run:
        await walk(run, meetings)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
