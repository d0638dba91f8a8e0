"""What the measured server imports: streams without a model, and an agent with a tool that never returns.

It is copied beside the server's `antiphon.toml`. The first token of an answer tells when it was said, in seconds of
CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from pydantic_ai import Agent


async def stream(run: Any, answers: int, tokens: int, per_s: float, after_s: float) -> None:
    """Answer after answer, token after token, at a steady pace."""
    await asyncio.sleep(after_s)
    due = time.monotonic()
    for _ in range(answers):
        async with run.message() as message:
            for number in range(tokens):
                await message.append(f"@{time.monotonic():.6f} " if number == 0 else "token ")
                due += 1 / per_s
                await asyncio.sleep(max(0.0, due - time.monotonic()))


agent = Agent()


@agent.tool_plain
async def hang() -> str:
    """Never return."""
    await asyncio.Event().wait()
    return "never"
