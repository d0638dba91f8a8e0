"""The threads: a row for each, published as the state of the channel `threads`, kept with the runs that change it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
import structlog

from antiphon.errors import AntiphonError, Busy, NotFound
from antiphon.hub import Answer, Hub
from antiphon.messages import NewEvent, encode_time
from antiphon.services.agents.values import THREADS, new_thread_row
from antiphon.services.runs import Clock
from antiphon.services.table import Row, pointer

RETRY_S: Final = 1.0
_COUNTED = ("input_tokens", "output_tokens", "total_tokens", "cost_usd")
_log = structlog.get_logger(__name__)


class Threads:
    """The rows. A row is replaced, never changed; each is published whole, so that the last one counts.

    Args:
        line: The runs of a thread that have no outcome, in order.
    """

    def __init__(self, hub: Hub, clock: Clock, line: Callable[[str], Sequence[str]]) -> None:
        self.rows: dict[str, Row] = {}
        self._hub = hub
        self._clock = clock
        self._line = line
        self._unpublished: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._before: dict[str, str | None] = {}  # which run answered in each when the earlier server ended

    async def load(self) -> None:
        """Find those of an earlier server again; nothing is under way in them. Raises StorageError."""
        rows: Mapping[str, Any] = (await self._hub.state(THREADS)).value
        self._before = {name: row["running"] for name, row in rows.items()}
        self.rows = {name: {**row, "running": None, "queued": []} for name, row in rows.items()}
        for name, row in self.rows.items():
            if row != rows[name]:
                self.publish(name)

    def had_begun(self, run_id: str, run: Mapping[str, Any]) -> bool:
        """Whether this is the run that answered in its thread when the earlier server ended."""
        return run["thread_id"] is not None and self._before.get(run["thread_id"]) == run_id

    def known(self, thread_id: str) -> Row:
        """Raises NotFound."""
        row = self.rows.get(thread_id)
        if row is None:
            raise NotFound(f"there is no thread {thread_id[:128]!r}", pointer="/params/thread_id")
        return row

    def find(self, agent: str | None, before: str | None, limit: int) -> list[Row]:
        """The newest first: those in which something happened last."""
        rows = sorted(self.rows.values(), key=lambda row: (row["updated_at"], row["thread_id"]), reverse=True)
        if before is not None:
            names = [row["thread_id"] for row in rows]
            rows = rows[names.index(before) + 1 :] if before in names else []
        return [row for row in rows if agent is None or row["agent"] == agent][:limit]

    # Changes

    def now(self) -> str:
        """As rows tell the time."""
        return encode_time(int(self._clock.now() * 1000))

    def begin(self, thread_id: str, *, agent: str, by: str | None, title: str) -> None:
        """A run begins in it; the first one makes it."""
        row = self.rows.get(thread_id) or new_thread_row(thread_id, agent=agent, by=by, title=title, now=self.now())
        self.rows[thread_id] = {**row, "runs": row["runs"] + 1, "updated_at": self.now(), **self._doing(thread_id)}

    def take_back(self, thread_id: str) -> None:
        """The run did not begin after all."""
        row = self.rows.get(thread_id)
        if row is None:
            return
        if row["runs"] == 1 and row["forked_from"] is None:
            del self.rows[thread_id]
        else:
            self.rows[thread_id] = {**row, "runs": row["runs"] - 1}
        self.publish(thread_id)

    def add_usage(self, thread_id: str, usage: Mapping[str, Any]) -> None:
        """A run that ends has used this."""
        row = self.rows.get(thread_id)
        if row is not None:
            total = dict(row["usage"])
            for name in _COUNTED:
                if usage.get(name) is not None:
                    total[name] = total.get(name, 0) + usage[name]
            self.rows[thread_id] = {**row, "usage": total, "updated_at": self.now()}

    def end(self, thread_id: str, run_id: str) -> None:
        """A run leaves its line with its outcome, which is about to be stored."""
        row = self.rows.get(thread_id)
        if row is not None:
            self.rows[thread_id] = {**row, **self._doing(thread_id, without=run_id)}

    def moved(self, thread_id: str) -> None:
        """Its line has changed."""
        row = self.rows.get(thread_id)
        if row is not None and row != (moved := {**row, **self._doing(thread_id)}):
            self.rows[thread_id] = moved
            self.publish(thread_id)

    def _doing(self, thread_id: str, without: str | None = None) -> dict[str, Any]:
        line = [run_id for run_id in self._line(thread_id) if run_id != without]
        return {"running": line[0] if line else None, "queued": line[1:]}

    def set(self, thread_id: str, **fields: Any) -> Row:
        """Change fields of a row."""
        self.rows[thread_id] = {**self.rows[thread_id], **fields}
        return self.rows[thread_id]

    # Publishing

    def event(self, thread_id: str) -> NewEvent:
        """The row as it is now, to be stored with something else; its absence where there is none."""
        row = self.rows.get(thread_id)
        path = pointer(thread_id)
        # added first, because removing what is not there would be refused
        ops = [{"op": "add", "path": path, "value": row or {}}]
        if row is None:
            ops.append({"op": "remove", "path": path})
        return NewEvent(THREADS, "state.patch", orjson.dumps({"ops": ops}))

    def publish(self, thread_id: str) -> None:
        """Store the row as it is now, in this step; again later where that fails."""

        def told(answer: Answer | AntiphonError) -> None:
            if isinstance(answer, AntiphonError):
                self._again(thread_id, answer)

        try:
            self._hub.post(self.event(thread_id), told)
        except AntiphonError as error:  # the hub is closing
            self._again(thread_id, error)

    def _again(self, thread_id: str, error: AntiphonError) -> None:
        if self._closed or isinstance(error, Busy):
            return
        _log.warning("row of a thread not published yet", thread_id=thread_id, error=str(error))
        self._unpublished.add(thread_id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(RETRY_S, self._retry)

    def _retry(self) -> None:
        self._timer = None
        names, self._unpublished = self._unpublished, set()
        for name in names:
            self.publish(name)

    def close(self) -> None:
        """Try nothing again."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
