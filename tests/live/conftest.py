from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.live.real_server import RealServer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RealServer]:
    found = RealServer(tmp_path / "data")
    await found.start()
    yield found
    await found.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """One server for all tests of a module: for those that leave nothing behind."""
    found = RealServer(tmp_path_factory.mktemp("shared") / "data")
    asyncio.run(found.start())
    yield found
    asyncio.run(found.kill())
