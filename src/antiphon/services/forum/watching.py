"""What reads: the logs of the apps, and the records for the file. Each goes on where it was, whatever failed."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import takewhile
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
from antiphon.services.forum.values import RECORDS, Speech, clock_of, log_channel

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


class LogWatch:
    """Reads the logs of the apps into the room, in the order in which their lines were printed.

    Each log has its own order. Between them the time decides, so that after a pause, when all have much to tell, nobody
    is heard before the session began in which he spoke.

    Args:
        active: Called when there are lines.
    """

    def __init__(self, hub: Hub, desk: Desk, apps: Sequence[str], active: Callable[[], None]) -> None:
        self._hub = hub
        self._desk = desk
        self._apps = apps
        self._active = active

    async def run(self) -> None:
        """Watch until cancelled."""
        await persist("logs", self._watch)

    async def _watch(self) -> None:
        async with Ear(self._hub, *map(log_channel, self._apps)) as ear:
            while True:
                ear.clear()
                if not await self._read_on():
                    await ear.wait()

    async def _read_on(self) -> bool:
        """Take what comes next, if there is anything."""
        async with self._desk.hold() as draft:
            events = await self._next()
            for event in events:
                watched = self._desk.apps[event.channel.removeprefix("log:")]
                self._take(event, watched, draft)
                watched.offset = event.offset
            draft.progress = len(events)
        if events:
            self._active()
        return bool(events)

    async def _next(self) -> list[Event]:
        """A page of each log, as far as all are known."""
        pages: list[list[Event]] = []
        known_until = math.inf
        for app in self._apps:
            page = await self._hub.history(log_channel(app), after=self._desk.apps[app].offset, limit=PAGE)
            pages.append(page.events)
            if page.events and page.events[-1].offset < page.head:
                known_until = min(known_until, page.events[-1].time_ms)
        merged = list(heapq.merge(*pages, key=lambda event: event.time_ms))
        known = list(takewhile(lambda event: event.time_ms <= known_until, merged))
        return known or merged  # where a clock was set back, times tell nothing

    def _take(self, event: Event, watched: Watched, draft: Draft) -> None:
        if event.type == "process.started":  # its log is another one now
            watched.capture = Capture(watched.capture.app)
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
            app = watched.capture.app
            draft.speak(
                Speech(
                    speech_id=f"{app}-{said.first}",
                    source=app.upper(),
                    text=said.text,
                    time_ms=event.time_ms,
                    clock=clock_of(event.time_ms),
                    session=draft.room.session,
                    origin=(event.channel, said.first, said.last),
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
