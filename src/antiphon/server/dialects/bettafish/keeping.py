"""The file in the data directory that keeps what the configuration dialog was sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from antiphon.dialects.bettafish import config
from antiphon.errors import StorageError, StorageFailed
from antiphon.server.settings import Settings


class EnvFile:
    """See `Keeping` of the dialect. Only its owner may read the file; it is replaced as a whole."""

    def __init__(self, settings: Settings) -> None:
        name = settings.dialect.bettafish.env_file
        self._path = None if name is None else settings.server.data / name
        self._lock = asyncio.Lock()
        self._listens = {"HOST": settings.server.host, "PORT": str(settings.server.port)}

    @property
    def is_possible(self) -> bool:
        return self._path is not None

    async def read(self) -> dict[str, str]:
        kept = {} if self._path is None else await asyncio.to_thread(_read, self._path)
        return self._listens | kept

    async def write(self, values: Mapping[str, str]) -> None:
        """What the server listens on is not written down: it may change."""
        if self._path is not None:
            own = {key: value for key, value in values.items() if self._listens.get(key) != value}
            async with self._lock:
                await asyncio.to_thread(_write, self._path, config.write(own))


def _read(path: Path) -> dict[str, str]:
    try:
        return config.read(path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise _failed(path, exc) from exc


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    try:
        with suppress(FileNotFoundError):
            fresh.unlink()
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as exc:
        raise _failed(path, exc) from exc


def _failed(path: Path, exc: OSError) -> StorageError:
    return StorageFailed(f"{path.name} in the data directory: {exc.strerror or exc}")
