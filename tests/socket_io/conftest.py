from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.socket_io.kit import Served, serving


@pytest_asyncio.fixture(params=["lean", "asgi"])
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    """Both ways of carrying a WebSocket."""
    async with serving(request.param) as found:
        yield found
