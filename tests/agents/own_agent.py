"""A program with a pydantic-ai agent of its own: `own_agent.py URL MODEL_PORT RUN_ID PROMPT` is one run."""

from __future__ import annotations

import asyncio
import sys

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import antiphon
from antiphon.adapters.pydantic_ai import run_agent


async def main(url: str, port: str, run_id: str, prompt: str) -> None:
    """One run; prints how it was left."""
    provider = OpenAIProvider(base_url=f"http://127.0.0.1:{port}/v1", api_key="not needed")
    agent = Agent(OpenAIChatModel("scripted", provider=provider))

    @agent.tool_plain(requires_approval=True)
    async def pay(amount: int) -> str:
        """Pay somebody."""
        return f"paid {amount}"

    async with antiphon.connect(url) as live, agent:
        try:
            async with live.run("mine", run_id=run_id) as run:
                result = await run_agent(agent, run, prompt)
                await run.result(result.output)
        except antiphon.RunCancelled:
            print("RunCancelled", flush=True)
        else:
            print(result.output, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
