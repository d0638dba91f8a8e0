"""The rows of all questions as they are stored: the open ones, and the last that have ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from antiphon.errors import Busy
from antiphon.services.table import Row

KEPT_ROWS = 1000  # ended questions
KEPT_BYTES = 16 << 20  # of them as JSON
MAX_OPEN = 10_000


class Table:
    """What is committed; decides which rows are forgotten."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._open: dict[str, dict[str, Row]] = {}  # by run, then by id
        self._open_count = 0
        self._ended: dict[str, int] = {}  # ids in the order of their ends, with the bytes of their rows
        self._ended_bytes = 0

    def load(self, rows: Mapping[str, Row]) -> None:
        """Begin with what was stored."""
        self.__init__()  # type: ignore[misc]
        for row in sorted(rows.values(), key=lambda row: row["ended_at"] or ""):
            self.put(row)

    def put(self, row: Row) -> None:
        """Take in a row that is stored."""
        name = row["question_id"]
        self._leave(name)
        self.rows[name] = row
        if row["status"] == "open":
            self._open.setdefault(row["run_id"], {})[name] = row
            self._open_count += 1
        else:
            self._ended[name] = size = len(orjson.dumps(row))
            self._ended_bytes += size

    def _leave(self, name: str) -> None:
        before = self.rows.pop(name, None)
        if before is None:
            return
        if before["status"] != "open":
            self._ended_bytes -= self._ended.pop(name, 0)
            return
        mates = self._open[before["run_id"]]
        del mates[name]
        self._open_count -= 1
        if not mates:
            del self._open[before["run_id"]]

    def forget(self, row: Row) -> list[Row]:
        """Take out the oldest ended rows that have to go when `row` comes; give them to `keep` if it does not."""
        if row["status"] == "open":
            return []
        gone = []
        size = len(orjson.dumps(row))
        while self._ended and (len(self._ended) >= KEPT_ROWS or self._ended_bytes + size > KEPT_BYTES):
            name = next(iter(self._ended))
            gone.append(self.rows[name])
            self._leave(name)
        return gone

    def keep(self, rows: Iterable[Row]) -> None:
        """Take rows back that could not be forgotten."""
        for row in rows:
            self.put(row)

    def check_room(self) -> None:
        """Raise Busy where no further question can be open."""
        if self._open_count >= MAX_OPEN:
            raise Busy(f"{MAX_OPEN} questions are open; answer or withdraw some")

    def open(self) -> list[Row]:
        """All open questions."""
        return [row for rows in self._open.values() for row in rows.values()]

    def open_in(self, run_id: str) -> list[Row]:
        """The open questions of a run."""
        return list(self._open.get(run_id, {}).values())

    def in_order(self) -> list[Row]:
        """The open ones by deadline, those without one last; then the ended, newest first."""
        waiting = sorted(self.open(), key=lambda row: (row["deadline"] or "~", row["asked_at"]))
        return waiting + [self.rows[name] for name in reversed(self._ended)]
