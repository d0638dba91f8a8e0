"""A real hub on each store."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.observed_hub import OpenHub, hub_opener


@pytest.fixture(params=["memory", "sqlite"])
def open_hub(request: pytest.FixtureRequest, tmp_path: Path) -> OpenHub:
    """Opens a hub on one and the same store, again and again."""
    return hub_opener(request.param, tmp_path)
