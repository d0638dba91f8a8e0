"""The services on each store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.observed_hub import hub_opener
from tests.questions.kit import Open, World, opener

from antiphon.services.runs import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite"])
def open_world(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Open:
    """`async with open_world() as world:`; what one has stored the next finds."""
    return opener(hub_opener(request.param, tmp_path), clock)


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> AsyncIterator[World]:
    """In memory, with a run `r1` that is under way."""
    async with opener(hub_opener("memory", tmp_path), clock)() as world:
        await world.run()
        yield world
