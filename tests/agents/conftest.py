"""A model server on a free port, and agents on a real hub with runs and questions."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic_ai.models.openai import OpenAIChatModel
from tests.agents.kit import Stage, model, stage_on
from tests.agents.model_server import ModelServer

from antiphon.brokers.memory import MemoryBroker


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
