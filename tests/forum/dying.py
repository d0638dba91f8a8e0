"""A forum that is killed. Prints what it has done so far; `kill -9` may come at any point of the hub's work.

Arguments: directory, port of nothing. Reads one line of JSON: {"lines": [[app, text], ...], "die": POINT, "after": N}.
It appends the lines to the apps' logs (from where an earlier life stopped) while the forum takes them in.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from tests.forum.kit import life_on

from antiphon.brokers.base import Batch
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.messages import NewEvent
from antiphon.services.forum import logfile


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal:
    """Ends this process at the n-th time that something is reached."""

    def __init__(self, point: str, after: int) -> None:
        self._point = point
        self._left = after

    def reached(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left < 0:
                die()

    def around_commits(self, append: Callable[[Batch], Awaitable[None]]) -> Callable[[Batch], Awaitable[None]]:
        async def mortal(batch: Batch) -> None:
            if any(event.channel in ("forum:main", "log:forum") for event in batch.events):
                self.reached("before_commit")
                await append(batch)
                self.reached("after_commit")
            else:
                await append(batch)

        return mortal

    def around_writes(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def mortal(file: logfile.ForumFile, text: bytes) -> None:
            if self._point == "in_file" and text:
                self._left -= 1
                if self._left < 0:
                    write(file, text[: len(text) // 2])
                    die()
            write(file, text)
            if text:
                self.reached("after_file")

        return mortal


async def main(directory: Path, wanted: dict[str, Any]) -> None:
    """Write the lines, and wait until the forum has all of them and the file too; then end in order."""
    mortal = Mortal(wanted["die"], wanted["after"])
    broker = SqliteBroker(directory / "data")
    broker.open()
    broker.append = mortal.around_commits(broker.append)  # type: ignore[method-assign]
    logfile.ForumFile._write = mortal.around_writes(logfile.ForumFile._write)  # type: ignore[method-assign]
    file = directory / "forum.log"
    async with life_on(broker, file=file, threshold=wanted["threshold"]) as life:
        for number, (app, text) in enumerate(wanted["lines"]):
            if await life.hub.published(f"log:{app}", f"line-{number}") is None:
                payload = orjson.dumps({"text": text, "stream": "stdout"})
                await life.hub.publish(NewEvent(f"log:{app}", "line", payload, None, f"line-{number}"))
        await life.until_state(lambda state: _agents(state) >= wanted["speeches"] and _is_quiet(state))
        records = await life.records()
        while file.read_text("utf-8").splitlines() != records:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)


def _agents(state: dict[str, Any]) -> int:
    return sum(row["speeches"] for row in state.get("speakers", {}).values() if row["kind"] == "agent")


def _is_quiet(state: dict[str, Any]) -> bool:
    return state["host"]["status"] == "idle" and state["buffered"] < state["threshold"]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), orjson.loads(sys.stdin.readline())))
