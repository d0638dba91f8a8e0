"""Short words for tests of adapters."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.agents.kit import PATIENCE_S, Stage

LONG = {"repeat": "word ", "times": 100_000, "every_ms": 1}  # longer than anybody waits


async def said(stage: Stage, run_id: str, kind: str, *, more_than: int = 0) -> None:
    """Wait until a run has said something of this kind."""
    async with asyncio.timeout(PATIENCE_S):
        while len(await stage.data(run_id, kind)) <= more_than:  # noqa: ASYNC110 - others speak at their own pace
            await asyncio.sleep(0.002)


async def cancelled(stage: Stage, run_id: str) -> dict[str, Any]:
    """Cancel a run, and see that nothing follows its end; returns its row."""
    await stage.runs.cancel(run_id, by="ann")
    row = await stage.ended(run_id)
    assert row["status"] == "cancelled"
    kinds = [event.type for event in await stage.events(run_id)]
    assert kinds[-1] == "run.cancelled"
    assert kinds.count("run.cancelled") == 1
    return row
