from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.dialects.serving import Client, functions_served
from tests.live.real_server import RealServer


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with functions_served(tmp_path_factory.mktemp("vercel")) as server:
        yield server


@pytest.fixture
async def client(functions: RealServer) -> AsyncIterator[Client]:
    async with Client.open(functions) as found:
        yield found
