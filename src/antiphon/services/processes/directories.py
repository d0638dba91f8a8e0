"""The directories of starts: DATA/processes/NAME/START_ID/, one per life of a program.

A start made by the server belongs to the process NAME. One made by `antiphon run` carries a `run.json`
`{name, source: "run", assigned, ticket}`: `name` is what the user asked for until the server has assigned the name
under which its lines are published; from then on it is that, so that the next server continues the same channel.
`ticket` makes it a run of the runs service.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from antiphon.services.names import NAME_PATTERN, Name
from antiphon.services.processes.wrapped import Ticket

RUN = "run.json"
BELL = ".bell"  # a name with this prefix appears in DATA/processes when a run has been made
_START_ID = re.compile(r"[0-9]{13}-[0-9a-f]{8}")
_NAME = re.compile(NAME_PATTERN)


class RunFile(BaseModel):
    """What `run.json` holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Name
    source: str = "run"
    assigned: bool = False  # whether the server has settled the name
    ticket: Ticket | None = None  # None = only its lines are of interest


class StartDirectory(NamedTuple):
    """One start; `run` is None where the server made it."""

    path: Path
    run: RunFile | None

    @property
    def start_id(self) -> str:
        return self.path.name

    @property
    def key(self) -> str:
        """Names this start among all: its directory below DATA/processes."""
        return f"{self.path.parent.name}/{self.path.name}"

    @property
    def name(self) -> str:
        """Of the process it belongs to."""
        return self.path.parent.name if self.run is None else self.run.name

    @property
    def source(self) -> str:
        return "config" if self.run is None else "run"

    def assign(self, name: str) -> StartDirectory:
        """Settle the name of a run, durably. Raises OSError."""
        assigned = self.named(name)
        assert assigned.run is not None
        _write(self.path / RUN, assigned.run.model_dump())
        return assigned

    def named(self, name: str) -> StartDirectory:
        """The same run under a settled name."""
        run = self.run or RunFile(name=name)
        return StartDirectory(self.path, run.model_copy(update={"name": name, "assigned": True}))

    @property
    def is_bare(self) -> bool:
        """Whether no shim has left anything in it. Raises OSError."""
        return {path.name for path in self.path.iterdir()} <= {RUN}

    def age_s(self) -> float:
        """Seconds since something was made in it last. Raises OSError."""
        return max(0.0, time.time() - self.path.stat().st_mtime)

    def remove(self) -> None:
        """Delete it with all it holds; what is gone already is fine. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.path)
        with contextlib.suppress(OSError):  # another start of the same process is there
            self.path.parent.rmdir()


def create(root: Path, name: str) -> StartDirectory:
    """Make the directory of a start by the server. Raises OSError."""
    path = root / name / _new_id()
    path.mkdir(parents=True, mode=0o700)
    return StartDirectory(path, None)


def create_run(root: Path, name: str, ticket: Ticket | None = None) -> StartDirectory:
    """Make the directory of a run in a user's terminal and tell a server that watches `root`. Raises OSError.

    Args:
        root: DATA/processes; made if missing.
        name: What the user asked for; must match NAME_PATTERN.
        ticket: By which it is a run of the runs service too.
    """
    run = RunFile(name=name, ticket=ticket)
    start_id = _new_id()
    path = root / name / start_id
    making = root / name / f".{start_id}"
    making.mkdir(parents=True, mode=0o700)
    _write(making / RUN, run.model_dump())
    making.rename(path)  # with run.json from the first moment, or it would look like a start by the server
    ring(root)
    return StartDirectory(path, run)


def ring(root: Path) -> None:
    """Make a watching server look for new starts now."""
    bell = root / f"{BELL}-{secrets.token_hex(8)}"
    bell.touch()
    bell.unlink()


def find(root: Path) -> Iterator[StartDirectory]:
    """All starts below `root`, by process the oldest first; what is no start is passed over. Raises OSError."""
    if not root.is_dir():
        return
    for parent in sorted(root.iterdir()):
        if _NAME.fullmatch(parent.name) and parent.is_dir():
            for path in sorted(parent.iterdir()):
                if _START_ID.fullmatch(path.name):
                    yield StartDirectory(path, _read_run(path))


def _new_id() -> str:
    return f"{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(4)}"


def _read_run(path: Path) -> RunFile | None:
    try:
        text = (path / RUN).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return RunFile.model_validate_json(text)
    except ValidationError:
        return RunFile(name=path.parent.name)


def _write(path: Path, data: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(orjson.dumps(data))
    fresh.replace(path)
