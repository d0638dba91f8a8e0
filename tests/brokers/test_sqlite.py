"""What only the SQLite store promises: one owner, nothing by halves, survival of a full disk, commits in threads."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from antiphon.brokers import schema
from antiphon.brokers import sqlite as module
from antiphon.brokers.base import Batch, Bounds, Receipt, ReceiptKey, Snapshot
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.errors import DataDirectoryInUse, StorageError, StorageFailed, StorageFull
from brokers.kit import event, events, fill, whole

KEY = ReceiptKey("ann", "a", "k")

OWNER = """
import sys
from pathlib import Path
from antiphon.brokers.sqlite import SqliteBroker

broker = SqliteBroker(Path(sys.argv[1]))
broker.open()
print("open", flush=True)
sys.stdin.read()
"""

FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from antiphon.brokers.base import Batch
from antiphon.brokers.sqlite import SqliteBroker
from antiphon.errors import StorageError
from antiphon.messages import Event

async def main():
    broker = SqliteBroker(Path(sys.argv[1]))
    broker.open()
    async def append(first, last):
        await broker.append(Batch(events=[Event("a", n, "note", b"1" * 9000, 0, None) for n in range(first, last + 1)]))
    await append(1, 3)
    size = (Path(sys.argv[1]) / "antiphon.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, resource.RLIM_INFINITY))
    try:
        await append(4, 30)
    except StorageError as exc:
        print(type(exc).__mro__[1].__name__)
    print(*await broker.bounds("a"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await append(4, 30)
    print(*await broker.bounds("a"))
    await broker.close()

asyncio.run(main())
"""


def everything(offset: int = 1) -> Batch:
    """One of each that a batch can hold."""
    return Batch(
        events=[event("a", offset), event("new", 1)],
        receipts={KEY: Receipt(offset, b"d")},
        snapshots={"a": Snapshot(offset, offset, b"{}")},
        checkpoints={"importer": "7"},
    )


async def assert_nothing_of(broker: SqliteBroker) -> None:
    assert await broker.bounds("new") == Bounds(1, 0)
    assert await broker.receipts([KEY]) == {}
    assert await broker.snapshot("a") is None
    assert await broker.checkpoint("importer") is None
    assert "new" not in dict(await broker.channels(""))


async def assert_all_of(broker: SqliteBroker, offset: int = 1) -> None:
    assert (await broker.bounds("a")).head == offset
    assert await broker.bounds("new") == Bounds(1, 1)
    assert await broker.receipts([KEY]) == {KEY: Receipt(offset, b"d")}
    assert await broker.snapshot("a") == Snapshot(offset, offset, b"{}")
    assert await broker.checkpoint("importer") == "7"


# keeping


async def test_all_survives_reopening(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path)
    broker.open()
    await broker.append(everything())
    stored = await whole(broker, "a")
    await broker.close()
    again = SqliteBroker(tmp_path)
    again.open()
    await assert_all_of(again)
    assert await whole(again, "a") == stored
    await again.close()


async def test_a_cut_survives_reopening_before_it_was_purged(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path)
    broker.open()
    await fill(broker, "a", 1, 5)
    await broker.cut("a", oldest=6)
    await broker.close()
    again = SqliteBroker(tmp_path)
    again.open()
    assert await again.bounds("a") == Bounds(6, 5)
    await again.close()


async def test_a_batch_that_fails_leaves_nothing(sqlite: SqliteBroker) -> None:
    await fill(sqlite, "a", 1, 2)
    with pytest.raises(StorageFailed):
        await sqlite.append(everything(offset=2))  # there is one already
    await assert_nothing_of(sqlite)
    await sqlite.append(everything(offset=3))
    await assert_all_of(sqlite, offset=3)


async def test_the_log_beside_the_database_stays_short(sqlite: SqliteBroker, tmp_path: Path) -> None:
    """Checkpoints run in a thread while the writer goes on; the file is used again from its beginning."""
    upkeep = asyncio.ensure_future(sqlite.maintain())
    wal = tmp_path / f"{schema.DATABASE}-wal"
    for offset in range(1, 161):
        await sqlite.append(Batch(events=[event("a", offset, "x" * 500_000)]))
        await asyncio.sleep(0)
    assert wal.stat().st_size < 80 << 20 > sum(len(found.payload) for found in await whole(sqlite, "a")) // 2
    upkeep.cancel()
    await asyncio.wait([upkeep])


# one owner


def test_a_second_process_is_told_who_owns_the_directory(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"open\n"
        with pytest.raises(DataDirectoryInUse, match=str(owner.pid)) as refused:
            SqliteBroker(tmp_path).open()
        assert refused.value.pid == owner.pid
        owner.kill()
    broker = SqliteBroker(tmp_path)
    broker.open()
    asyncio.run(broker.close())


async def test_closing_gives_the_directory_free(tmp_path: Path) -> None:
    for _ in range(3):
        broker = SqliteBroker(tmp_path)
        broker.open()
        with pytest.raises(DataDirectoryInUse):
            SqliteBroker(tmp_path).open()
        await broker.close()


# what cannot be opened


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path)
    broker.open()
    await broker.close()
    set_version(tmp_path, schema.VERSION + 1)
    for _ in range(2):  # also the second time: whoever failed to open does not own the directory
        with pytest.raises(StorageFailed, match="newer"):
            SqliteBroker(tmp_path).open()
    set_version(tmp_path, schema.VERSION)
    broker.open()
    await broker.close()


def set_version(directory: Path, version: int) -> None:
    db = sqlite3.connect(directory / schema.DATABASE)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / schema.DATABASE
    path.write_text("a diary, not a database\n" * 100)
    for _ in range(2):
        with pytest.raises(StorageFailed):
            SqliteBroker(tmp_path).open()
    assert path.read_text().startswith("a diary")


# a full disk


def fill_up(broker: SqliteBroker) -> None:
    pages = broker._db.execute("PRAGMA page_count").fetchone()[0]
    broker._db.execute(f"PRAGMA max_page_count = {pages}")


def make_room(broker: SqliteBroker) -> None:
    broker._db.execute("PRAGMA max_page_count = 1000000")


@pytest.mark.parametrize("commit_s", [0.0, 1.0])
async def test_a_full_disk_refuses_and_keeps_nothing(sqlite: SqliteBroker, commit_s: float) -> None:
    stored = await fill(sqlite, "a", 1, 3)
    sqlite.commit_s = commit_s
    fill_up(sqlite)
    batch = everything(offset=4)
    batch.events += [event("a", n, "x" * 10_000) for n in range(5, 50)]
    with pytest.raises(StorageFull):
        await sqlite.append(batch)
    assert await whole(sqlite, "a") == stored
    await assert_nothing_of(sqlite)
    make_room(sqlite)
    batch.snapshots["a"] = Snapshot(49, 49, b"{}")
    await sqlite.append(batch)
    assert await whole(sqlite, "a") == stored + [found for found in batch.events if found.channel == "a"]


async def test_a_store_on_a_full_disk_can_be_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = SqliteBroker(tmp_path)
    broker.open()
    await fill(broker, "a", 1, 3)

    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(schema.Life, "_write_beside", no_room)
        await broker.close()
    again = SqliteBroker(tmp_path)
    again.open()
    assert await again.bounds("a") == Bounds(1, 3)
    await again.close()


def test_a_write_that_the_system_refuses_is_a_typed_error(tmp_path: Path) -> None:
    """A limit on the size of files, as of a disk without room, hit in the middle of a commit."""
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True, timeout=60, check=False
    )
    assert child.stdout.splitlines() == [StorageError.__name__, "1 3", "1 30"], child.stderr


# a slow disk


class SlowDisk:
    """Holds commits until they are let go, as a slow disk does; only commits in threads may be held."""

    def __init__(self, broker: SqliteBroker) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()
        self._db = broker._db

    def __getattr__(self, name: str) -> object:
        return getattr(self._db, name)

    def execute(self, statement: str, *arguments: object) -> sqlite3.Cursor:
        if statement == "COMMIT":
            assert threading.current_thread() is not threading.main_thread()
            self.entered.set()
            assert self.let_go.wait(30)
        return self._db.execute(statement, *arguments)


@pytest.fixture
def slow(sqlite: SqliteBroker, monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    disk = SlowDisk(sqlite)
    sqlite.commit_s = 1.0
    monkeypatch.setattr(sqlite, "_db", disk)
    return disk


async def entered(disk: SlowDisk) -> None:
    assert await asyncio.to_thread(disk.entered.wait, 30)


async def test_a_slow_commit_leaves_the_loop_to_others_and_shows_nothing(sqlite: SqliteBroker, slow: SlowDisk) -> None:
    appending = asyncio.ensure_future(sqlite.append(everything()))
    await entered(slow)
    assert not appending.done()
    await assert_nothing_of(sqlite)
    assert await whole(sqlite, "a") == []
    slow.let_go.set()
    await appending
    await assert_all_of(sqlite)


async def test_cancelling_a_slow_commit_waits_for_it_and_keeps_the_store_whole(
    sqlite: SqliteBroker, slow: SlowDisk
) -> None:
    appending = asyncio.ensure_future(sqlite.append(everything()))
    await entered(slow)
    appending.cancel()
    await asyncio.sleep(0)
    assert not appending.done(), "the thread must be alone with its connection"
    slow.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await appending
    await assert_all_of(sqlite)
    await sqlite.append(Batch(events=[event("a", 2), event("new", 2)]))
    assert await sqlite.bounds("new") == Bounds(1, 2)


async def test_commits_come_back_to_the_loop_once_the_disk_is_quick(
    sqlite: SqliteBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.commit_s = 2 * module.SLOW_COMMIT_S
    monkeypatch.setattr(module.time, "perf_counter", lambda: 0.0)  # every commit takes no time
    offsets = iter(range(1, 1000))
    while sqlite.commit_s >= module.SLOW_COMMIT_S:
        await sqlite.append(Batch(events=events("a", offset := next(offsets), offset)))
    await sqlite.append(Batch(events=events("a", offset := next(offsets), offset)))
    assert (await sqlite.bounds("a")).head == offset
