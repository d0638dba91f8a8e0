"""A LangGraph graph as a run, without any key: `antiphon serve` in one terminal, this program in another.

It writes an offer, asks on the page whether to send it, and goes on with the answer. `pip install antiphon langgraph`
"""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt

import antiphon
from antiphon.adapters.langgraph import run_graph

# Your own graph: nothing in it knows of Antiphon. The model is LangChain's offline one; put yours in its place.
model = GenericFakeChatModel(messages=iter([AIMessage("We have Assam, **5 EUR** for 100 g, from tomorrow on.")]))


class Offer(MessagesState, total=False):
    decision: str


async def write(state: Offer) -> dict[str, Any]:
    return {"messages": [await model.ainvoke(state["messages"])]}


async def confirm(_: Offer) -> dict[str, Any]:
    return {"decision": interrupt({"question": "Send this offer?", "options": ["send", "throw away"]})}


graph = (
    StateGraph(Offer)
    .add_node(write)
    .add_node(confirm)
    .add_edge(START, "write")
    .add_edge("write", "confirm")
    .add_edge("confirm", END)
    .compile()
)


async def main() -> None:
    async with antiphon.connect() as live, live.run("offer") as run:
        print(f"{run.id}: look at the page, under Runs", flush=True)
        values = await run_graph(graph, run, {"messages": [("user", "Which tea do you have?")]})
        await run.result(values["decision"])


if __name__ == "__main__":
    asyncio.run(main())
