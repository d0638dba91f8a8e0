from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.dialects.bettafish.room import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server with all programs running, for all tests of a module."""
    found = House(tmp_path_factory.mktemp("room"))

    async def open_all() -> None:
        await found.server.start()
        await found.start_all()

    asyncio.run(open_all())
    yield found
    asyncio.run(found.server.stop())
