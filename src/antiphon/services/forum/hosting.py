"""The host: a run of an agent, or the offline one; its words are copied into the room while they grow.

Whether it speaks is in the state: a speech begins by being noted there, with its run, and is then taken up by `run`,
in this life of the server or the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Literal, NamedTuple

import orjson
import structlog

from antiphon.errors import AntiphonError, ConflictError
from antiphon.hub import Answer, Hub
from antiphon.messages import NewEvent
from antiphon.services.backoff import Backoff
from antiphon.services.forum.config import OFFLINE_HOST, ForumConfig
from antiphon.services.forum.copying import Copying, outcome_of
from antiphon.services.forum.desk import Desk
from antiphon.services.forum.draft import Draft
from antiphon.services.forum.listening import Ear
from antiphon.services.forum.offline import asked_offline
from antiphon.services.forum.prompting import asked
from antiphon.services.forum.room import HostRow
from antiphon.services.forum.values import HOST, HOST_EVENT, MAIN, Speech, clock_of, forum_channel, new_id
from antiphon.services.runs import ENDED, NewRun, Runs, run_channel

THREAD: Final = "forum-main"
STOP_S: Final = 5.0  # so long a stop waits for the last word
_log = structlog.get_logger(__name__)


class Outcome(NamedTuple):
    """How a speech of the host ended. `interrupted`: by the end of an earlier server; it is begun anew."""

    status: Literal["completed", "cancelled", "failed", "interrupted"]
    text: str = ""
    reason: str | None = None


class Host:
    """Speaks when the room says that it is due, one speech at a time; capturing goes on meanwhile.

    Args:
        is_agent: Whether an agent of this name exists now.
    """

    def __init__(self, hub: Hub, runs: Runs, desk: Desk, config: ForumConfig, is_agent: Callable[[str], bool]) -> None:
        self._hub = hub
        self._runs = runs
        self._desk = desk
        self._config = config
        self._is_agent = is_agent
        self._wake = asyncio.Event()
        self._started: str | None = None  # the run that this life of the server has begun
        self._outcome: tuple[str, Outcome] | None = None  # of a speech that could not be closed yet
        self._stopping: set[str] = set()
        self._over: dict[str, asyncio.Event] = {}

    def look(self) -> None:
        """The room has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Speak until cancelled."""
        backoff = Backoff()
        while True:
            self._wake.clear()
            try:
                if not await self._step():
                    await self._wake.wait()
                backoff.reset()
            except AntiphonError as error:
                _log.warning("the forum's host cannot go on yet", error=str(error))
                await asyncio.sleep(backoff.next_s())

    async def call(self) -> HostRow:
        """Let it speak now about what it has not heard.

        Raises:
            ConflictError: It is speaking, it is muted, or nothing was said since.
            StorageError
        """
        async with self._desk.hold() as draft:
            room = draft.room
            if room.host.status == "speaking":
                raise ConflictError("the host is speaking")
            if room.is_host_muted:
                raise ConflictError("the host is muted")
            if not room.buffer:
                raise ConflictError("nothing was said that the host has not heard")
            self._open(draft)
            return room.host

    async def stop(self, *, by: str | None, reason: str = "somebody stopped the host") -> HostRow:
        """Stop it in mid-sentence; it will not speak about the same again. Does nothing where it is silent."""
        speech_id, run_id = self._desk.room.host.speech_id, self._desk.room.host.run_id
        if self._desk.room.host.status != "speaking" or speech_id is None or run_id is None:
            return self._desk.room.host
        self._stopping.add(speech_id)
        over = self._over.setdefault(speech_id, asyncio.Event())
        if run_id in self._runs.rows:
            await self._runs.cancel(run_id, reason=reason, by=by)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await over.wait()
        return self._desk.room.host

    # One speech

    def _open(self, draft: Draft) -> None:
        room = draft.room
        speech_id, run_id = new_id("host"), new_id("forum")
        agent = self._config.host if self._is_agent(self._config.host) else None
        room.given = [speech.speech_id for speech in room.oldest()]
        room.host = HostRow("speaking", agent, run_id, speech_id)
        draft.say("message.open", {"message_id": speech_id, "role": "assistant"})

    async def _step(self) -> bool:
        """Whether there was something to do."""
        await self._desk.load()  # what could not be stored did not happen
        room = self._desk.room
        if room.host.status == "speaking":
            await self._speak(room.host)
            return True
        if not room.is_due:
            return False
        async with self._desk.hold() as draft:
            if draft.room.is_due:
                self._open(draft)
        return True

    async def _speak(self, host: HostRow) -> None:
        assert host.run_id is not None
        assert host.speech_id is not None
        if self._outcome is None or self._outcome[0] != host.speech_id:
            outcome = await self._said(host, host.run_id, host.speech_id)
            self._outcome = (host.speech_id, outcome)
        await self._close(host, host.speech_id, self._outcome[1])
        self._stopping.discard(host.speech_id)
        self._over.pop(host.speech_id, asyncio.Event()).set()

    async def _said(self, host: HostRow, run_id: str, speech_id: str) -> Outcome:
        if run_id in self._runs.rows and self._started != run_id:
            return await self._found_again(run_id)
        try:
            return await self._follow(host, run_id, speech_id)
        except AntiphonError as error:
            return Outcome("failed", reason=error.message)

    async def _found_again(self, run_id: str) -> Outcome:
        """What became of a speech that an earlier server began."""
        found = await self._runs.result(run_id)
        if found.status not in ENDED:
            await self._runs.cancel(run_id, reason="its server has ended")
        outcome = outcome_of(found.status, found.result, found.error)
        return Outcome("interrupted") if found.status not in ("succeeded", "cancelled") else Outcome(*outcome)

    async def _follow(self, host: HostRow, run_id: str, speech_id: str) -> Outcome:
        if speech_id in self._stopping:
            return Outcome("cancelled")
        copying = Copying(speech_id)
        async with Ear(self._hub, run_channel(run_id)) as ear:
            await self._runs.start(self._wanted(host, run_id), by=None)
            self._started = run_id
            if speech_id in self._stopping:
                await self._runs.cancel(run_id, reason="somebody stopped the host")
            offset = 0
            while copying.outcome is None:
                for event in await ear.read(offset):
                    offset = event.offset
                    if delta := copying.take(event):
                        await self._append(speech_id, delta)
        status, text, reason = copying.outcome
        if status == "completed" and not text.strip():
            return Outcome("failed", reason="it said nothing")
        return Outcome(status, text, reason)

    def _wanted(self, host: HostRow, run_id: str) -> NewRun:
        given = set(self._desk.room.given)
        speeches = [speech for speech in self._desk.room.buffer if speech.speech_id in given]
        is_offline = host.agent is None
        return NewRun(
            name=OFFLINE_HOST if host.agent is None else host.agent,
            run_id=run_id,
            input=asked_offline(speeches) if is_offline else asked(speeches),
            thread_id=None if is_offline else THREAD,
            title="Host of the forum",
            labels={"forum": MAIN},
        )

    async def _append(self, speech_id: str, delta: str) -> None:
        data: Mapping[str, Any] = {"message_id": speech_id, "delta": delta}
        await self._hub.room()
        self._hub.post(NewEvent(forum_channel(MAIN), "message.append", orjson.dumps(data)), _told)

    async def _close(self, host: HostRow, speech_id: str, outcome: Outcome) -> None:
        async with self._desk.hold() as draft:
            room = draft.room
            if room.host.speech_id != speech_id:
                return
            status = "failed" if outcome.status == "interrupted" else outcome.status
            draft.say("message.close", {"message_id": speech_id, "status": status})
            room.host = HostRow("idle", host.agent)
            if outcome.status == "completed":
                time_ms = int(self._runs.clock.now() * 1000)
                room.heard(room.given)
                draft.speak(Speech(speech_id, HOST, outcome.text, time_ms, clock_of(time_ms), room.session))
            elif outcome.status == "cancelled":
                room.heard(room.given)
                self._tell(draft, host, "stopped", outcome.reason, [])
            elif outcome.status == "failed":
                let_go = room.failed(room.given)
                room.host = HostRow("failed", host.agent, message=outcome.reason)
                self._tell(draft, host, "let_go" if let_go else "failed", outcome.reason, let_go)
            room.given = []

    def _tell(self, draft: Draft, host: HostRow, status: str, reason: str | None, let_go: list[str]) -> None:
        said = {"status": status, "run_id": host.run_id, "speech_id": host.speech_id, "reason": reason}
        draft.say(HOST_EVENT, {**said, "let_go": let_go})


def _told(answer: Answer | AntiphonError) -> None:
    if isinstance(answer, AntiphonError):  # the whole text comes with the speech
        _log.warning("words of the forum's host not stored", error=str(answer))
