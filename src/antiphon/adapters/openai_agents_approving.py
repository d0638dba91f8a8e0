"""Tools of the OpenAI Agents SDK that need approval: people are asked, and their answers resume the agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agents import RunState
from agents.items import ToolApprovalItem

from antiphon.adapters.jsonable import from_text, to_text
from antiphon.adapters.openai_agents_events import Relay
from antiphon.adapters.together import together
from antiphon.client.run.face import Run
from antiphon.errors import QuestionWithdrawn

REJECTED = "A person rejected this call."
EDITED = "A person rejected this call, and wants it with these arguments instead: {}"


async def decide_all(run: Run, relay: Relay, state: RunState[Any], items: Sequence[ToolApprovalItem]) -> None:
    """Ask about all calls at once, and write the decisions into the state."""
    refusals = await together(_refusal(run, item) for item in items)
    for item, refusal in zip(items, refusals, strict=True):
        if refusal is None:
            state.approve(item)
        else:
            state.reject(item, rejection_message=refusal)
            await relay.refused(item.call_id, refusal)


async def _refusal(run: Run, item: ToolApprovalItem) -> str | None:
    """What the model is told instead of the tool's result; None = the call is approved.

    The library executes a call as the model wrote it: an edited one is refused, and the model told how it should be.
    """
    arguments = from_text(item.arguments or "{}")
    try:
        decision = await run.approve(f"Call {item.name}?", arguments, details=_description(item))
    except QuestionWithdrawn as withdrawn:
        return f"{REJECTED} {withdrawn.message}"
    if not decision.approved:
        return f"{REJECTED} {decision.reason}" if decision.reason else REJECTED
    return EDITED.format(to_text(decision.value)) if decision.value != arguments else None


def _description(item: ToolApprovalItem) -> str | None:
    found = (tool for tool in getattr(item.agent, "tools", ()) if tool.name == item.name)
    return getattr(next(found, None), "description", None) or None
