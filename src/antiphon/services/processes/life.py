"""One life of a program: its directory, its shim, and how far it has been dealt with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.services.processes.config import ProcessConfig
from antiphon.services.processes.directories import StartDirectory, create
from antiphon.services.processes.shimlink import ExitRecord, ShimLink, Spec
from antiphon.services.processes.wrapped import Voice


@dataclass(slots=True, eq=False)
class Life:
    """A start that has a shim, living or not."""

    start: StartDirectory
    link: ShimLink
    record: ExitRecord | None = None  # of its end, as soon as that was seen
    over: asyncio.Event = field(default_factory=asyncio.Event)  # the tree is gone and the process's row tells of it
    done: asyncio.Event = field(default_factory=asyncio.Event)  # all it said is in the log, its directory is gone
    voice: Voice | None = None  # of a program that is a run

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.over.is_set()

    @property
    def checkpoint(self) -> str:
        """Name under which the log keeps how far this life was ingested."""
        return f"spool:{self.start.key}"


def spec_of(config: ProcessConfig) -> Spec:
    """What the shim is told."""
    return Spec(
        command=config.command,
        cwd=str((config.cwd or Path.cwd()).absolute()),
        env={**os.environ, **config.env},
        stdin=config.stdin,
        spool_segment_bytes=config.spool_segment_bytes,
        spool_limit_bytes=config.spool_max_bytes,
        line_limit_bytes=config.line_limit_bytes or None,
        stop_signal=config.stop_signal,
        grace_s=config.grace_s,
    )


async def launch(root: Path, name: str, config: ProcessConfig, known: Callable[[str], None]) -> Life:
    """Start the program in a new directory below `root`.

    Args:
        known: Told the directory's key in the step that makes it, so that nobody takes it for another's.
    Raises:
        OSError: There is no room, or no shim could be started.
    """
    start = create(root, name)
    known(start.key)
    try:
        return Life(start, await ShimLink.launch(start.path, spec_of(config)))
    except BaseException:
        if not (start.path / "status.json").exists():  # a shim that lives is found again by the next server
            start.remove()
        raise
