"""An agent of pydantic-ai as a run, without any key: `antiphon serve` in one terminal, this program in another.

It wants to pay, asks on the page, and goes on with the answer. `pip install 'antiphon[agents]'`
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

import antiphon
from antiphon.adapters.pydantic_ai import run_agent


async def offline(messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
    """Stands in for a model: orders, then says what came of it. Put yours in its place."""
    last = messages[-1]
    answers = (
        [part for part in last.parts if isinstance(part, ToolReturnPart)] if isinstance(last, ModelRequest) else []
    )
    if not answers:
        yield {0: DeltaToolCall(name="pay", json_args='{"amount": 5, "to": "the tea shop"}', tool_call_id="call-1")}
        return
    for word in f"That is it: {answers[0].content}".split(" "):
        yield f"{word} "


# Your own agent: nothing in it knows of Antiphon.
agent = Agent(FunctionModel(stream_function=offline))


@agent.tool_plain(requires_approval=True)
async def pay(amount: int, to: str) -> str:
    """Transfer euros to somebody."""
    return f"paid {amount} EUR to {to}"


async def main() -> None:
    async with antiphon.connect() as live, live.run("order") as run:
        print(f"{run.id}: look at the page, under Runs", flush=True)
        result = await run_agent(agent, run, "Order some tea.")
        await run.result(result.output)


if __name__ == "__main__":
    asyncio.run(main())
