"""One followed log file: reads its tail, publishes its lines, keeps its position in the same transaction."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import structlog

from antiphon.errors import AntiphonError
from antiphon.hub import Hub
from antiphon.messages import NewEvent
from antiphon.services.backoff import Backoff
from antiphon.services.logs.config import LogConfig
from antiphon.services.logs.tail import Chunk, Position, Tail
from antiphon.services.table import Row

POLL_INTERVAL_S = 1.0  # some file systems tell nobody about changes
_log = structlog.get_logger(__name__)


class Follower:
    """Publishes the lines of one file to `log:NAME`, each once, over restarts too."""

    def __init__(self, hub: Hub, name: str, config: LogConfig) -> None:
        self.name = name
        self.channel = f"log:{name}"
        self._hub = hub
        self._config = config
        self._path = config.path.absolute()
        self._checkpoint = f"log:{name}"
        self._tail: Tail | None = None
        self._size_bytes = 0
        self._woken = asyncio.Event()

    def row(self) -> Row:
        """The file's row in the table."""
        following = self._tail is not None and self._tail.following
        return {
            "path": str(self._path),
            "status": "following" if following else "waiting",
            "size_bytes": self._size_bytes,
            "channel": self.channel,
        }

    def directories(self) -> frozenset[Path]:
        """Directories, as far as they exist, in which a change may mean new lines."""
        parents = {self._path.parent, self._path.resolve().parent}
        return frozenset(parent for parent in parents if parent.is_dir())

    def wake(self) -> None:
        """The file may have changed."""
        self._woken.set()

    async def run(self) -> None:
        """Follow until cancelled. Whatever fails is logged and begun again at the last committed position."""
        backoff = Backoff()
        while True:
            try:
                await self._follow(backoff)
            except (AntiphonError, OSError) as error:
                _log.warning("log file not followed", log=self.name, path=str(self._path), error=str(error))
            except Exception:  # one file must not end the others
                _log.exception("log file not followed", log=self.name, path=str(self._path))
            finally:
                self._close()
            await asyncio.sleep(backoff.next_s())

    async def _follow(self, backoff: Backoff) -> None:
        tail = self._tail = self._open(await self._hub.checkpoint(self._checkpoint))
        while True:
            self._woken.clear()
            chunk = await asyncio.to_thread(tail.read)
            self._size_bytes = chunk.size_bytes
            if chunk.lines:
                await self._publish(chunk)
            if tail.lost:
                tail.lost = False
                _log.warning("log file was replaced; its last lines could not be found", log=self.name)
            backoff.reset()
            if not chunk.more:
                await self._wait()

    async def _publish(self, chunk: Chunk) -> None:
        assert chunk.position is not None
        dumps, channel = orjson.dumps, self.channel
        events = [NewEvent(channel, "line", dumps({"text": text, "stream": "file"})) for text in chunk.lines]
        await self._hub.publish_many(events, checkpoint=(self._checkpoint, chunk.position.encode()))

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_INTERVAL_S):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _open(self, checkpoint: str | None) -> Tail:
        position = None if checkpoint is None else Position.decode(checkpoint)
        return Tail(self._path, self._config.line_limit_bytes, position, from_end=self._config.start_at == "end")

    def _close(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None
