"""The tables of the SQLite store, and how a connection to it is opened."""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

from antiphon.errors import StorageFailed

DATABASE = "antiphon.db"
LIFE = "antiphon.life"
VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS channels (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    oldest INTEGER NOT NULL DEFAULT 1  -- head + 1 where everything was trimmed: offsets are never reused
);
CREATE TABLE IF NOT EXISTS events (
    channel INTEGER NOT NULL, offset INTEGER NOT NULL, type TEXT NOT NULL, data BLOB NOT NULL,
    time INTEGER NOT NULL, by TEXT, PRIMARY KEY (channel, offset)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipts (
    by TEXT NOT NULL, channel TEXT NOT NULL, key TEXT NOT NULL, offset INTEGER NOT NULL, digest BLOB NOT NULL,
    time INTEGER NOT NULL, PRIMARY KEY (by, channel, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS receipts_by_time ON receipts (time);
CREATE TABLE IF NOT EXISTS snapshots (
    channel INTEGER NOT NULL, offset INTEGER NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL,
    messages BLOB NOT NULL,
    PRIMARY KEY (channel, offset)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


def connect(path: Path, *, synchronous: str) -> sqlite3.Connection:
    """Open for writing; transactions are begun by hand, WAL checkpoints are run by hand."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("PRAGMA cache_size = -16000")  # KiB
    return db


def connect_readonly(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA query_only = 1")
    return db


def create(db: sqlite3.Connection) -> None:
    """Make the tables. Raises StorageFailed if a newer version wrote them."""
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise StorageFailed(f"the database has version {found}, this Antiphon knows {VERSION}: use a newer Antiphon")
    db.executescript(TABLES)
    db.execute(f"PRAGMA user_version = {VERSION}")


class Life:
    """Notices that the database is not the one we left, and then calls for a new epoch.

    A random word changes in the database and in a file beside it at each opening and closing; a database that was put
    back from a backup has an older word, or is another file (inode). A backup of the very life that crashed has the
    right word, but lacks what was stored after it: whoever puts it back has to remove the write-ahead log, which a
    crash leaves where it is. With `synchronous = normal` a machine that stopped without warning may have lost what was
    acknowledged: there a new boot after an unclean end counts too.

    To be made before the database is opened, for opening it makes a new write-ahead log where there is none.
    """

    def __init__(self, directory: Path, *, trusts_power_cuts: bool) -> None:
        self._database = directory / DATABASE
        self._wal = directory / f"{DATABASE}-wal"
        self._file = directory / LIFE
        self._trusts_power_cuts = trusts_power_cuts
        self._found_wal = _inode(self._wal)

    def begin(self, db: sqlite3.Connection) -> str:
        """Return the epoch, a new one if continuity is not certain."""
        self._db = db
        epoch = self._get("epoch")
        if epoch is None or not self._is_continued():
            epoch = secrets.token_hex(8)
            self._set("epoch", epoch)
        self._mark(clean=False)
        return epoch

    def end(self) -> None:
        """Note an orderly end. Raises sqlite3.Error or OSError; then the next life has a new epoch."""
        self._mark(clean=True)

    def _is_continued(self) -> bool:
        if not self._file.exists() or self._get("life") != self._file.read_text(encoding="utf-8"):
            return False
        if self._get("inode") != _inode(self._database):
            return False
        if self._get("clean") == "1":
            return True
        same_boot = self._trusts_power_cuts or self._get("boot") == boot_id()
        return same_boot and self._found_wal != "" and self._get("wal") == self._found_wal

    def _mark(self, *, clean: bool) -> None:
        life = secrets.token_hex(8)
        self._db.execute("BEGIN IMMEDIATE")
        for name, value in (("inode", _inode(self._database)), ("wal", _inode(self._wal)), ("boot", boot_id())):
            self._set(name, value)
        self._set("clean", "1" if clean else "0")
        self._set("life", life)
        # Before the commit: a crash between the two costs an epoch, never a wrong continuation.
        self._write_beside(life)
        self._db.execute("COMMIT")

    def _write_beside(self, life: str) -> None:
        fresh = self._file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(life)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)

    def _get(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def boot_id() -> str:
    """Names this run of the machine; "" where the system does not tell."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def _inode(path: Path) -> str:
    """Which file it is; "" where there is none."""
    return str(path.stat().st_ino) if path.exists() else ""
