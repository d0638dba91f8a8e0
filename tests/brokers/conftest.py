"""Every store, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon.brokers.base import Broker
from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteBroker]:
    broker = SqliteBroker(tmp_path)
    broker.open()
    yield broker
    await broker.close()


@pytest.fixture(params=["memory", "sqlite"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    made = MemoryBroker() if request.param == "memory" else SqliteBroker(tmp_path)
    if isinstance(made, SqliteBroker):
        made.open()
    yield made
    await made.close()
