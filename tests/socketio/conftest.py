from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from tests.socketio.kit import Served, serving


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as found:
        yield found
