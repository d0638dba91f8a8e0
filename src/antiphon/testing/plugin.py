"""The fixtures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from antiphon.testing.server import MemoryServer


@pytest.fixture
def antiphon_settings() -> Mapping[str, Any]:
    """Settings of the server by their full names, e.g. `{"runs.cancel_grace_s": 1}`; override it to set some."""
    return {}


@pytest.fixture
def antiphon_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, antiphon_settings: Mapping[str, Any]
) -> Iterator[MemoryServer]:
    """A server on a free port, for one test. `ANTIPHON_URL` leads to it, so `antiphon.connect()` finds it."""
    with MemoryServer(tmp_path / "antiphon", settings=antiphon_settings) as server:
        monkeypatch.setenv("ANTIPHON_URL", server.url)
        monkeypatch.delenv("ANTIPHON_TOKEN", raising=False)
        yield server
