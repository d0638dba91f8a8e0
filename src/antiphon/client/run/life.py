"""One run from its beginning to its outcome: what may still be said, and how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from antiphon.client.run.cutting import GROWING
from antiphon.client.run.growing import in_words
from antiphon.client.run.plain import plain
from antiphon.client.run.port import RunEvent, RunPort
from antiphon.client.run.records import Records
from antiphon.client.run.settling import CANCELLED_S, settle
from antiphon.errors import AntiphonError, ConflictError, RunCancelled, RunEnded, RunLost

logger = logging.getLogger("antiphon.client")

FINISH_S = 120.0  # a server that is started again in this time still hears how it ended


class Life:
    """What the faces of a run share.

    Args:
        wanted: The parameters of `run.open`.
        on_cancel: Told the reason at once, on the event loop.
        interrupt: Told why, when the program should stop: once.
    """

    def __init__(
        self, port: RunPort, wanted: Mapping[str, Any], *, on_cancel: Callable[[str | None], object] | None
    ) -> None:
        self.id = str(wanted["run_id"])
        self.wanted = wanted
        self.channel = f"run:{self.id}"
        self.reason: str | None = None  # why it was cancelled, if somebody said
        self.is_cancelled = False
        self.lost: RunLost | None = None
        self.result: Any = None
        self.records = Records(self._log)
        self.interrupt: Callable[[str], object] | None = None
        self._on_cancel = [] if on_cancel is None else [on_cancel]
        self._port = port
        self._is_over = False
        self._finished = ""  # what it said how it ended
        port.on_cancel = self._cancelled
        port.on_lost = self._lost

    async def open(self) -> None:
        """Begin. Raises what the port raises."""
        opened = await self._port.open(self.wanted)
        self.id, self.channel = opened.run_id, opened.channel

    # What happens to it

    def _cancelled(self, reason: str | None) -> None:
        if self.is_cancelled or self.lost is not None or self._is_over:
            return
        self.is_cancelled, self.reason = True, reason
        for told in tuple(self._on_cancel):
            try:
                told(reason)
            except Exception:  # of the program; it must not keep the run from being stopped
                logger.exception("on_cancel of run %s failed", self.id)
        self._interrupt(str(self.cancelled()))

    def when_cancelled(self, told: Callable[[str | None], object]) -> Callable[[], None]:
        """Tell the reason at once when somebody cancels it, or now where somebody has; returns what takes it back."""
        if self.is_cancelled:
            told(self.reason)
            return lambda: None
        self._on_cancel.append(told)
        return lambda: self._on_cancel.remove(told)

    def _lost(self, error: AntiphonError) -> None:
        if self.lost is None and not self._is_over:
            self.lost = RunLost(f"run {self.id} is not this program's any more: {error.message}")
            self.lost.__cause__ = error
            self._interrupt(self.lost.message)

    def _interrupt(self, why: str) -> None:
        if self.interrupt is not None:
            self.interrupt(why)

    def cancelled(self) -> RunCancelled:
        """The error that says that it was cancelled."""
        because = f": {self.reason}" if self.reason else ""
        return RunCancelled(f"run {self.id} was cancelled{because}", run_id=self.id, reason=self.reason)

    # What it says

    def check(self, kind: str = "") -> None:
        """Raise what keeps it from saying this kind of event."""
        if self.lost is not None:
            raise self.lost.with_traceback(None)
        if self.is_cancelled and kind in GROWING:
            raise self.cancelled()
        if self._is_over:
            raise RunEnded(f"run {self.id} has ended")

    async def say(self, kind: str, data: Any, /) -> None:
        """Say one event. Raises RunCancelled, RunLost, RunEnded, or as the port does."""
        self.check(kind)
        try:
            await self._port.emit([RunEvent(kind, data)])
        except AntiphonError:
            self.check(kind)  # the better word for it
            raise

    async def _log(self, level: str, text: str, logger_name: str) -> None:
        await self._port.emit([RunEvent("log", {"level": level, "text": text, "logger": logger_name})])

    async def ask(self, question: Mapping[str, Any]) -> Any:
        """Ask and wait. Raises RunCancelled, RunLost, RunEnded, QuestionWithdrawn."""
        self.check("message.open")
        try:
            return await self._port.ask(question)
        except RunCancelled:
            raise self.cancelled() from None
        except AntiphonError:
            self.check("message.open")
            raise

    # How it ends

    async def end(self, error: BaseException | None) -> None:
        """Write the outcome that leaving the block with this exception means, and let go.

        Raises:
            RunCancelled, RunLost: That is what it ended as, whatever the block did.
            AntiphonError: The outcome, or what was said before, could not be stored.
        """
        try:
            row = None if self.lost is not None else await settle(self._finish(error), within_s=self._patience_s(error))
        except AntiphonError:
            self._raise_how_it_ended()
            raise
        finally:
            self._is_over = True
            await self._port.close()
        if isinstance(row, Mapping):
            self._take_outcome(row)
        self._raise_how_it_ended()

    def _take_outcome(self, row: Mapping[str, Any]) -> None:
        if row.get("status") == "cancelled" and not self.is_cancelled and self._finished != "cancelled":
            self.is_cancelled, self.reason = True, row.get("reason")
        elif row.get("status") == "lost":
            self.lost = self.lost or RunLost(f"run {self.id} was declared lost")

    def _raise_how_it_ended(self) -> None:
        if self.lost is not None:
            raise self.lost.with_traceback(None)
        if self.is_cancelled:
            raise self.cancelled()

    async def _finish(self, error: BaseException | None) -> Any:
        await self.records.stop()
        self._finished, outcome = self._outcome(error)
        try:
            return await self._port.finish(self._finished, **outcome)
        except RunCancelled:
            self.is_cancelled = True
        except ConflictError:
            if not self.is_cancelled:
                raise
        return None  # it took too long, and was cut off

    def _patience_s(self, error: BaseException | None) -> float:
        is_stopping = isinstance(error, asyncio.CancelledError | KeyboardInterrupt) and not self.is_cancelled
        return CANCELLED_S if is_stopping else FINISH_S

    def _outcome(self, error: BaseException | None) -> tuple[str, dict[str, Any]]:
        if self.is_cancelled:
            return "cancelled", {"reason": self.reason}
        if error is None:
            return "succeeded", {"result": self.result}
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | GeneratorExit):
            return "cancelled", {"reason": "the program stopped it"}
        return "failed", {"error": in_words(error)}

    def set_result(self, value: Any) -> None:
        """What it amounts to; said with the outcome. Raises TypeError if it is not JSON."""
        self.result = plain(value)
