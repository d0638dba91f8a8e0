"""A bare run of the library: `bare.py MODEL_URL AT_ONCE ROUNDS PROMPT` prints times to the first chunk in ms."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

from pydantic_ai import Agent
from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


async def first_chunk_ms(agent: Agent[None, str], prompt: str) -> float:
    """From asking to the first text."""
    asked, first = time.perf_counter(), 0.0
    async with agent.run_stream_events(prompt) as events:
        async for event in events:
            if not first and _is_text(event):
                first = time.perf_counter()
    return (first - asked) * 1000


def _is_text(event: object) -> bool:
    if isinstance(event, PartStartEvent):
        return isinstance(event.part, TextPart) and bool(event.part.content)
    return isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta)


async def main(url: str, at_once: int, rounds: int, prompt: str) -> None:
    agent = Agent(OpenAIChatModel("scripted", provider=OpenAIProvider(base_url=url, api_key="none")))
    chance = random.Random(1)

    async def one(pause_s: float) -> list[float]:
        await asyncio.sleep(pause_s)
        return [await first_chunk_ms(agent, prompt) for _ in range(rounds)]

    async with agent:
        found = await asyncio.gather(*(one(chance.uniform(0, 2)) for _ in range(at_once)))
    print(json.dumps([sample for samples in found for sample in samples]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
