"""Real shims with real programs; whatever a test leaves running is stopped."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.services.processes.shimlink import ShimLink, Spec
from antiphon.services.processes.spool import Line, Position, Spool

Launch = Callable[..., Awaitable[ShimLink]]


def spec_of(program: str, **options: Any) -> Spec:
    """A spec that runs `program`, Python source."""
    command = (sys.executable, "-S", "-u", "-c", program)
    return Spec(**{"command": command, "cwd": "/", "env": dict(os.environ), "grace_s": 5.0, **options})


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """`await launch(program, **options of Spec)` starts a shim in a directory of its own."""
    links: list[ShimLink] = []

    async def start(program: str = "", *, directory: Path | None = None, **options: Any) -> ShimLink:
        where = directory or tmp_path / f"life{len(links)}"
        link = await ShimLink.launch(where, spec_of(program, **options))
        link.directory = where  # type: ignore[attr-defined]  # for the tests' convenience
        links.append(link)
        return link

    yield start
    for link in links:
        await link.stop(signal="KILL", grace_s=0)
        await link.close()


class Follower:
    """Reads a spool as the server does."""

    def __init__(self, link: ShimLink, directory: Path, position: Position = Position()) -> None:  # noqa: B008
        self.link, self.position, self.spool = link, position, Spool(directory)
        self.lost = 0

    async def batch(self) -> list[Line]:
        """The next lines; none once all have been read and the shim has ended."""
        while True:
            alive = self.link.status.alive
            lines, position, lost = self.spool.read(self.position)
            self.position = position
            self.lost += lost
            if lines or not alive:
                return lines
            await self.link.new_output(self.position)

    async def until(self, text: str) -> list[str]:
        """Texts of all lines up to the batch that holds `text`."""
        texts: list[str] = []
        while text not in texts:
            lines = await self.batch()
            assert lines, f"ended without {text!r}: {texts[-5:]}"
            texts += [line.text for line in lines]
        return texts

    async def rest(self) -> list[Line]:
        """All lines until the end."""
        lines: list[Line] = []
        while some := await self.batch():
            lines += some
        self.spool.close()
        return lines


@pytest.fixture
def output() -> Callable[[ShimLink], Awaitable[list[Line]]]:
    """`await output(link)`: all that a program has written, once it has ended."""

    async def read(link: ShimLink) -> list[Line]:
        return await Follower(link, link.directory).rest()  # type: ignore[attr-defined]

    return read


@pytest.fixture
def follow() -> Callable[[ShimLink], Follower]:
    """`follow(link)`: a reader of its spool."""
    return lambda link: Follower(link, link.directory)  # type: ignore[attr-defined]
