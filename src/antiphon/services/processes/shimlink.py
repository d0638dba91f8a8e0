"""The server's side of a shim: start one, find it again, ask it for things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from antiphon.services.processes.spool import Position


@dataclass(frozen=True, slots=True)
class Spec:
    """What a shim runs. Handed over on a pipe, never in an argv, never on disk: `env` may hold secrets."""

    command: tuple[str, ...]
    cwd: str  # absolute
    env: dict[str, str]  # the whole environment, nothing is added but ANTIPHON_SHIM
    stdin: bool = False  # True: `write()` reaches the program; False: it reads end of file
    spool_segment_bytes: int = 4 * 1024 * 1024
    spool_limit_bytes: int = 256 * 1024 * 1024  # beyond it the oldest segment is dropped
    line_limit_bytes: int | None = 64 * 1024  # None: a line may be as long as the spool
    echo: bool = False  # only for exec_in_terminal: output here too, the terminal's stdin for the program
    stop_signal: str = "TERM"  # for descendants that outlive the program, and for SIGTERM to the shim
    grace_s: float = 10.0


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """How the program ended. `exit_code` and `signal` are both None where it never started or nobody saw its end."""

    exit_code: int | None
    signal: str | None  # "SIGKILL"
    ended_at_ms: int
    reason: str | None  # a sentence; None: it ended by itself


@dataclass(frozen=True, slots=True)
class ShimStatus:
    """What is known about a shim and its program."""

    shim_pid: int
    pid: int | None  # of the program; None: it could not be started
    started_at_ms: int
    exit: ExitRecord | None  # set as soon as the program itself ends, though its descendants may live on for the grace
    alive: bool  # False: the tree is gone and all output is in the spool, or the shim was killed (`lost`)

    @property
    def lost(self) -> bool:
        """The shim died without an exit record."""
        return not self.alive and self.exit is None


class ShimLink:
    """One shim. Nothing here keeps it alive: it outlives this object and this process."""

    @classmethod
    async def launch(cls, directory: Path, spec: Spec) -> ShimLink:
        """Start a shim in `directory` (made if missing; one per life of a program)."""
        raise NotImplementedError

    @classmethod
    async def attach(cls, directory: Path) -> ShimLink:
        """Find the shim of `directory` again, living, ended or lost. Raises NotFound: there never was one."""
        raise NotImplementedError

    @property
    def status(self) -> ShimStatus:
        """What is true now."""
        raise NotImplementedError

    async def wait(self) -> ExitRecord:
        """Wait until the whole tree is gone."""
        raise NotImplementedError

    async def stop(self, *, signal: str, grace_s: float) -> ExitRecord:
        """Stop the whole tree; returns when it is gone."""
        raise NotImplementedError

    async def write(self, text: str) -> None:
        """Write to the program's stdin. Raises Busy: it does not read; ConflictError: it has no stdin (any more)."""
        raise NotImplementedError

    async def new_output(self, position: Position) -> None:
        """Wait until the spool goes beyond `position`; also returns when the shim has ended."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let go; the shim goes on."""
        raise NotImplementedError


def exec_in_terminal(directory: Path, spec: Spec) -> NoReturn:
    """Become the shim: the calling process is replaced (same pid, its terminal, its exit status)."""
    raise NotImplementedError
