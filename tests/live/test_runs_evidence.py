"""What runs must reach: cancels at random points in another process, and one state for all who look on.

`python -m bench cancelling converging` does the same at full size and tells the times, which are not looked at here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.cancelling import cancel_runs
from bench.converging import VIEWERS, converge
from tests.live.real_server import RealServer

CANCELS = 300
SECONDS = 4.0


@pytest.fixture
def sockets() -> str:
    """The way that sockets take changes nothing here."""
    return "auto"


@pytest.mark.slow
async def test_every_cancel_is_seen_and_is_the_outcome(tmp_path: Path) -> None:
    server = RealServer(tmp_path / "data")
    await server.start()
    try:
        found = await cancel_runs(server.url, CANCELS, seed=4)
    finally:
        await server.stop()
    assert found.wrong == []
    assert len({victim.place for victim in found.victims.values()}) == 4


@pytest.mark.slow
async def test_all_viewers_come_to_the_same_state(tmp_path: Path) -> None:
    server = RealServer(tmp_path / "data")
    await server.start()
    try:
        found = await converge(server.live, viewers=VIEWERS, seconds=SECONDS)
    finally:
        await server.stop()
    assert len(found.digests) == 1
    assert found.healed
    assert found.share <= 0.05
