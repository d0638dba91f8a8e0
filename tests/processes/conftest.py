"""Real programs, a real hub on each store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.observed_hub import ObservedHub, OpenHub, hub_opener


@pytest.fixture(params=["memory", "sqlite"])
def open_hub(request: pytest.FixtureRequest, tmp_path: Path) -> OpenHub:
    """Opens a hub on one and the same store, again and again."""
    return hub_opener(request.param, tmp_path)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[ObservedHub]:
    """A hub in memory."""
    async with hub_opener("memory", tmp_path)() as opened:
        yield opened
