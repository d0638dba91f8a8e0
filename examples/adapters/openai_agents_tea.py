"""An agent of the OpenAI Agents SDK as a run, without any key: `antiphon serve` in one terminal, this in another.

It wants to pay, asks on the page, and goes on with the answer. `pip install antiphon openai-agents`
"""

from __future__ import annotations

import asyncio

from agents import Agent, function_tool
from agents.testing import ScriptedModel, assistant_message, function_call

import antiphon
from antiphon.adapters.openai_agents import run_agent


# Your own agent: nothing in it knows of Antiphon. The model is the library's offline one; put yours in its place.
@function_tool(needs_approval=True)
async def pay(amount: int, to: str) -> str:
    """Transfer euros to somebody."""
    return f"paid {amount} EUR to {to}"


model = ScriptedModel(
    [
        [function_call("pay", {"amount": 5, "to": "the tea shop"}, call_id="call-1")],
        [assistant_message("The tea is ordered.")],
    ]
)
agent = Agent("buyer", instructions="Order tea.", model=model, tools=[pay])


async def main() -> None:
    async with antiphon.connect() as live, live.run("order") as run:
        print(f"{run.id}: look at the page, under Runs", flush=True)
        result = await run_agent(agent, run, "Order some tea.")
        await run.result(result.final_output)


if __name__ == "__main__":
    asyncio.run(main())
