"""A program with agents that is killed: it answers one question, half of another, and queues a third."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace

from tests.agents.kit import life_on, script

from antiphon.brokers.sqlite import SqliteBroker


async def main(directory: Path, port: str) -> None:
    """Prints `now` when the first half of the second answer is stored."""
    broker = SqliteBroker(directory)
    broker.open()
    server = SimpleNamespace(url=f"http://127.0.0.1:{port}/v1")
    async with life_on(broker, server) as life:  # type: ignore[arg-type]
        await life.asked("r1", "My name is Ann.")
        await life.ask("r2", script([{"text": "Half of it", "size": 4}, {"wait": "never"}]))
        while "Half of it" not in [text for _, text, _ in await life.texts("r2")]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await life.ask("r3", "I wait.")
        print("now", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
