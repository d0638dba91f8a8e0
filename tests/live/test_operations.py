"""What operators meet: two servers on one directory, restarts, a full disk, a restored backup, several workers."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer, free_port
from tests.live.workspace import ask

APP = """
from fastapi import FastAPI
from antiphon import Antiphon
app = FastAPI()
Antiphon(data="data").mount(app)
"""
LABEL = r'[a-z_]+="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"([a-z_]+)(\{{{LABEL}(?:,{LABEL})*\}})? (-?[0-9.]+(?:e[-+]?[0-9]+)?)")
SUFFIXES = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
CHANNELS = ("a", "board")
MIB = 1024 * 1024
BIG = "x" * (MIB // 2)


@pytest.fixture(scope="module")
def sockets() -> str:
    """The way that sockets take changes nothing here."""
    return "auto"


def serve_again(server: RealServer) -> subprocess.CompletedProcess[str]:
    """A second server on the data of the first."""
    command = [sys.executable, "-m", "antiphon", "serve", "--port", "0", "--data", str(server.data)]
    return subprocess.run(command, cwd=server.data.parent, capture_output=True, text=True, timeout=DEADLINE_S)


async def test_a_second_server_names_the_first_and_a_stale_lock_is_no_obstacle(server: RealServer) -> None:
    refused = await asyncio.to_thread(serve_again, server)
    assert refused.returncode == 1
    assert f"process {server.pid} " in refused.stderr
    assert "Traceback" not in refused.stderr
    await ask(server, "ping")  # the first has not noticed
    await server.kill()
    assert (server.data / "antiphon.lock").exists()
    await server.start()
    await ask(server, "ping")


async def test_health_and_metrics(shared: RealServer) -> None:
    async with httpx2.AsyncClient(base_url=shared.url) as client:
        for path in ("/healthz", "/readyz"):
            assert (await client.get(path)).status_code == 200
        before = samples((await client.get("/metrics")).text)
        async with Rpc.connect(shared.live) as rpc:
            await rpc.call("subscribe", channel="a")
            await rpc.call("publish", channel="a", type="t", data=1)
            await rpc.next("event")
            answer = await client.get("/metrics")
        during = samples(answer.text)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name in ("antiphon_published_total", "antiphon_deliveries_total", "antiphon_connections_total"):
        assert during[name] > before[name]


def samples(text: str) -> dict[str, float]:
    """Prometheus text format 0.0.4, read strictly: every sample follows the help and the type of its metric."""
    found: dict[str, float] = {}
    helped, allowed = "", [""]
    for line in text.removesuffix("\n").split("\n"):
        match line.split(" ", 3):
            case ["#", "HELP", name, _]:
                helped, allowed = name, []
            case ["#", "TYPE", name, kind]:
                assert name == helped
                assert (kind == "counter") == name.endswith("_total")
                allowed = [name + suffix for suffix in SUFFIXES[kind]]
            case _:
                sample = SAMPLE.fullmatch(line)
                assert sample is not None, line
                assert sample[1] in allowed
                assert sample[1] + (sample[2] or "") not in found
                found[sample[1] + (sample[2] or "")] = float(sample[3])
    return found


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_restart_loses_nothing(end: str, server: RealServer) -> None:
    patch = {"ops": [{"op": "add", "path": "/tea", "value": ["white", {"cups": 3}]}]}
    keyed = {"channel": "a", "type": "t", "data": "once", "idempotency_key": "k"}
    async with Rpc.connect(server.live) as rpc:
        for number in range(50):
            await rpc.call("publish", channel="a", type="t", data=number)
        cursor = await rpc.call("publish", **keyed)
        await rpc.call("publish", channel="board", type="state.patch", data=patch)
        before = await everything(rpc)
    await getattr(server, end)()
    await server.start()
    async with Rpc.connect(server.live) as rpc:
        assert await everything(rpc) == before
        assert await rpc.call("publish", **keyed) == cursor
        conflict = await rpc.refused("publish", **{**keyed, "data": "twice"})
        assert conflict["data"]["code"] == "key_conflict"
        reply = await rpc.call("subscribe", channel="a", after={"epoch": cursor["epoch"], "offset": 49})
        assert (reply["recovered"], reply["after"], reply["head"]) == (True, 49, 51)
        assert [(await rpc.next("event"))["data"] for _ in range(2)] == [49, "once"]
        assert (await rpc.call("publish", channel="a", type="t", data=0))["offset"] == 52


async def everything(rpc: Rpc) -> dict[str, Any]:
    listed = (await rpc.call("channel.list"))["channels"]
    return {
        "channels": [row for row in listed if row["channel"] in CHANNELS],  # the server has some of its own
        "events": [await rpc.call("history", channel=name, limit=1000) for name in CHANNELS],
        "state": await rpc.call("state", channel="board"),
    }


@contextmanager
def small_disk(path: Path, size_bytes: int) -> Iterator[Path]:
    """A file system of its own that is quickly full."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root on Linux")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


async def test_a_full_disk_refuses_publishes_until_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24 * MIB) as disk:
        server = RealServer(disk / "data")
        await server.start()
        try:
            async with Rpc.connect(server.live) as rpc:
                await rpc.call("publish", channel="a", type="t", data="kept")
                head = await publish_until_full(rpc, disk / "ballast")
                for _ in range(3):
                    error = await rpc.refused("publish", channel="a", type="t", data=BIG)
                    assert error["data"] == {"code": "storage_full", "retryable": True}
                async with httpx2.AsyncClient(base_url=server.url, timeout=DEADLINE_S) as client:
                    body = {"type": "t", "data": BIG}
                    assert (await client.post("/api/channels/a/events", json=body)).status_code == 507
                await check_reading(rpc, head)
                (disk / "ballast").unlink()
                cursor = await rpc.call("publish", channel="a", type="t", data=BIG)
                assert cursor["offset"] == head + 1
                await check_reading(rpc, head + 1)
            await server.kill()
            await server.start()
            async with Rpc.connect(server.live) as rpc:
                await check_reading(rpc, head + 1)
        finally:
            await server.kill()


async def publish_until_full(rpc: Rpc, ballast: Path) -> int:
    """Leave no room on the disk; returns the newest offset that was acknowledged."""
    with ballast.open("wb", buffering=0) as file:
        while file.write(bytes(64 * 1024)) == 64 * 1024:
            pass
    head = 1
    while True:
        reply = await (await rpc.send("publish", channel="a", type="t", data="y" * 10_000))
        if "error" in reply:
            return head
        head = reply["result"]["offset"]


async def check_reading(rpc: Rpc, head: int) -> None:
    page = await rpc.call("history", channel="a", after=0, limit=1)
    assert (page["head"], page["events"][0]["data"]) == (head, "kept")
    assert (await rpc.call("search", channel="a", text="kept"))["count"] == 1
    await rpc.call("subscribe", channel="a", after="start")
    assert [(await rpc.next("event"))["offset"] for _ in range(head)] == [*range(1, head + 1)]
    assert (await rpc.next())["offset"] == head
    await rpc.call("unsubscribe", channel="a")


async def test_a_restored_backup_is_another_epoch(server: RealServer, tmp_path: Path) -> None:
    async with Rpc.connect(server.live) as rpc:
        for number in range(3):
            await rpc.call("publish", channel="a", type="t", data=number)
        backup(server.data / "antiphon.db", tmp_path / "backup.db")
        cursor = await rpc.call("publish", channel="a", type="t", data="after the backup")
    await server.stop()
    server.data.rename(tmp_path / "lost")
    server.data.mkdir()
    shutil.copy(tmp_path / "backup.db", server.data / "antiphon.db")
    await server.start()
    async with Rpc.connect(server.live) as rpc:
        reply = await rpc.call("subscribe", channel="a", after=cursor)
        assert reply["epoch"] != cursor["epoch"]
        assert (reply["recovered"], reply["after"], reply["head"]) == (False, 0, 3)
        assert [(await rpc.next("event"))["data"] for _ in range(3)] == [0, 1, 2]


def backup(source: Path, target: Path) -> None:
    """As docs/operations.md says."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


async def test_a_second_worker_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "main:app", "--workers", "2", "--port", str(port)]
    said = await asyncio.to_thread(run_until, command, tmp_path, "antiphon.connect()")
    assert "one process owns it at a time" in said
    assert "antiphon serve" in said


def run_until(command: list[str], cwd: Path, wanted: str) -> str:
    """What a program says on standard error until the line with `wanted`; then it is stopped."""
    program = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert program.stderr is not None
    try:
        said = []
        for line in program.stderr:
            said.append(line)
            if wanted in line:
                return "".join(said)
        raise AssertionError("".join(said))
    finally:
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=DEADLINE_S)
