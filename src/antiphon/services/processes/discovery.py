"""Noticing starts that others make while we run: `antiphon run` in some terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from watchfiles import awatch

LOOK_INTERVAL_S = 2.0  # where the file system tells nobody about changes
_log = structlog.get_logger(__name__)


async def looks(root: Path) -> AsyncIterator[None]:
    """Yield whenever `root` should be looked at: after a ring of its bell, and every two seconds."""
    interval_ms = int(LOOK_INTERVAL_S * 1000)
    try:
        watching = awatch(
            root,
            watch_filter=None,
            debounce=50,
            step=10,
            recursive=False,  # the spools below are written all the time
            rust_timeout=interval_ms,
            yield_on_timeout=True,
        )
        async for _ in watching:
            yield
    except (OSError, RuntimeError) as error:  # e.g. no inotify instances left
        _log.warning("starts are not noticed at once", error=str(error))
    while True:
        await asyncio.sleep(LOOK_INTERVAL_S)
        yield
