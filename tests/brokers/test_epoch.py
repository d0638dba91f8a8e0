"""Which life of the store it is: the same after a crash, another one after a restored backup."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.brokers import schema
from antiphon.brokers.sqlite import SqliteBroker

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from antiphon.brokers.base import Batch
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.messages import Event

broker = SqliteBroker(Path(sys.argv[1]), synchronous=sys.argv[2])
broker.open()
head = asyncio.run(broker.bounds("a")).head
asyncio.run(broker.append(Batch(events=[Event("a", head + 1, "note", b"1", 0, None)])))
print(broker.epoch, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def live_and_die(directory: Path, synchronous: str = "full") -> str:
    """Open the store in a process of its own, append one event, end by SIGKILL; returns the epoch."""
    child = subprocess.run(
        [sys.executable, "-c", KILLED, directory, synchronous], capture_output=True, text=True, timeout=60, check=False
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    return child.stdout.strip()


async def live(directory: Path, synchronous: str = "full") -> str:
    """Open and close in order."""
    broker = SqliteBroker(directory, synchronous=synchronous)
    broker.open()
    epoch = broker.epoch
    await broker.close()
    return epoch


def overwrite(path: Path, content: bytes) -> None:
    """As `cp` does: the file stays the same one."""
    with path.open("r+b") as file:
        file.truncate()
        file.write(content)


def hot_copy(source: Path, target: Path) -> None:
    """As `sqlite3 antiphon.db ".backup FILE"` does, while the store is in use."""
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


async def test_the_epoch_is_kept_over_orderly_ends(tmp_path: Path) -> None:
    assert await live(tmp_path) == await live(tmp_path) == await live(tmp_path)


@pytest.mark.parametrize("synchronous", ["full", "normal"])
async def test_the_epoch_is_kept_over_abandonment(tmp_path: Path, synchronous: str) -> None:
    first = await live(tmp_path, synchronous)
    assert live_and_die(tmp_path, synchronous) == first
    assert live_and_die(tmp_path, synchronous) == first
    assert await live(tmp_path, synchronous) == first
    assert await live(tmp_path, synchronous) == first


async def test_another_directory_has_another_epoch(tmp_path: Path) -> None:
    assert await live(tmp_path / "a") != await live(tmp_path / "b")


async def test_a_file_put_back_from_an_earlier_life_begins_an_epoch(tmp_path: Path) -> None:
    first = await live(tmp_path / "data")
    database = tmp_path / "data" / schema.DATABASE
    shutil.copy(database, tmp_path / "backup")
    assert await live(tmp_path / "data") == first
    (tmp_path / "backup").replace(database)
    second = await live(tmp_path / "data")
    assert second != first
    assert await live(tmp_path / "data") == second


async def test_a_file_overwritten_in_place_begins_an_epoch(tmp_path: Path) -> None:
    first = await live(tmp_path)
    database = tmp_path / schema.DATABASE
    older = database.read_bytes()
    assert await live(tmp_path) == first
    inode = database.stat().st_ino
    overwrite(database, older)
    assert database.stat().st_ino == inode
    assert await live(tmp_path) != first


@pytest.mark.parametrize("in_place", [True, False])
async def test_a_backup_of_the_life_that_crashed_begins_an_epoch(tmp_path: Path, in_place: bool) -> None:
    """What was acknowledged after the copy is lost, though the copy is of the very life that ended."""
    data = tmp_path / "data"
    broker = SqliteBroker(data)
    broker.open()
    first = broker.epoch
    hot_copy(data / schema.DATABASE, tmp_path / "backup")
    abandon(broker, data)
    if in_place:
        overwrite(data / schema.DATABASE, (tmp_path / "backup").read_bytes())
    else:
        (tmp_path / "backup").replace(data / schema.DATABASE)
    (data / f"{schema.DATABASE}-wal").unlink()
    (data / f"{schema.DATABASE}-shm").unlink(missing_ok=True)
    assert await live(data) != first


def abandon(broker: SqliteBroker, directory: Path) -> None:
    """Leave the files as a killed process leaves them, in the same inodes."""
    wal = directory / f"{schema.DATABASE}-wal"
    files = {path: path.read_bytes() for path in (directory / schema.DATABASE, wal)}
    os.link(wal, directory / "kept")
    for connection in (broker._reads, broker._db, broker._checkpointer._db):
        connection.close()
    while not broker._searcher._idle.empty():
        broker._searcher._idle.get_nowait().close()
    broker._lock.release()
    (directory / "kept").replace(wal)
    for path, content in files.items():
        overwrite(path, content)


async def test_a_copied_directory_is_another_store(tmp_path: Path) -> None:
    first = await live(tmp_path / "data")
    live_and_die(tmp_path / "data")
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    assert await live(tmp_path / "copy") != first
    assert await live(tmp_path / "data") == first


async def test_a_lost_life_file_begins_an_epoch(tmp_path: Path) -> None:
    first = await live(tmp_path)
    (tmp_path / schema.LIFE).unlink()
    assert await live(tmp_path) != first


@pytest.mark.parametrize(("synchronous", "is_kept"), [("full", True), ("normal", False)])
async def test_an_unclean_stop_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synchronous: str, is_kept: bool
) -> None:
    """Without a sync at each commit, the last acknowledged events may not have reached the disk."""
    first = live_and_die(tmp_path, synchronous)
    monkeypatch.setattr(schema, "boot_id", lambda: "another boot")
    assert (await live(tmp_path, synchronous) == first) is is_kept


async def test_a_clean_end_before_a_new_boot_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await live(tmp_path, "normal")
    monkeypatch.setattr(schema, "boot_id", lambda: "another boot")
    assert await live(tmp_path, "normal") == first
