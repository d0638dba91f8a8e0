"""Where all changes of the room pass, one after the other, each stored with how far the logs were read.

The state of `forum:main` has what people see; a checkpoint has the rest: positions in the logs, captures under way,
what the host has not heard. Both are stored in the transaction of the speeches: whatever dies, each line counts once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import orjson

from antiphon.errors import AntiphonError
from antiphon.hub import Answer, Hub
from antiphon.messages import Cursor, NewEvent
from antiphon.services.forum.capture import Capture
from antiphon.services.forum.config import ForumConfig
from antiphon.services.forum.draft import Draft
from antiphon.services.forum.room import Room, changes
from antiphon.services.forum.values import MAIN, SPEECH, Heard, forum_channel, log_channel

SAVE_EVERY = 2000  # lines without a speech; they would only be read again
PAGE = 500


@dataclass(slots=True)
class Watched:
    """How far the log of an app was read."""

    offset: int
    capture: Capture


class Desk:
    """Holds the room. What is changed inside `hold` is stored when that is left, or it never was."""

    def __init__(self, hub: Hub, config: ForumConfig, changed: Callable[[], None]) -> None:
        self.room = Room(MAIN, config.threshold)
        self.apps: dict[str, Watched] = {}
        self.file: dict[str, Any] | None = None  # how far `forum.log` was written; None = never
        self._hub = hub
        self._config = config
        self._changed = changed
        self._channel = forum_channel(MAIN)
        self._checkpoint = forum_channel(MAIN)
        self._shown: dict[str, Any] = {}
        self._unsaved = 0
        self._is_stale = True
        self._baseline: dict[str, int] = {}  # where the apps' logs stood when they were first watched
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[Draft]:
        """Change the room; others wait. Raises StorageError, and then nothing was changed."""
        async with self._lock:
            await self._refresh()
            draft = Draft(self.room, tags=self._config.session_tags)
            try:
                yield draft
                await self._commit(draft)
            except BaseException:
                self._is_stale = True  # what is in memory may never be stored
                raise
            finally:
                self._changed()

    async def load(self) -> None:
        """Find everything again, where that is not what is in memory. Raises StorageError."""
        async with self._lock:
            await self._refresh()

    async def _refresh(self) -> None:
        if not self._is_stale:
            return
        shown = deepcopy((await self._hub.state(self._channel)).value)
        text = await self._hub.checkpoint(self._checkpoint)
        saved: dict[str, Any] = {} if text is None else orjson.loads(text)
        room = Room(MAIN, self._config.threshold)
        if shown:
            room.restore(shown)
        if saved.get("configured_threshold") != self._config.threshold:
            room.threshold = self._config.threshold  # whoever edits the file means it
        for app in self._config.apps:
            room.speaker(app.upper())
        room.buffer = await self._heard(saved.get("buffer", []))
        room.given = saved.get("given", [])
        room.failures, room.waiting = saved.get("failures", 0), saved.get("waiting", 0)
        self.apps = {app: await self._watched(app, saved.get("apps", {}).get(app)) for app in self._config.apps}
        self.room, self.file = room, self.file or saved.get("file")
        self._shown, self._unsaved, self._is_stale = shown, 0, False

    async def _watched(self, app: str, saved: dict[str, Any] | None) -> Watched:
        if saved is not None:
            return Watched(saved["offset"], Capture.load(app, saved["capture"]))
        if app not in self._baseline:
            self._baseline[app] = (await self._hub.history(log_channel(app), limit=1)).head
        return Watched(self._baseline[app], Capture(app))

    async def _heard(self, speech_ids: list[str]) -> list[Heard]:
        """The speeches with these ids, as far as they are kept."""
        wanted, found, before = set(speech_ids), dict[str, Heard](), None
        while wanted:
            page = await self._hub.history(self._channel, before=before, limit=PAGE)
            for event in page.events:
                if event.type == SPEECH and (data := event.data)["speech_id"] in wanted:
                    found[data["speech_id"]] = Heard.of(data)
            wanted -= found.keys()
            if not page.events or page.events[0].offset <= page.oldest:
                break
            before = page.events[0].offset
        return [found[name] for name in speech_ids if name in found]

    async def _commit(self, draft: Draft) -> None:
        value = self.room.value()
        ops = changes(self._shown, value)
        if ops:
            draft.say("state.patch", {"ops": ops})
        self._unsaved += draft.progress
        if draft.events or self._unsaved >= SAVE_EVERY:
            draft.cursors = await self._store(draft.events)
            self._shown, self._unsaved = deepcopy(value), 0

    async def _store(self, events: list[NewEvent]) -> list[Cursor]:
        """Returns when it is stored or refused, even where whoever waits is cancelled."""
        answer: asyncio.Future[list[Cursor]] = asyncio.get_running_loop().create_future()

        def told(found: Answer | AntiphonError) -> None:
            if isinstance(found, AntiphonError):
                answer.set_exception(found)
            else:
                answer.set_result(cast("list[Cursor]", found))

        await self._hub.room()
        self._hub.post_many(events, told, checkpoint=(self._checkpoint, self._dump()))
        cancelled: asyncio.CancelledError | None = None
        while not answer.done():
            try:
                await asyncio.wait([answer])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            answer.exception()
            raise cancelled
        return answer.result()

    def _dump(self) -> str:
        room = self.room
        saved = {
            "apps": {
                app: {"offset": watched.offset, "capture": watched.capture.dump()} for app, watched in self.apps.items()
            },
            "buffer": [speech.speech_id for speech in room.buffer],
            "given": room.given,
            "failures": room.failures,
            "waiting": room.waiting,
            "configured_threshold": self._config.threshold,
            "file": self.file,
        }
        return orjson.dumps(saved).decode()
