"""The receivers of the delivery benchmarks see what goes wrong, and the scenarios still run; no figure is looked at."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import websockets
from bench.delivery import page, picture
from bench.delivery.peers.base import Receiver
from bench.delivery.programs import Report, load
from bench.delivery.scenario import Bar

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="the load generator is a C program")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that answers a message with the events whose numbers it names: `1 2 4`."""

    async def answer(socket: websockets.ServerConnection) -> None:
        async for wanted in socket:
            for number in str(wanted).split():
                await socket.send(f'{{"n":{number},"t":1}}')
            await socket.send("ready")

    async with websockets.serve(answer, "127.0.0.1", 0, compression=None) as server:
        yield server.sockets[0].getsockname()[1]


def received(port: int, numbers: str, *, connections: int = 3) -> Report:
    with load(port, Receiver("/", (numbers,), "ready", 1), connections) as clients:
        return clients.report()


@pytest.mark.parametrize(
    ("numbers", "holes", "duplicates"),
    [("1 2 3", 0, 0), ("1 2 4 5", 1, 0), ("1 2 2 3", 0, 1), ("2 1 3", 1, 1), ("1 5", 3, 0)],
)
async def test_holes_and_repetitions_are_seen(port: int, numbers: str, holes: int, duplicates: int) -> None:
    report = await asyncio.to_thread(received, port, numbers)
    assert report["messages"] == 3 * len(numbers.split())
    assert (report["holes"], report["duplicates"]) == (3 * holes, 3 * duplicates)
    assert report["latency_us"]["n"] == report["messages"]


async def test_who_stops_reading_is_not_waited_for(port: int) -> None:
    def stalling() -> Report:
        with load(port, Receiver("/", ("1 2 3",), "ready", 1), 3) as clients:
            clients.stall(2)
            return clients.expect(3, within_s=60)

    report = await asyncio.to_thread(stalling)
    assert (report["stalled"], report["open"], report["complete"]) == (2, 1, 1)


async def test_after_a_cut_all_come_back_with_what_they_had(port: int) -> None:
    def cutting() -> Report:
        with load(port, Receiver("/", ("1 2 3",), "ready", 1), 3) as clients:
            assert clients.cut()["open"] == 0
            return clients.connect(("@LAST@ 4",))

    report = await asyncio.to_thread(cutting)
    assert (report["open"], report["duplicates"], report["lowest"]) == (3, 3, 4)


@pytest.mark.parametrize("scenario", ["bursts", "storm", "messages", "socketio", "socketio-polling"])
def test_it_runs(scenario: str) -> None:
    command = [
        sys.executable,
        "-m",
        "bench.delivery",
        "--quick",
        "--only",
        scenario,
        "--servers",
        "antiphon,antiphon-socketio",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "is written" not in done.stdout


def test_a_page_keeps_what_others_wrote() -> None:
    old = f"# Benchmarks\n\ntext\n\n{page.BEGIN}\nold\n{page.END}\n\nmore\n"
    new = page.replaced(old, f"{page.BEGIN}\nnew\n{page.END}")
    assert "old" not in new
    assert all(text in new for text in ("text", "more", "new"))
    assert page.replaced(new, f"{page.BEGIN}\nnew\n{page.END}") == new


def test_the_picture_names_every_bar() -> None:
    drawn = picture.draw([Bar("one", "Antiphon", 1.2), Bar("one", "A & B", 12.0)], "µs")
    assert drawn.startswith("<svg")
    assert "A &amp; B" in drawn
