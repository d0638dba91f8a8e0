"""What answers: pydantic-ai with our models and tools. Needs `[agents]`; loaded when the first agent is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_ai import Agent, AgentRunResult, DeferredToolRequests, capture_run_messages
from pydantic_ai.agent import AbstractAgent
from pydantic_ai.exceptions import RunCancelled as LibraryCancelled
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelRequest
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ExternalToolset
from pydantic_ai.usage import RunUsage, UsageLimits

from antiphon.adapters.jsonable import jsonable
from antiphon.adapters.pydantic_ai import run_agent
from antiphon.client.run.face import Run
from antiphon.hub import Hub
from antiphon.services.agents.answering import Turn
from antiphon.services.agents.config import ModelConfig
from antiphon.services.agents.deadline import Deadline
from antiphon.services.agents.failures import in_words
from antiphon.services.agents.memory import Message, converted, recall, turn_of
from antiphon.services.agents.models import Models
from antiphon.services.agents.offers import Offer
from antiphon.services.agents.registry import Registry, approval
from antiphon.services.agents.toolset import RegisteredTools
from antiphon.services.agents.values import AgentInput, ClientTool, question_of
from antiphon.services.runs import LocalPort


class Engine:
    """The models, and one agent for each of the settings' own."""

    def __init__(self, hub: Hub, registry: Registry, models: Mapping[str, ModelConfig], named: Sequence[str]) -> None:
        self.hub = hub
        self.registry = registry
        self.models = Models(models)
        self.models.make(named)
        self._agents: dict[str, AbstractAgent[Any, Any]] = {}

    def agent(self, offer: Offer) -> AbstractAgent[Any, Any]:
        """The offered one, or one without anything of its own."""
        if offer.agent is not None:
            return offer.agent
        if offer.name not in self._agents:
            self._agents[offer.name] = Agent(name=offer.name, description=offer.config.description)
        return self._agents[offer.name]

    async def answer(self, offer: Offer, port: LocalPort, run: Run, wanted: AgentInput, turn: Turn | None) -> Any:
        """Answer a question within its run. Raises ModelFailed, LimitReached, and what tools of the user raise."""
        return await _Answer(self, offer, port, run, wanted, turn).do()

    async def close(self) -> None:
        """Close the models' connections."""
        await self.models.close()


class _Answer:
    def __init__(
        self, means: Engine, offer: Offer, port: LocalPort, run: Run, wanted: AgentInput, turn: Turn | None
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
        self._port.while_asking = self._deadline.paused
        with in_words(self._offer.config, self._usage, self._means.models.scrub):
            async with self._deadline:
                result = await self._remembering(question_of(self._wanted) or None)
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
        agent = self._means.agent(offer)
        return await run_agent(
            agent,
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
            model_settings=_settings(offer),
            usage_limits=self._limits(),
            toolsets=toolsets,
            output_type=[*_outputs(agent.output_type), DeferredToolRequests] if external else None,
            infer_name=False,
        )

    async def _history(self, prompt: str | None) -> list[ModelMessage]:
        """What the client brings, or what the thread remembers."""
        brought = self._wanted.messages
        if brought is not None:
            is_last_asked = self._wanted.prompt is None and prompt is not None
            return _read(converted(brought[:-1] if is_last_asked else brought))
        return [] if self._turn is None else _read(await recall(self._means.hub, self._turn.thread_id))

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
            brought = [] if is_whole else turn_of(self._wanted.messages or [])
            self._turn.messages = brought + ModelMessagesTypeAdapter.dump_python(new, mode="json")
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


def _read(messages: Sequence[Message]) -> list[ModelMessage]:
    return ModelMessagesTypeAdapter.validate_python(messages)


def _settings(offer: Offer) -> ModelSettings | None:
    """What is passed on to the model."""
    temperature = offer.config.temperature
    return None if temperature is None else ModelSettings(temperature=temperature)
