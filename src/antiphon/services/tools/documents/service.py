"""Keeps the index of a folder fresh, and answers questions about it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog
from watchfiles import awatch

from antiphon.errors import ToolError
from antiphon.services.tools.config import DocumentsConfig
from antiphon.services.tools.documents import schemas
from antiphon.services.tools.documents.files import Folder
from antiphon.services.tools.documents.index import Index, Refreshed
from antiphon.services.tools.tool import Tool
from antiphon.services.tools.values import ToolContext

DEFAULT_HITS = 8
DEFAULT_LINES = 200
MAX_CHARS = 50_000  # of what one call reads
_REWATCH_MS = 1000  # how often a folder that was missing is looked for
_log = structlog.get_logger(__name__)

T = TypeVar("T")


class Documents:
    """The text files of a folder, while entered. All that blocks happens in one thread, one thing after another.

    Args:
        root: The folder; it may not exist yet.
    """

    def __init__(self, config: DocumentsConfig, root: Path) -> None:
        self.root = root
        self._index = Index(Folder(root, config.glob, max_bytes=config.max_bytes), max_files=config.max_files)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="documents")
        self._stopped = threading.Event()
        self._is_watched = False
        self._refreshing: asyncio.Future[Refreshed] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def tools(self) -> list[Tool]:
        """`search_documents` and `read_document`."""
        return [
            Tool("search_documents", schemas.ABOUT_SEARCH, schemas.SEARCH, self._search),
            Tool("read_document", schemas.ABOUT_READ, schemas.READ, self._read),
        ]

    async def refresh(self) -> Refreshed:
        """Bring the index up to date now."""
        self._refreshing = asyncio.ensure_future(self._in_thread(lambda: self._index.refresh(self._stopped.is_set)))
        found = await asyncio.shield(self._refreshing)
        if found.left_out:
            _log.warning("tools.documents.max_files is reached", folder=str(self.root), left_out=found.left_out)
        return found

    async def _fresh(self) -> None:
        """Wait for what is under way; where nobody tells of changes, look for them."""
        if not self._is_watched:
            await self.refresh()
        elif self._refreshing is not None:
            await asyncio.shield(self._refreshing)

    async def _search(self, _: ToolContext, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        self._check()
        await self._fresh()
        limit = arguments.get("limit", DEFAULT_HITS)
        hits = await self._in_thread(lambda: self._index.search(arguments["query"], limit))
        return [hit._asdict() for hit in hits]

    async def _read(self, _: ToolContext, arguments: dict[str, Any]) -> dict[str, Any]:
        self._check()
        await self._fresh()
        path, begin = arguments["path"].removeprefix("./"), arguments.get("from_line", 1)
        found = await self._in_thread(
            lambda: self._index.read(path, begin, arguments.get("lines", DEFAULT_LINES), MAX_CHARS)
        )
        if found is None:
            raise ToolError(f"There is no document {path[:200]!r}; search_documents says which there are")
        return {"path": path, **found._asdict()}

    def _check(self) -> None:
        if not self.root.is_dir():
            raise ToolError("The documents' folder does not exist")

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def __aenter__(self) -> Self:
        """Begin to watch; the first search waits until the folder has been read."""
        self._watching = asyncio.create_task(self._watch(), name="documents watch")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self._in_thread(self._index.close)
        self._thread.shutdown()

    async def _watch(self) -> None:
        """Refresh when something changes. Without it, each search looks for itself."""
        while not self._stopped.is_set():
            if not self.root.is_dir():
                await asyncio.sleep(_REWATCH_MS / 1000)
                continue
            try:
                await self._watch_folder()
            except (OSError, RuntimeError) as error:  # e.g. no inotify instances left
                _log.warning("the documents' folder cannot be watched; each search looks for changes", error=str(error))
                return
            finally:
                self._is_watched = False

    async def _watch_folder(self) -> None:
        changes = awatch(
            self.root, watch_filter=None, debounce=200, step=20, rust_timeout=_REWATCH_MS, yield_on_timeout=True
        )
        async for change in changes:
            if change or not self._is_watched:
                await self.refresh()
                self._is_watched = True
            if not self.root.is_dir():
                return
