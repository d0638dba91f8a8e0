"""An agent that does what its prompt says, step by step; imported by the server from beside its antiphon.toml."""

from __future__ import annotations

import asyncio
import json
from typing import Any


async def scripted(run: Any, prompt: str) -> Any:
    """The prompt is a text to be said, or a list of steps such as [["say", "a"], ["wait"], ["say", "b"]]."""
    steps = json.loads(prompt) if prompt.startswith("[[") else [["say", prompt]]
    return await Script(run).play(steps)


class Script:
    def __init__(self, run: Any) -> None:
        self.run = run
        self.message: Any = None  # the one that grows
        self.result: Any = None

    async def play(self, steps: list[list[Any]]) -> Any:
        try:
            for name, *arguments in steps:
                await getattr(self, name)(*arguments)
        finally:
            await self.close()
        return self.result

    async def close(self) -> None:
        message, self.message = self.message, None
        if message is not None:
            await message.__aexit__(None, None, None)

    async def say(self, text: str) -> None:
        if self.message is None:
            self.message = await self.run.message(role="assistant").__aenter__()
        await self.message.append(text)

    async def count(self, numbers: int, width: int) -> None:
        """Say many numbers, each so many characters wide."""
        for number in range(numbers):
            await self.say(str(number).rjust(width))

    async def think(self, text: str) -> None:
        await self.close()
        async with self.run.message(role="reasoning") as message:
            await message.append(text)

    async def call(self, name: str) -> None:
        await self.close()
        async with self.run.tool(name, {}) as tool:
            await tool.result("done")

    async def wait(self) -> None:
        """Until the test answers."""
        await self.run.ask("go on?", options=["yes"])

    async def hang(self) -> None:
        """Until it is cancelled."""
        await asyncio.Event().wait()

    async def fail(self, why: str) -> None:
        raise RuntimeError(why)

    async def give(self, result: Any) -> None:
        self.result = result
