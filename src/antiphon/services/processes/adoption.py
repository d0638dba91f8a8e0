"""Taking over starts that we did not make: attaching to their shims, settling the names of runs."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from itertools import chain, count

import structlog

from antiphon.errors import AntiphonError, NotFound
from antiphon.services.processes.directories import StartDirectory
from antiphon.services.processes.life import Life
from antiphon.services.processes.shimlink import ShimLink

YOUNG_S = 10.0  # so long after its directory was made a shim may not have got as far as to say so
_STEP_S = 0.05
_log = structlog.get_logger(__name__)


async def attach(start: StartDirectory, *, patience_s: float) -> Life | None:
    """The life in this directory, waiting for its shim where the directory is young.

    None: there is no shim yet, there never was one (then the directory is removed), or what it left is unreadable.
    """
    try:
        for _ in range(max(1, int(patience_s / _STEP_S))):
            try:
                return Life(start, await ShimLink.attach(start.path))
            except NotFound:
                if start.age_s() > YOUNG_S:
                    break
            await asyncio.sleep(_STEP_S)
        if not start.is_bare:
            _log.error("start cannot be read; its directory is left alone", start=start.key)
        elif start.age_s() > YOUNG_S:
            start.remove()
    except FileNotFoundError:
        pass
    except (AntiphonError, OSError, ValueError, KeyError) as error:
        _log.warning("start not found again", start=start.key, error=str(error))
    return None


def settle_name(life: Life, taken: Container[str]) -> str:
    """The name under which a life's lines are published; a run's name is written down with it.

    A run whose name is taken becomes NAME-2, NAME-3 and so on.
    """
    run = life.start.run
    if run is None or run.assigned:
        return life.start.name
    names = chain([run.name], (f"{run.name[:58]}-{number}" for number in count(2)))
    name = next(name for name in names if name not in taken)
    try:
        life.start = life.start.assign(name)
    except OSError as error:
        _log.warning("name of a run not written down", start=life.start.key, error=str(error))
        life.start = life.start.named(name)
    return name
