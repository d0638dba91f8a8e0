from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.live.real_server import RealServer


@pytest.fixture(scope="module", params=["lean", "asgi"])
def sockets(request: pytest.FixtureRequest) -> Iterator[str]:
    """The way that sockets take, for all servers that a test starts: what holds on one must hold on the other."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("ANTIPHON_SERVER_SOCKETS", {"lean": "auto", "asgi": "asgi"}[request.param])
        yield request.param


@pytest.fixture
async def server(tmp_path: Path, sockets: str) -> AsyncIterator[RealServer]:
    found = RealServer(tmp_path / "data")
    await found.start()
    yield found
    await found.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sockets: str) -> Iterator[RealServer]:
    """One server for all tests of a module: for those that leave nothing behind."""
    found = RealServer(tmp_path_factory.mktemp("shared") / "data")
    asyncio.run(found.start())
    yield found
    asyncio.run(found.kill())
