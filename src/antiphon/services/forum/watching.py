"""What reads: the logs of the apps, and the records for the file. Each goes on where it was, whatever failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from antiphon.errors import AntiphonError
from antiphon.hub import Hub
from antiphon.messages import Event
from antiphon.services.backoff import Backoff
from antiphon.services.forum.capture import Capture, starts_session
from antiphon.services.forum.desk import Desk, Watched
from antiphon.services.forum.draft import Draft
from antiphon.services.forum.listening import PAGE, Ear
from antiphon.services.forum.logfile import ForumFile, Written
from antiphon.services.forum.values import RECORDS, Speech, clock_of

_log = structlog.get_logger(__name__)


async def persist(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do endless work until cancelled; what fails is logged and begun again."""
    backoff = Backoff()
    while True:
        try:
            await work()
        except (AntiphonError, OSError) as error:
            _log.warning("the forum waits", of=what, error=str(error))
        except Exception:  # one of its parts must not end the others
            _log.exception("the forum waits", of=what)
        await asyncio.sleep(backoff.next_s())


class AppWatch:
    """Reads the log of one app into the room.

    Args:
        active: Called when there are lines.
    """

    def __init__(self, hub: Hub, desk: Desk, app: str, active: Callable[[], None]) -> None:
        self._hub = hub
        self._desk = desk
        self._app = app
        self._channel = f"log:{app}"
        self._active = active

    async def run(self) -> None:
        """Watch until cancelled."""
        await persist(self._channel, self._watch)

    async def _watch(self) -> None:
        async with Ear(self._hub, self._channel) as ear:
            while True:
                ear.clear()
                if not await self._read_on():
                    await ear.wait()

    async def _read_on(self) -> bool:
        """Take the next page, if there is one."""
        async with self._desk.hold() as draft:
            watched = self._desk.apps[self._app]
            page = await self._hub.history(self._channel, after=watched.offset, limit=PAGE)
            for event in page.events:
                self._take(event, watched, draft)
                watched.offset = event.offset
            draft.progress = len(page.events)
        if page.events:
            self._active()
        return bool(page.events)

    def _take(self, event: Event, watched: Watched, draft: Draft) -> None:
        if event.type == "process.started":  # its log is another one now
            watched.capture = Capture(self._app)
            draft.end_session("restarted", event.time_ms)
        elif event.type == "line":
            self._line(event.data["text"], event, watched, draft)

    def _line(self, text: str, event: Event, watched: Watched, draft: Draft) -> None:
        if draft.room.session is None:
            if not starts_session(text):
                return
            for other in self._desk.apps.values():
                other.capture = Capture(other.capture.app)
            draft.begin_session(event.time_ms)
        said = watched.capture.feed(text, event.offset)
        if said is not None:
            draft.speak(
                Speech(
                    speech_id=f"{self._app}-{said.first}",
                    source=self._app.upper(),
                    text=said.text,
                    time_ms=event.time_ms,
                    clock=clock_of(event.time_ms),
                    session=draft.room.session,
                    origin=(self._channel, said.first, said.last),
                )
            )


class FileWatch:
    """Writes the records of `log:forum` into the file."""

    def __init__(self, hub: Hub, desk: Desk, path: Path) -> None:
        self._hub = hub
        self._desk = desk
        self._file = ForumFile(path)

    async def run(self) -> None:
        """Write until cancelled."""
        await persist("forum.log", self._watch)

    async def begin(self) -> None:
        """Note where records begin that were not written yet. Raises StorageError, OSError."""
        if self._desk.file is None:
            head = (await self._hub.history(RECORDS, limit=1)).head
            self._desk.file = (await asyncio.to_thread(self._file.now, head))._asdict()

    async def _watch(self) -> None:
        is_sure = False  # whether what is in the file is what was noted
        async with Ear(self._hub, RECORDS) as ear:
            while True:
                written = Written(**self._desk.file or {})
                ear.clear()
                events = await self._new(written.offset, whole=not is_sure)
                if not events and is_sure:
                    await ear.wait()
                    continue
                write: Any = partial(self._file.append, written.offset) if is_sure else None
                write = write or partial(self._file.resume, written)
                is_sure = False  # if this fails, nobody knows how much of it is there
                self._desk.file = (await asyncio.to_thread(write, events))._asdict()
                is_sure = True

    async def _new(self, after: int, *, whole: bool) -> list[Event]:
        """The next records; all of them after a fresh start, since the file may have any of them."""
        events: list[Event] = []
        while page := (await self._hub.history(RECORDS, after=after, limit=PAGE)).events:
            events += page
            after = page[-1].offset
            if not whole:
                break
        return events
