"""One answer: an agent's run from the moment in which its turn has come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, cast

from pydantic_ai import AgentRunResult, DeferredToolRequests, capture_run_messages
from pydantic_ai.exceptions import RunCancelled as LibraryCancelled
from pydantic_ai.messages import ModelMessage, ModelRequest
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ExternalToolset
from pydantic_ai.usage import RunUsage, UsageLimits

from antiphon.adapters.jsonable import jsonable
from antiphon.adapters.pydantic_ai import run_agent
from antiphon.client.run.face import Run, RunBlock
from antiphon.client.run.port import RunPort
from antiphon.hub import Hub
from antiphon.services.agents.deadline import Deadline
from antiphon.services.agents.failures import in_words
from antiphon.services.agents.memory import asked, converted, recall, turn_of
from antiphon.services.agents.models import Models
from antiphon.services.agents.offers import Offer
from antiphon.services.agents.toolset import RegisteredTools, Registry, approval
from antiphon.services.agents.values import AgentInput, ClientTool, question_of, read_input
from antiphon.services.runs import LocalPort


@dataclass
class Turn:
    """What will be remembered of a run: kept up to date while it answers."""

    thread_id: str
    wanted: AgentInput
    messages: list[ModelMessage] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    has_begun: bool = False
    is_counted: bool = False


@dataclass(frozen=True)
class Means:
    """What all answers need."""

    hub: Hub
    models: Models
    registry: Registry


async def answer(means: Means, offer: Offer, port: LocalPort, turn: Turn | None) -> Any:
    """Do one run that the service has begun; returns its result.

    Args:
        turn: Where to note what is to be remembered; None = nothing is, the run is in no thread.
    """
    wanted = read_input(port.input)
    ports = chain([port], iter(port.another, None))  # the first is this run's, the others are for its children
    opened = {"run_id": port.run_id, "name": offer.name}
    if turn is not None:
        opened["thread_id"] = turn.thread_id
        turn.has_begun, turn.messages = True, asked(wanted)
    async with RunBlock(opened, lambda: cast("RunPort", next(ports))) as run:
        result = await _Answer(means, offer, port, run, wanted, turn).do()
        await run.result(result)
    return result


class _Answer:
    def __init__(
        self, means: Means, offer: Offer, port: LocalPort, run: Run, wanted: AgentInput, turn: Turn | None
    ) -> None:
        self._means = means
        self._offer = offer
        self._port = port
        self._run = run
        self._wanted = wanted
        self._turn = turn
        self._usage = RunUsage()
        self._deadline = Deadline(offer.config.timeout_s)

    async def do(self) -> Any:
        """Answer within the limits. Raises ModelFailed, LimitReached, and what tools of the user raise."""
        prompt = question_of(self._wanted)
        if prompt:
            async with self._run.message("user") as message:
                await message.append(prompt)
        self._port.while_asking = self._deadline.paused
        with in_words(self._offer.config, self._usage, self._means.models.scrub):
            async with self._deadline:
                result = await self._remembering(prompt or None)
        return self._result(result)

    async def _remembering(self, prompt: str | None) -> AgentRunResult[Any]:
        """Ask the agent; however that ends, what was said is noted."""
        history = await self._history(prompt)
        toolset = await self._tools()
        with capture_run_messages() as messages:
            try:
                result = await self._ask(prompt, history, toolset)
            except asyncio.CancelledError as error:
                cancelled = LibraryCancelled.from_cancellation(error)
                self._note(messages if cancelled is None else cancelled.all_messages())
                raise
            except Exception:
                self._note(messages)
                raise
            else:
                self._note(result.all_messages())
                return result
            finally:
                await self._tell_draining(toolset)

    async def _ask(
        self, prompt: str | None, history: Sequence[ModelMessage], toolset: RegisteredTools
    ) -> AgentRunResult[Any]:
        offer, wanted = self._offer, self._wanted
        names = offer.chain(wanted)
        external = [definition(tool) for tool in wanted.client_tools]
        toolsets: list[AbstractToolset[Any]] = [toolset, *([ExternalToolset(external)] if external else [])]
        return await run_agent(
            offer.agent,
            self._run,
            prompt,
            say_prompt=False,
            client_tools=[tool.name for tool in external],
            usage=self._usage,
            run_id=self._run.id,
            model=None if names is None else await self._means.models.chain(names),
            message_history=history,
            deps=offer.deps,
            instructions=offer.instructions(wanted) or None,
            model_settings=offer.settings(),
            usage_limits=self._limits(),
            toolsets=toolsets,
            output_type=[*_outputs(offer.agent.output_type), DeferredToolRequests] if external else None,
            infer_name=False,
        )

    async def _history(self, prompt: str | None) -> list[ModelMessage]:
        """What the client brings, or what the thread remembers."""
        brought = self._wanted.messages
        if brought is not None:
            is_last_asked = self._wanted.prompt is None and prompt is not None
            return converted(brought[:-1] if is_last_asked else brought)
        return [] if self._turn is None else await recall(self._means.hub, self._turn.thread_id)

    async def _tools(self) -> RegisteredTools:
        """Raises NotFound: one that the settings name is not there."""
        config = self._offer.config
        patterns = [] if config.max_tool_rounds == 0 else self._offer.tools
        tools = await self._means.registry.prepare(patterns)
        return RegisteredTools(self._means.registry, tools, self._run.id, approval(config.needs_approval))

    def _limits(self) -> UsageLimits:
        config = self._offer.config
        return UsageLimits(request_limit=config.max_tool_rounds + 1, total_tokens_limit=config.max_tokens)

    def _note(self, messages: Sequence[ModelMessage]) -> None:
        """Keep what this run has added to the conversation."""
        if self._turn is None:
            return
        new = [message for message in messages if message.run_id == self._run.id]
        if new:
            is_whole = isinstance(new[0], ModelRequest)  # else the turn began with what the client's tools answered
            self._turn.messages = new if is_whole else [*turn_of(self._wanted.messages or []), *new]
        usage = self._usage
        cost = None if usage.cost is None else float(usage.cost)
        counted = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        total = {"total_tokens": usage.total_tokens, "cost_usd": cost}
        self._turn.usage = {**counted, **total} if usage.has_values() else {}

    async def _tell_draining(self, toolset: RegisteredTools) -> None:
        for name in toolset.draining:
            await self._run.log(f"{name} was called off, but its thread goes on until it returns", "warning")

    def _result(self, result: AgentRunResult[Any]) -> Any:
        if not isinstance(result.output, DeferredToolRequests):
            return jsonable(result.output)
        calls = [
            {"tool_call_id": call.tool_call_id, "name": call.tool_name, "arguments": call.args_as_json_str()}
            for call in result.output.calls
        ]
        return {"text": result.response.text or "", "client_tool_calls": calls}


def definition(tool: ClientTool) -> ToolDefinition:
    """A tool of the client, as the library has it."""
    return ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.parameters)


def _outputs(output: Any) -> list[Any]:
    return list(output) if isinstance(output, list | tuple) else [output]
