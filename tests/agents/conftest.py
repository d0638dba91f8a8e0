"""A model server on a free port, and agents on a real hub with runs and questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from pydantic_ai.models.openai import OpenAIChatModel
from tests.agents.kit import Life, Stage, life_on, model, stage_on
from tests.agents.model_server import ModelServer

from antiphon.brokers.memory import MemoryBroker


@pytest.fixture(autouse=True)
def plain_tracebacks() -> Iterator[None]:
    """As the server writes them: drawing all locals of a failed run takes seconds."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[renderer])
    yield
    structlog.reset_defaults()


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with stage_on(MemoryBroker()) as found:
        yield found


@pytest.fixture
async def chat(models: ModelServer) -> AsyncIterator[OpenAIChatModel]:
    """The library's own model, asking the model server."""
    async with model(models) as found:
        yield found


@pytest.fixture
async def life(models: ModelServer) -> AsyncIterator[Life]:
    """Agents named `chat` (and what a test adds) that ask the model server."""
    async with life_on(MemoryBroker(), models) as found:
        yield found
