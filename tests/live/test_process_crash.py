"""`kill -9` of the server at random moments while programs start, write, end or cannot be started.

The programs write down themselves what is true: in one file, when they start and how they end. After each restart the
table has to say the same, and in the end the log has to hold every line of every life once, in order.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import defaultdict
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.workspace import Row, ask, python, rows, whole_log, write_settings

TRUE_WITHIN_S = 2.0
KILLS = 3
PROGRAM = """
import os, sys, time
truth, name, count, code, gate, pause = sys.argv[1:]
def note(*words):
    os.write(book, (" ".join(map(str, words)) + "\\n").encode())
book, me = os.open(truth, os.O_WRONLY | os.O_APPEND), os.getpid()
note("start", name, me)
for number in range(int(count)):
    os.write(1 + number % 2, b"%d:%d\\n" % (me, number))
    if number % 10 == 9 and float(pause):
        time.sleep(float(pause))
if gate != "-":
    open(gate).read()
note("end", name, me, count, code)
sys.exit(int(code))
"""
"""Writes numbered lines to both streams in turn, waits at its gate if it has one, ends."""


@dataclass
class Life:
    pid: int
    lines: int | None = None  # None = it has not ended by itself
    code: int | None = None

    @property
    def runs(self) -> bool:
        try:
            return self.code is None and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


class Plant:
    """The programs, the server that keeps them, and what is true of them."""

    def __init__(self, home: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.truth, self.gate = home / "truth", home / "gate"
        self.truth.touch()
        os.mkfifo(self.gate)
        quick = {"restart": "always", "restart_delay_s": 0.05, "restart_max_delay_s": 0.2}
        tables = {
            "process.brief": self.program("brief", 2000, 3),
            "process.gated": self.program("gated", 500, 7, gate=str(self.gate)),
            "process.endless": self.program("endless", 10**9, 0, pause=0.02),
            "process.restless": self.program("restless", 50, 1, **quick),
            "process.missing": {"command": ["./no-such-program"]},
        }
        self.names = [name.removeprefix("process.") for name in tables]
        self.server = RealServer(home / "data", config=write_settings(home / "antiphon.toml", tables))

    def program(
        self, name: str, count: int, code: int, *, gate: str = "-", pause: float = 0, **settings: Any
    ) -> dict[str, Any]:
        return python(PROGRAM, self.truth, name, count, code, gate, pause, grace_s=0.5, **settings)

    def clear(self) -> None:
        """End what a test that failed while there was no server has left behind."""
        for life in (life for its in self.lives().values() for life in its if life.runs):
            os.kill(life.pid, signal.SIGKILL)

    def lives(self) -> dict[str, list[Life]]:
        found: defaultdict[str, list[Life]] = defaultdict(list)
        for line in self.truth.read_text().splitlines():
            match line.split():
                case ["start", name, pid]:
                    found[name].append(Life(int(pid)))
                case ["end", name, pid, count, code]:
                    life = next(life for life in found[name] if life.pid == int(pid))
                    life.lines, life.code = int(count), int(code)
        return found

    async def crash(self) -> None:
        """Ask for many things at once and kill the server at some event, before, while or after they are done."""
        async with AsyncExitStack() as stack:
            rpc = await stack.enter_async_context(Rpc.connect(self.server.live))
            for channel in ("processes", *(f"log:{name}" for name in self.names)):
                await rpc.call("subscribe", channel=channel)
            for name in self.names:
                starts = name == "endless" or self.random.random() < 0.75  # somebody must go on writing
                await rpc.send("process.start" if starts else "process.stop", name=name)
            for _ in range(self.random.choice([0, 3, 10, 30, 100])):
                await rpc.next("event")
            await self.server.kill()

    async def meanwhile(self) -> None:
        """Nobody watches: some programs end."""
        if gated := [life for life in self.lives()["gated"] if life.runs]:
            end = self.random.choice([None, self.gate, signal.SIGKILL])
            if end is self.gate:
                await asyncio.to_thread(lambda: self.gate.open("w").close())
            elif end is not None:
                os.kill(gated[-1].pid, signal.SIGKILL)
            if end is not None:
                await asyncio.to_thread(self.await_end, gated[-1].pid)

    @staticmethod
    def await_end(pid: int) -> None:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait(DEADLINE_S)

    async def check_rows(self) -> None:
        """Wait until the table says what is true."""
        wrong = ["nothing was looked at"]
        async with Rpc.connect(self.server.live) as rpc:
            for channel in ("processes", *(f"log:{name}" for name in self.names)):
                await rpc.call("subscribe", channel=channel)
            try:
                async with asyncio.timeout(TRUE_WITHIN_S):
                    while wrong := self.lies((await rpc.call("state", channel="processes"))["value"]):
                        await rpc.next("event")
            except TimeoutError:
                raise AssertionError(f"{wrong}, {self.truth.read_text()}") from None

    def lies(self, table: dict[str, Row]) -> list[str]:
        """Rows that are not true, programs of which no row tells."""
        lives = self.lives()
        found = [f"{name} is {table[name]}" for name in self.names if not self.is_true(table[name], lives[name], name)]
        told = {row["pid"] for row in table.values()}
        return found + [
            f"{life.pid} of {name} runs unnoticed"
            for name in lives
            for life in lives[name]
            if self.is_unnoticed(life, told)
        ]

    @staticmethod
    def is_unnoticed(life: Life, told: set[int | None]) -> bool:
        return life.pid not in told and life.runs

    @staticmethod
    def is_true(row: Row, lives: list[Life], name: str) -> bool:
        if name == "restless":  # comes and goes; its lives are counted in the end
            return True
        if name == "missing":
            return row["status"] == "stopped" or (row["status"] == "failed" and "no-such-program" in row["reason"])
        if not lives:
            return row["status"] in ("stopped", "failed") and row["pid"] is None
        last = lives[-1]
        if last.runs:
            return (row["status"], row["pid"]) == ("running", last.pid)
        well = row["status"] == "exited" or row["status"] == "stopped" or last.code != 0
        return row["pid"] is None and well and has_ended_so(row, last)

    async def check_logs(self) -> None:
        """Every line of every life once, in order, between its start and its end."""
        lives = self.lives()
        for name in self.names:
            told = split(await whole_log(self.server, f"log:{name}"))
            assert set(told) >= {life.pid for life in lives[name]}, (name, told.keys())
            for life in lives[name]:
                check_life(life, told[life.pid])


def has_ended_so(told: dict[str, Any], life: Life) -> bool:
    """Whether a row or an event tells the end of a life; one that was just leaving may have been signalled still."""
    if told["signal"] is not None:
        return told["signal"] in ("SIGTERM", "SIGKILL") and told["exit_code"] is None
    return life.code is not None and told["exit_code"] == life.code


def split(events: list[Any]) -> dict[int, list[Any]]:
    """The events of each life by its pid; nothing lies between two lives."""
    found: dict[int, list[Any]] = {}
    for event in events:
        if event["type"] == "process.started":
            pid = event["data"]["pid"]
            assert pid not in found, "a start was told twice"
            found[pid] = []
        found[pid].append(event)
    return found


def check_life(life: Life, events: list[Any]) -> None:
    assert events[-1]["type"] == "process.exited"
    assert has_ended_so(events[-1]["data"], life)
    numbers = {"stdout": [], "stderr": []}
    for event in events[1:-1]:
        pid, number = map(int, event["data"]["text"].split(":"))
        assert pid == life.pid
        numbers[event["data"]["stream"]].append(number)
    for first, told in enumerate(numbers.values()):
        assert told == list(range(first, first + 2 * len(told), 2)), "a line is missing or twice"
    if life.lines is not None:
        assert sum(map(len, numbers.values())) == life.lines


SEEDS = [pytest.param(seed, marks=[pytest.mark.slow] if seed else []) for seed in range(12)]


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_each_kill_every_row_tells_the_truth_and_no_line_is_lost(seed: int, tmp_path: Path) -> None:
    plant = Plant(tmp_path, seed)
    await plant.server.start()
    try:
        for _ in range(KILLS):
            await plant.crash()
            await plant.meanwhile()
            await plant.server.start()
            await plant.check_rows()
        for name in plant.names:
            row = (await ask(plant.server, "process.stop", name=name))["process"]
            assert row["status"] in ("stopped", "exited", "failed")
        assert not [life for its in plant.lives().values() for life in its if life.runs]
        for name, its in plant.lives().items():
            await until_end(plant.server, name, its[-1].pid)
        await plant.check_logs()
        assert not [row for row in (await rows(plant.server)).values() if row["pid"] is not None]
    finally:
        await plant.server.stop()
        plant.clear()


async def until_end(server: RealServer, name: str, pid: int) -> None:
    """Wait until the log tells of the end of this life."""
    async with Rpc.connect(server.live) as rpc:
        await rpc.call("subscribe", channel=f"log:{name}", after="start")
        current = None
        while True:
            event = await rpc.next("event")
            if event["type"] == "process.started":
                current = event["data"]["pid"]
            elif event["type"] == "process.exited" and current == pid:
                return
