"""A pydantic-ai agent whose model waits in the middle of its answer, until the gate that was asked about opens."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic_ai import Agent, ModelMessage, ModelRequest
from pydantic_ai.models.function import AgentInfo, FunctionModel
from scripted import gates


async def _speak(messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[str]:
    request = messages[-1]
    assert isinstance(request, ModelRequest)
    yield "Let me "
    await gates[str(request.parts[-1].content)].wait()
    yield "think."


slow = Agent(FunctionModel(stream_function=_speak))
