"""A program whose runs never end by themselves: `python -m bench.agent URL COUNT SEED`.

It tells on stdout what it sees, a line of JSON each: a run has begun, its code was interrupted, it has left the run.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

import antiphon

AT_ONCE = 16
PLACES = ("before the first token", "in a message", "inside a tool", "while a question is open")


async def wait(run: Any, chance: random.Random) -> None:
    await asyncio.Event().wait()


async def write(run: Any, chance: random.Random) -> None:
    async with run.message(role="assistant") as message:
        while True:
            await message.append("token ")
            await asyncio.sleep(chance.uniform(0.0, 0.02))


async def call(run: Any, chance: random.Random) -> None:
    while True:
        async with run.tool("search") as tool:
            for _ in range(chance.randint(1, 20)):
                await tool.args('"tea"')
                await asyncio.sleep(chance.uniform(0.0, 0.02))
            await tool.result({"hits": 3})


async def ask(run: Any, chance: random.Random) -> None:
    await run.ask("Which?", options=["green", "black"])


WORK = dict(zip(PLACES, (wait, write, call, ask), strict=True))


def tell(what: str, run_id: str, **facts: object) -> None:
    print(json.dumps({"what": what, "run_id": run_id, "at": time.monotonic(), **facts}), flush=True)


async def one(live: Any, place: str, chance: random.Random) -> None:
    """One run, until somebody cancels it."""
    run_id = ""
    try:
        async with live.run("victim", labels={"place": place}) as run:
            run_id = run.id
            tell("begun", run_id, place=place)
            try:
                await WORK[place](run, chance)
            except (asyncio.CancelledError, antiphon.RunCancelled):  # the latter where what it asks for comes too late
                tell("interrupted", run_id)
                raise
    except antiphon.AntiphonError as error:
        tell("left", run_id, error=type(error).__name__)
    else:
        tell("left", run_id, error=None)


async def main(url: str, count: int, seed: int) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def in_turn(number: int) -> None:
        async with room:
            await one(live, PLACES[number % len(PLACES)], random.Random(seed + number))

    async with antiphon.connect(url) as live, asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(in_turn(number))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
