"""Somebody's own program: `python -m tests.adapters.agent_program LIBRARY RUN_ID MODEL_URL`, a prompt on stdin."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import antiphon


async def langgraph(run: antiphon.Run, url: str, prompt: str) -> Any:
    from tests.adapters.test_langgraph import chatting_with

    from antiphon.adapters.langgraph import run_graph

    values = await run_graph(chatting_with(url), run, {"messages": [("user", prompt)]})
    return values["messages"][-1].content


async def openai_agents(run: antiphon.Run, url: str, prompt: str) -> Any:
    from openai import AsyncOpenAI
    from tests.adapters.test_openai_agents import agent_with

    from antiphon.adapters.openai_agents import run_agent

    async with AsyncOpenAI(base_url=url, api_key="not needed", max_retries=0) as client:
        return (await run_agent(agent_with(client), run, prompt)).final_output


async def pydantic_ai(run: antiphon.Run, url: str, prompt: str) -> Any:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    from antiphon.adapters.pydantic_ai import run_agent

    agent = Agent(OpenAIChatModel("scripted", provider=OpenAIProvider(base_url=url, api_key="not needed")))

    @agent.tool_plain
    async def add(a: int, b: int) -> int:
        return a + b

    @agent.tool_plain(requires_approval=True)
    async def pay(amount: int) -> str:
        return f"paid {amount}"

    return (await run_agent(agent, run, prompt)).output


LIBRARIES = {work.__name__: work for work in (langgraph, openai_agents, pydantic_ai)}


async def main(library: str, run_id: str, url: str) -> None:
    prompt = await asyncio.to_thread(sys.stdin.read)
    async with antiphon.connect() as live:
        try:
            async with live.run(library, run_id=run_id, lease_s=10) as run:
                await run.result(await LIBRARIES[library](run, url, prompt))
        except antiphon.RunCancelled:
            print("cancelled", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
