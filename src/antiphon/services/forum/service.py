"""The forum: watches logs, takes posts, lets the host speak, keeps `forum.log`.

`capture` finds speeches in lines, `room` knows who talks and when the host does, `desk` stores, `hosting` has the host,
`logfile` the file. This one puts them together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import structlog

from antiphon.errors import AntiphonError, ConflictError, InvalidParams, KeyConflict, NotFound
from antiphon.hub import Hub
from antiphon.messages import Event
from antiphon.services.forum.config import OFFLINE_HOST, ForumConfig
from antiphon.services.forum.desk import Desk
from antiphon.services.forum.hosting import Host
from antiphon.services.forum.offline import speak_offline
from antiphon.services.forum.replaying import Replay, digest_of
from antiphon.services.forum.room import HostRow
from antiphon.services.forum.values import (
    HOST,
    MAIN,
    PERSON,
    RECORDS,
    SYSTEM,
    Posted,
    Replayed,
    Speech,
    clock_of,
    forum_channel,
    new_id,
)
from antiphon.services.forum.watching import FileWatch, LogWatch
from antiphon.services.runs import Runs

_log = structlog.get_logger(__name__)


class Forum:
    """The forum while entered; enter it after runs and agents, before what writes the watched logs.

    Args:
        hub: The channels `forum:...` are claimed.
        is_agent: Whether an agent of this name exists now.
    Raises:
        ConflictError: Something else is registered under the offline host's name.
    """

    def __init__(self, hub: Hub, runs: Runs, config: ForumConfig, *, is_agent: Callable[[str], bool]) -> None:
        hub.claim("forum:")
        hub.claim(RECORDS)
        runs.register(OFFLINE_HOST, speak_offline)
        self._hub = hub
        self._clock = runs.clock
        self._config = config
        self._desk = Desk(hub, config, self._changed)
        self._host = Host(hub, runs, self._desk, config, is_agent)
        self._active_at = self._clock.now()
        self._session: str | None = None  # as it was when the room changed last
        self._looked = asyncio.Event()
        self._replaying = asyncio.Lock()
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    # What may be asked

    async def get(self, name: str = MAIN) -> dict[str, Any]:
        """The state of a forum. Raises NotFound, StorageError."""
        if name == MAIN:
            await self._desk.load()
            return self._desk.room.value()
        found = (await self._hub.state(forum_channel(name))).value
        if not found:
            raise NotFound(f"there is no forum {name[:80]!r}", pointer="/params/name")
        return dict(found)

    async def post(
        self, text: str, *, by: str | None, source: str | None = None, speech_id: str | None = None
    ) -> Posted:
        """Say something: as a person, or, with a source, as an agent.

        Args:
            speech_id: A repetition with the same id is answered with the first.
        Raises:
            InvalidParams: Nobody can speak under this source, or there is no text.
            KeyConflict: The id was used for something else.
            StorageError
        """
        source = PERSON if source is None else source.upper()
        if source in (HOST, SYSTEM):
            raise InvalidParams(f"{source} is nobody's to speak as", pointer="/params/source")
        if not text.strip():
            raise InvalidParams("say something", pointer="/params/text")
        key, speech_id = speech_id, speech_id or new_id("post")
        async with self._desk.hold() as draft:
            if key is not None and (earlier := await self._earlier(key, by)) is not None:
                return _same(earlier, text, source, self._hub.epoch)
            time_ms = int(self._clock.now() * 1000)
            sender = (by or "") if source == PERSON else ""
            speech = Speech(speech_id, source, text, time_ms, clock_of(time_ms), None, sender, by=by)
            data = draft.speak(speech, key=key)
        return Posted(self._hub.epoch, draft.cursors[0].offset, data)

    async def _earlier(self, key: str, by: str | None) -> Event | None:
        """What this user said under this id before."""
        found = await self._hub.published(forum_channel(MAIN), key, by=by)
        if found is None:
            return None
        page = await self._hub.history(forum_channel(MAIN), after=found.offset - 1, limit=1)
        return page.events[0] if page.events and page.events[0].offset == found.offset else None

    async def mute(self, source: str, muted: bool) -> dict[str, Any]:
        """Mute a source, or hear it again. Raises NotFound, StorageError."""
        async with self._desk.hold() as draft:
            known = {*draft.room.speakers, HOST} - {SYSTEM}
            if source.upper() not in known:
                raise NotFound(f"nobody speaks as {source[:80]!r} here: {', '.join(sorted(known))}")
            draft.room.speaker(source.upper()).muted = muted
        return self._desk.room.value()

    async def set_threshold(self, threshold: int) -> dict[str, Any]:
        """After how many speeches the host speaks. Raises StorageError."""
        async with self._desk.hold() as draft:
            draft.room.threshold = threshold
        return self._desk.room.value()

    async def call_host(self) -> HostRow:
        """Let the host speak now. Raises ConflictError, StorageError."""
        return await self._host.call()

    async def stop_host(self, *, by: str | None) -> HostRow:
        """Stop the host in mid-sentence. Raises StorageError."""
        return await self._host.stop(by=by)

    async def replay(self, name: str, lines: Sequence[str]) -> Replayed:
        """Read an old `forum.log` into the forum `name`; the same file again changes nothing.

        Raises:
            ConflictError: That forum is this server's own, or has other content.
            StorageError
        """
        if name == MAIN:
            raise ConflictError(f"the forum {MAIN} is the live one: replay into another", pointer="/params/name")
        replay, mark = Replay(name), f"{forum_channel(name)}:replay"
        replay.take(lines)
        async with self._replaying:
            before, digest = await self._hub.checkpoint(mark), digest_of(lines)
            if before is None:
                await self._hub.publish_many(replay.events, checkpoint=(mark, digest))
            elif before != digest:
                raise ConflictError(f"the forum {name} has other content", pointer="/params/name")
        return replay.answer

    # Coming and going

    async def __aenter__(self) -> Self:
        """Find everything again, and go on. Raises StorageError, OSError."""
        await self._desk.load()
        self._session = self._desk.room.session
        logs = LogWatch(self._hub, self._desk, self._config.apps, self._active)
        file = None if self._config.file is None else FileWatch(self._hub, self._desk, self._config.file.absolute())
        if file is not None:
            await file.begin()
        async with self._desk.hold():
            pass  # what the settings say is shown from the beginning
        await self._group.__aenter__()
        begin = self._group.create_task
        self._tasks = [
            begin(logs.run(), name="forum logs"),
            begin(self._host.run(), name="forum host"),
            begin(self._drop(), name="forum session"),
            begin(self._end_when_idle(), name="forum idle"),
        ]
        if file is not None:
            self._tasks.append(begin(file.run(), name="forum file"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go; the next server goes on where this one was."""
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    def _changed(self) -> None:
        self._host.look()
        self._looked.set()

    def _active(self) -> None:
        self._active_at = self._clock.now()

    async def _drop(self) -> None:
        """A host that speaks when its session ends is stopped."""
        while True:
            self._looked.clear()
            session, self._session = self._session, self._desk.room.session
            if session is not None and session != self._session:
                await self._host.stop(by=None, reason="the session ended")
            await self._looked.wait()

    async def _end_when_idle(self) -> None:
        while True:
            due = self._active_at + self._config.idle_s
            if self._clock.now() < due:
                await self._clock.sleep_until(due)
                continue
            self._active()
            if self._desk.room.session is not None:
                await self._end_session()

    async def _end_session(self) -> None:
        try:
            async with self._desk.hold() as draft:
                draft.end_session("idle", int(self._clock.now() * 1000))
        except AntiphonError as error:
            _log.warning("the forum's session has not ended yet", error=str(error))


def _same(earlier: Event, text: str, source: str, epoch: str) -> Posted:
    """The answer to a repetition. Raises KeyConflict."""
    data = earlier.data
    if (data["text"], data["source"]) != (text, source):
        raise KeyConflict(f"{data['speech_id']!r} was said with other words", pointer="/params/speech_id")
    return Posted(epoch, earlier.offset, data)
