"""How a Python function is called as a tool: here, in a thread, or in a process of its own."""

from __future__ import annotations

import inspect
from typing import Any

from antiphon.services.tools.elsewhere import check_findable, run_elsewhere
from antiphon.services.tools.signatures import Signature, called
from antiphon.services.tools.threads import run_in_thread
from antiphon.services.tools.values import ToolCall, ToolContext


def call_of(signature: Signature, *, in_process: bool) -> ToolCall:
    """Raises TypeError: another process could not find the function."""
    if inspect.iscoroutinefunction(inspect.unwrap(signature.function)):
        return _awaited(signature)
    if in_process:
        return _threaded(signature)
    check_findable(signature.function)
    if signature.context is not None:
        raise TypeError(f"{called(signature.function)} runs in a process of its own, where there is no ToolContext")
    return _elsewhere(signature)


def _keywords(signature: Signature, context: ToolContext, given: dict[str, Any]) -> dict[str, Any]:
    arguments = signature.arguments(given)
    return arguments if signature.context is None else arguments | {signature.context: context}


def _awaited(signature: Signature) -> ToolCall:
    async def call(context: ToolContext, given: dict[str, Any]) -> Any:
        return await signature.function(**_keywords(signature, context, given))

    return call


def _threaded(signature: Signature) -> ToolCall:
    async def call(context: ToolContext, given: dict[str, Any]) -> Any:
        return await run_in_thread(signature.function, _keywords(signature, context, given), context)

    return call


def _elsewhere(signature: Signature) -> ToolCall:
    async def call(_: ToolContext, given: dict[str, Any]) -> Any:
        return await run_elsewhere(signature.function, signature.arguments(given))

    return call
