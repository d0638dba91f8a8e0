from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.client.small_server import SmallServer

from antiphon.client import session
from antiphon.client.backoff import Backoff


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    async with SmallServer() as server:
        yield server


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once: what is tested is that and how it comes back, the waiting has tests of its own."""
    monkeypatch.setattr(session, "Backoff", lambda: Backoff(base_s=0.02, cap_s=0.1))
