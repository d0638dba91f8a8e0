"""What is said over Socket.IO: `status`, `status_update`, `console_output`, `forum_message`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import orjson

from antiphon.dialects.base import Guest, Said, Space
from antiphon.dialects.bettafish import forum
from antiphon.dialects.bettafish.apps import ENGINES, FORUM, changes_status, channel_of
from antiphon.dialects.bettafish.lines import clock, console_line, raw_line
from antiphon.messages import Event

PROCESSES: Final = "processes"
GREETING: Final = "Connected to Flask server"  # a bare string; the pages listen to none of it

Statuses = Callable[[], Mapping[str, Any]]


class Room:
    """Makes the space.

    Args:
        statuses: What `status_update` says now.
        reads_records: Whether the chat's messages are found in `log:forum`, because another program writes that file;
            otherwise they are the speeches of `forum:main`.
    """

    def __init__(self, statuses: Statuses, *, reads_records: bool) -> None:
        self._statuses = statuses
        self._reads_records = reads_records

    def space(self) -> Space:
        consoles = {channel_of(app): partial(_console, app) for app in ENGINES}
        return Space(
            channels=(*consoles, channel_of(FORUM), forum.CHANNEL, PROCESSES),
            speaks={
                **consoles,
                channel_of(FORUM): self._record,
                forum.CHANNEL: self._speech,
                PROCESSES: self._processes,
            },
            entered=self._entered,
            events={"request_status": self._requested},
        )

    async def _entered(self, guest: Guest) -> None:
        guest.emit("status", GREETING)

    async def _requested(self, guest: Guest, *_: Any) -> None:
        """Answered from the table: nobody waits for a health check here."""
        guest.caller.require("read", PROCESSES)
        guest.emit("status_update", self._statuses())

    def _processes(self, event: Event) -> Sequence[Said]:
        """Everybody is told the newest statuses, as the pages ask for them; who is late needs no older ones."""
        return [("status_update", orjson.dumps(self._statuses()))] if changes_status(event) else ()

    def _record(self, event: Event) -> Sequence[Said]:
        """A record has two times: when it was written, and when it came."""
        record = raw_line(event)
        if record is None:
            return ()
        said: list[Said] = []
        if self._reads_records and (message := forum.message_of_line(record)) is not None:
            said.append(("forum_message", orjson.dumps(message)))
        return [*said, _output(FORUM, f"[{clock(event.time_ms)}] {record}")]

    def _speech(self, event: Event) -> Sequence[Said]:
        message = None if self._reads_records else forum.message_of_speech(event)
        return () if message is None else [("forum_message", orjson.dumps(message))]


def _console(app: str, event: Event) -> Sequence[Said]:
    line = console_line(event)
    return () if line is None else [_output(app, line)]


def _output(app: str, line: str) -> Said:
    return "console_output", orjson.dumps({"app": app, "line": line})
