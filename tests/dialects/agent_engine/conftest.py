from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.dialects.agent_engine.engine import Engine, scripted_server
from tests.live.real_server import RealServer


@pytest.fixture(scope="module", params=["lean", "asgi"])
def sockets(request: pytest.FixtureRequest) -> Iterator[str]:
    """The way that sockets take, for all servers that a test starts: what holds on one must hold on the other."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("ANTIPHON_SERVER_SOCKETS", {"lean": "auto", "asgi": "asgi"}[request.param])
        yield request.param


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sockets: str) -> Iterator[RealServer]:
    """One server with the scripted agent for all tests of a module."""
    found = scripted_server(tmp_path_factory.mktemp("engine"))
    asyncio.run(found.start())
    yield found
    asyncio.run(found.kill())


@pytest.fixture
async def engine(server: RealServer) -> AsyncIterator[Engine]:
    async with Engine.connect(server) as found:
        yield found
