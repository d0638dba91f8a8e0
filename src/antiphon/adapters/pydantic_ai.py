"""pydantic-ai: your own, unmodified `Agent` as a run that people watch, cancel and answer.

    async with antiphon.connect() as live, live.run("research") as run:
        result = await run_agent(agent, run, "What is new?")

    live.runnable("research")(runnable(agent))  # in a server of your own

Texts, reasoning and the arguments of tool calls grow as the model writes them; tools that need approval ask people; a
cancel closes the request to the model at once. Needs `antiphon[agents]`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

try:
    from pydantic_ai import (
        AgentRunResult,
        AgentStreamEvent,
        CancellationToken,
        DeferredToolRequests,
        DeferredToolResults,
        RunContext,
    )
except ModuleNotFoundError as exc:
    raise ImportError("antiphon.adapters.pydantic_ai needs pydantic-ai: pip install 'antiphon[agents]'") from exc

from pydantic_ai.agent import AbstractAgent
from pydantic_ai.capabilities import HandleDeferredToolCalls
from pydantic_ai.messages import ModelResponse, ToolCallPart, UserContent
from pydantic_ai.tools import ToolApproved, ToolDefinition, ToolDenied
from pydantic_ai.usage import RunUsage

from antiphon.adapters.jsonable import jsonable
from antiphon.adapters.pydantic_ai_events import Relay, ToolProgress
from antiphon.adapters.telling import Telling
from antiphon.client.run.asking import Approval
from antiphon.client.run.face import Run
from antiphon.errors import AntiphonError, InvalidParams, QuestionWithdrawn

__all__ = ["ToolProgress", "run_agent", "runnable"]

Deps = TypeVar("Deps")
Output = TypeVar("Output")
Prompt = str | Sequence[UserContent] | None

REJECTED = "A person rejected this call."


async def run_agent(
    agent: AbstractAgent[Deps, Output],
    run: Run,
    prompt: Prompt = None,
    *,
    say_prompt: bool = True,
    client_tools: Collection[str] = (),
    cancellation_token: CancellationToken | None = None,
    usage: RunUsage | None = None,
    capabilities: Sequence[Any] = (),
    **options: Any,
) -> AgentRunResult[Any]:
    """Let an agent answer inside a run that is open.

    Args:
        say_prompt: Whether the prompt is said first, as a message of the user; only where it is a text.
        client_tools: Names of external tools whose calls are said as `x.client_tool` and are not executed here.
        options: What `agent.run` takes beside these: `message_history`, `deps`, `model`, `usage_limits`, ...
    Returns:
        The library's result; `run.result` is left to the caller.
    Raises:
        asyncio.CancelledError: The run was cancelled. `pydantic_ai.exceptions.RunCancelled.from_cancellation` has the
            messages so far.
        pydantic_ai.exceptions.AgentRunError: As `agent.run`.
    """
    if say_prompt and isinstance(prompt, str) and prompt:
        async with run.message("user") as message:
            await message.append(prompt)
    token = cancellation_token or CancellationToken()
    forget = run.when_cancelled(lambda _: token.cancel())
    try:
        async with Telling(run) as telling:
            answer = _Answer(agent, run, Relay(run, telling, client_tools), usage or RunUsage())
            async with answer.counted():
                result: AgentRunResult[Any] = await agent.run(
                    prompt,
                    usage=answer.usage,
                    cancellation_token=token,
                    event_stream_handler=answer.follow,
                    capabilities=[*capabilities, HandleDeferredToolCalls(answer.decide)],
                    **options,
                )
                answer.model = result.response.model_name
            return result
    finally:
        forget()


def runnable(
    agent: AbstractAgent[Deps, Output],
    *,
    prepare: Callable[[Run], Awaitable[dict[str, Any]]] | None = None,
    **options: Any,
) -> Callable[..., Awaitable[Any]]:
    """An agent as a function that can be started: its input is `{"prompt": "..."}`, its result what it puts out.

    Args:
        prepare: Given the run, returns further options for it, for instance `deps` and `message_history`.
        options: As those of `run_agent`.
    """

    async def answer(run: Run, prompt: str) -> Any:
        own = {} if prepare is None else await prepare(run)
        result = await run_agent(agent, run, prompt, **{**options, **own})
        return jsonable(result.output)

    return answer


class _Answer:
    """What the library calls back while an agent answers."""

    def __init__(self, agent: AbstractAgent[Any, Any], run: Run, relay: Relay, usage: RunUsage) -> None:
        self.usage = usage
        self.model: str | None = None  # which answered last
        self._agent = agent
        self._run = run
        self._relay = relay

    async def follow(self, ctx: RunContext[Any], events: AsyncIterable[AgentStreamEvent]) -> None:
        """Say all events of one step; a handler that the agent has of its own sees them too."""
        self.model = _model_name(ctx) or ctx.model.model_name
        await self._relay.usage(self.usage, self.model)
        told = self._relay.follow(events)
        own = self._agent.event_stream_handler
        if own is not None:
            await own(ctx, told)
        async for _ in told:  # what it left, or all
            pass

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        """However it ends, what it has used is said."""
        try:
            yield
        finally:
            with suppress(AntiphonError):  # the run may be lost; how it ended is worth more
                await self._relay.usage(self.usage, self.model)

    async def decide(self, ctx: RunContext[Any], requests: DeferredToolRequests) -> DeferredToolResults | None:
        """Ask people about all calls that need approval; those that somebody else executes are left alone."""
        if not requests.approvals:
            return None
        async with asyncio.TaskGroup() as asking:
            tasks = {call.tool_call_id: asking.create_task(self._ask(ctx, call)) for call in requests.approvals}
        return requests.build_results(approvals={call_id: task.result() for call_id, task in tasks.items()})

    async def _ask(self, ctx: RunContext[Any], call: ToolCallPart) -> ToolApproved | ToolDenied:
        tool = _definition(ctx, call.tool_name)
        arguments = call.args_as_dict()
        try:
            decision = await self._approve(call.tool_name, arguments, tool)
        except QuestionWithdrawn as error:
            return ToolDenied(f"{REJECTED} {error.message}")
        if not decision.approved:
            return ToolDenied(f"{REJECTED} {decision.reason}" if decision.reason else REJECTED)
        return ToolApproved(override_args=decision.value if decision.action == "edit" else None)

    async def _approve(self, name: str, arguments: dict[str, Any], tool: ToolDefinition | None) -> Approval[Any]:
        prompt, details = f"Call {name}?", None if tool is None else tool.description
        try:
            schema = None if tool is None else tool.parameters_json_schema
            return await self._run.approve(prompt, arguments, schema=schema, details=details)
        except InvalidParams:  # its schema is none that questions take, or the model's arguments do not fit it
            return await self._run.approve(prompt, arguments, details=details)


def _model_name(ctx: RunContext[Any]) -> str | None:
    """Which model answered last."""
    found = [message.model_name for message in ctx.messages if isinstance(message, ModelResponse)]
    return found[-1] if found else None


def _definition(ctx: RunContext[Any], name: str) -> ToolDefinition | None:
    manager = ctx.tool_manager
    tool = None if manager is None or manager.tools is None else manager.tools.get(name)
    return None if tool is None else tool.tool_def
