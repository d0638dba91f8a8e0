"""Stopping many processes, those that depend on others first."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import structlog

from antiphon.errors import AntiphonError
from antiphon.services.processes.config import ProcessConfig
from antiphon.services.processes.owner import Owner

_log = structlog.get_logger(__name__)


async def stop_in_order(owners: Collection[Owner], configs: Mapping[str, ProcessConfig]) -> None:
    """Stop them, each as soon as nothing among them depends on it; what cannot be stopped is logged."""
    done = {owner.name: asyncio.Event() for owner in owners}
    async with asyncio.TaskGroup() as group:
        for owner in owners:
            users = [name for name, config in configs.items() if owner.name in config.depends_on and name in done]
            group.create_task(_stop(owner, [done[name] for name in users], done[owner.name]))


async def _stop(owner: Owner, before: Collection[asyncio.Event], done: asyncio.Event) -> None:
    for other in before:
        await other.wait()
    try:
        await owner.stop()
    except AntiphonError as error:
        _log.warning("process not stopped", process=owner.name, error=str(error))
    finally:
        done.set()
