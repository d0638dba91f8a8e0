"""Somebody's own program: `python -m tests.adapters.agent_program LIBRARY RUN_ID MODEL_URL`, a prompt on stdin."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import antiphon

Work = Callable[[antiphon.Run, str], Awaitable[Any]]


def langgraph(url: str) -> Work:
    from tests.adapters.test_langgraph import chatting_with

    from antiphon.adapters.langgraph import run_graph

    async def work(run: antiphon.Run, prompt: str) -> Any:
        values = await run_graph(chatting_with(url), run, {"messages": [("user", prompt)]})
        return values["messages"][-1].content

    return work


def openai_agents(url: str) -> Work:
    from openai import AsyncOpenAI
    from tests.adapters.test_openai_agents import agent_with

    from antiphon.adapters.openai_agents import run_agent

    async def work(run: antiphon.Run, prompt: str) -> Any:
        async with AsyncOpenAI(base_url=url, api_key="not needed", max_retries=0) as client:
            return (await run_agent(agent_with(client), run, prompt)).final_output

    return work


def pydantic_ai(url: str) -> Work:
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

    async def work(run: antiphon.Run, prompt: str) -> Any:
        return (await run_agent(agent, run, prompt)).output

    return work


LIBRARIES = {library.__name__: library for library in (langgraph, openai_agents, pydantic_ai)}


async def main(run_id: str, name: str, work: Work, prompt: str) -> None:
    async with antiphon.connect() as live:
        try:
            async with live.run(name, run_id=run_id, lease_s=60) as run:
                await run.result(await work(run, prompt))
        except antiphon.RunCancelled:
            print("cancelled", flush=True)


if __name__ == "__main__":
    library, run_id, url = sys.argv[1:]
    work = LIBRARIES[library](url)  # before the run begins: importing a library blocks the loop for seconds
    asyncio.run(main(run_id, library, work, sys.stdin.read()))
