"""CPU and memory of all processes, looked at every two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog

from antiphon.services.processes.owner import Owner
from antiphon.services.processes.usage import Look, look, measure

INTERVAL_S = 2.0
_log = structlog.get_logger(__name__)


async def sample(owners: Collection[Owner]) -> None:
    """Show each owner what its tree uses, until cancelled; `owners` may change meanwhile."""
    before: Look | None = None
    while True:
        await asyncio.sleep(INTERVAL_S)
        try:
            before = await _sample_once(owners, before)
        except Exception:  # figures are not worth a server
            _log.exception("usage of processes is not known")


async def _sample_once(owners: Collection[Owner], before: Look | None) -> Look | None:
    roots = {pid: owner for owner in owners if (pid := owner.notice()) is not None}
    if not roots:
        return None
    now = await asyncio.to_thread(look)
    for pid, used in measure(roots, before, now).items():
        roots[pid].show_usage(used)
    return now
