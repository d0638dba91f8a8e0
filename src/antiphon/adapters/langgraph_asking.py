"""Interrupts of a graph as questions to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.types import Interrupt

from antiphon.adapters.jsonable import jsonable, to_text
from antiphon.adapters.together import together
from antiphon.client.run.face import Run
from antiphon.errors import QuestionWithdrawn

MAX_PROMPT = 2_000  # characters; a longer text is shown below the question
MAX_DETAILS = 60_000
_PROMPTS = ("question", "prompt", "message", "description")
_CHOICES = ("options", "choices")


async def answer_interrupt(run: Run, interrupt: Interrupt) -> Any:
    """Ask people what a graph wants to know; returns what `interrupt(...)` is to return in it.

    - `interrupt(value, response_schema=...)`: a form; None if it is rejected.
    - `{"action_requests": [...]}`, as LangChain's human-in-the-loop asks: an approval of each call, and its decisions.
    - `{"question": ..., "options": [...]}`: one of the options.
    - anything else: a text. The question is the value itself, or its `question`, `prompt`, `message` or `description`.
    """
    value = interrupt.value
    if isinstance(value, Mapping) and isinstance(value.get("action_requests"), Sequence):
        return {"decisions": await together(_decide(run, request) for request in value["action_requests"])}
    prompt, details = _words(value)
    if interrupt.response_schema is not None:
        return await run.ask(prompt, schema=interrupt.response_schema, details=details)
    return await run.ask(prompt, options=_options(value), details=details)


async def go_on(run: Run, nodes: Sequence[str]) -> None:
    """Ask at a breakpoint (`interrupt_before`, `interrupt_after`) whether to go on. Raises QuestionWithdrawn if not."""
    named = ", ".join(nodes)
    decision = await run.approve(f"Go on with {named}?"[:MAX_PROMPT], {"next": list(nodes)})
    if not decision.approved:
        because = f": {decision.reason}" if decision.reason else ""
        raise QuestionWithdrawn(f"stopped before {named}{because}")


async def _decide(run: Run, request: Mapping[str, Any]) -> dict[str, Any]:
    """A decision as LangChain's human-in-the-loop middleware takes it."""
    name, arguments = str(request.get("name", "")), request.get("args", {})
    details = request.get("description")
    decision = await run.approve(
        f"Call {name}?"[:MAX_PROMPT],
        jsonable(arguments),
        details=None if details is None else str(details)[:MAX_DETAILS],
    )
    if decision.action == "edit":
        return {"type": "edit", "edited_action": {"name": name, "args": decision.value}}
    if decision.approved:
        return {"type": "approve"}
    return {"type": "reject", **({"message": decision.reason} if decision.reason else {})}


def _words(value: Any) -> tuple[str, str | None]:
    """The question, and what is shown below it."""
    key = next((key for key in _PROMPTS if isinstance(value, Mapping) and isinstance(value.get(key), str)), None)
    if key is not None:
        prompt, rest = value[key], {k: v for k, v in value.items() if k != key and k not in _CHOICES}
    elif isinstance(value, str):
        prompt, rest = value, {}
    else:
        prompt, rest = "The graph asks", value
    if not 0 < len(prompt.strip()) <= MAX_PROMPT:
        prompt, rest = "The graph asks", value
    return prompt, to_text(rest)[:MAX_DETAILS] if rest else None


def _options(value: Any) -> list[Any] | None:
    key = next((key for key in _CHOICES if isinstance(value, Mapping) and value.get(key)), None)
    return None if key is None or isinstance(value[key], str) else [_option(one) for one in jsonable(value[key])]


def _option(one: Any) -> Any:
    return one if isinstance(one, Mapping) and "value" in one else {"value": one}
