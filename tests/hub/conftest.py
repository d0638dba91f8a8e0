"""A hub on each store, opened again and again on the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from antiphon.brokers.memory import MemoryBroker
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.hub import Hub, Keep, retention

OpenHub = Callable[..., Hub]


@pytest.fixture(autouse=True)
def sweeps_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE_S", 3600.0)


@pytest.fixture(params=["memory", "sqlite"])
def open_hub(request: pytest.FixtureRequest, tmp_path: Path) -> OpenHub:
    """`async with open_hub() as hub:`; what one has stored the next finds."""
    memory = MemoryBroker()

    def opened(*, keep: Mapping[str, Keep] | None = None) -> Hub:
        if request.param == "memory":
            return Hub(memory, keep=keep)
        return open_sqlite(tmp_path, keep=keep)

    return opened


def open_sqlite(directory: Path, *, keep: Mapping[str, Keep] | None = None) -> Hub:
    broker = SqliteBroker(directory)
    broker.open()
    return Hub(broker, keep=keep)
