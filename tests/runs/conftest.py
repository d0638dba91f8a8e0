"""Runs on a real hub on each store, opened again and again on the same one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from tests.runs.kit import Scene

from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub
from antiphon.services.runs import ManualClock, Runs, RunsConfig

OpenScene = Callable[..., AbstractAsyncContextManager[Scene]]


@pytest.fixture(params=["memory", "sqlite"])
def open_scene(request: pytest.FixtureRequest, tmp_path: Path) -> OpenScene:
    """`async with open_scene() as scene:`; what one has stored the next finds."""
    memory, clock = MemoryBroker(), ManualClock()

    def broker() -> MemoryBroker | SqliteBroker:
        if request.param == "memory":
            return memory
        found = SqliteBroker(tmp_path)
        found.open()
        return found

    @asynccontextmanager
    async def opened(config: RunsConfig | None = None) -> AsyncIterator[Scene]:
        async with Hub(broker()) as hub, Runs(hub, config, clock=clock) as runs:
            runs.resume()
            yield Scene(hub, runs, clock)

    return opened


@pytest.fixture
async def scene(open_scene: OpenScene) -> AsyncIterator[Scene]:
    async with open_scene() as found:
        yield found
