"""A model server on a free port, and runs and questions on a real hub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.agents.kit import Stage, stage_on
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
