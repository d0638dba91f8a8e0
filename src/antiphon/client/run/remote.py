"""A run that is kept by a server: over the client's connection, its reconnects, and restarts of the server.

The program owns the run by a lease, a secret that it makes itself, so that every request may be sent again. One task
keeps the lease and follows the run's channel, where cancels and answers appear; what is said goes through the outbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import antiphon
from antiphon.client.answers import read
from antiphon.client.items import CaughtUp, Event, Gap, Item
from antiphon.client.run.outbox import Outbox
from antiphon.client.run.port import Answer, Opened, RunEvent, new_id
from antiphon.client.session import Session
from antiphon.client.subscription import Subscription
from antiphon.client.wire import Limits, Wire
from antiphon.errors import (
    AccessError,
    AntiphonError,
    ClientClosed,
    ConnectionLost,
    InternalError,
    LeaseLost,
    NotFound,
    QuestionWithdrawn,
    RequestTimeout,
    RunCancelled,
    RunEnded,
    RunLost,
    TransportError,
)

logger = logging.getLogger("antiphon.client")

LEASE_S = 15.0
WORD_S = 0.25  # so long the event of a cancel, which says why, may come after the refusal that it caused

_gone = (LeaseLost, RunEnded, NotFound, AccessError, ClientClosed)  # after these the run is not ours any more
Subscribe = Callable[[str], Subscription]


class _Opened(Wire):
    run_id: str
    channel: str
    epoch: str
    lease: str
    lease_s: float
    run: dict[str, Any]


class RemotePort:
    """One run of this program on a server; see RunPort.

    Args:
        session: The client's connection.
        subscribe: Follows a channel from its start.
        lease_s: Seconds without a sign of this program after which its run is lost.
        open_s: Seconds in which it must be open.
    """

    def __init__(self, session: Session, subscribe: Subscribe, *, lease_s: float, open_s: float | None) -> None:
        self.on_cancel: Callable[[str | None], None] = lambda _reason: None
        self.on_lost: Callable[[AntiphonError], None] = lambda _error: None
        self._session = session
        self._subscribe = subscribe
        self._open_s = open_s
        self._owner: dict[str, Any] = {"lease": secrets.token_urlsafe(32)}
        self._lease_s = lease_s
        self._outbox: Outbox | None = None  # None = it is not open
        self._questions: dict[str, asyncio.Future[Answer]] = {}
        self._cancelled = False
        self._is_finishing = False
        self._deaf: AntiphonError | None = None  # why the run's channel cannot be followed
        self._sign_now = asyncio.Event()
        self._is_first = True  # no connection was lost yet
        self._keeper: asyncio.Task[None] | None = None
        self._word: asyncio.TimerHandle | None = None

    # Beginning and end

    async def open(self, wanted: Mapping[str, Any]) -> Opened:
        """Open the run under a lease of our own. Raises ConflictError: the id is taken by another run."""
        client = f"antiphon-python/{antiphon.__version__}"
        params = {**wanted, **self._owner, "lease_s": self._lease_s, "client": client, "pid": os.getpid()}
        self._owner["run_id"] = wanted["run_id"]
        try:
            result = await self._session.request("run.open", params, repeatable=True, timeout_s=self._open_s)
        except BaseException as exc:
            if not isinstance(exc, AntiphonError) or isinstance(exc, TransportError):
                self._give_up()
            raise
        opened = read(_Opened, result)
        self._lease_s = opened.lease_s
        self._session.hurries[self] = self._lease_s / 4  # after a restart the server waits for one term
        limits = Limits() if self._session.welcome is None else self._session.welcome.limits
        self._outbox = Outbox(
            self._session.post,
            self._owner,
            limits,
            on_cancelled=self._refused_as_cancelled,
            on_broken=self._broken,
        )
        self._keeper = asyncio.create_task(self._keep(opened.channel), name=f"antiphon {opened.channel}")
        return Opened(opened.run_id, opened.channel, opened.epoch, opened.run)

    def _give_up(self) -> None:
        """Perhaps the server opened it all the same: then nobody does it."""
        try:
            self._session.post("run.finish", {**self._owner, "status": "cancelled"}, lambda _result, _error: None)
        except AntiphonError:
            logger.debug("a run that was perhaps opened is left to its lease")

    async def finish(
        self, status: str, *, result: Any = None, error: Mapping[str, Any] | None = None, reason: str | None = None
    ) -> Any:
        outbox = self._open_outbox()
        try:
            await outbox.stored()
        except (LeaseLost, RunEnded, RunCancelled, TransportError):
            raise
        except AntiphonError as exc:  # something was refused: this cannot count as a success
            failure = {"message": exc.message, "type": type(exc).__name__}
            await self._finish({"status": "failed", "error": failure})
            raise
        said = {"status": status, "result": result, "error": error, "reason": reason}
        return await self._finish({name: value for name, value in said.items() if value is not None})

    async def _finish(self, outcome: Mapping[str, Any]) -> Any:
        self._is_finishing = True  # the outcome that will be seen is ours
        while True:
            try:
                answer = await self._request("run.finish", outcome)
            except _gone as exc:
                self._lost(exc)
                raise
            except AntiphonError as exc:
                if not exc.retryable or isinstance(exc, TransportError):
                    raise
                await asyncio.sleep(1.0)  # the disk is full, or the like
            else:
                return answer.get("run")

    async def _request(self, method: str, params: Mapping[str, Any]) -> Any:
        return await self._session.request(method, {**self._owner, **params}, repeatable=True, timeout_s=None)

    async def close(self) -> None:
        self._session.hurries.pop(self, None)
        if self._word is not None:
            self._word.cancel()
        if self._outbox is not None:
            self._outbox.end(RunEnded("this run has ended"))
        for waiting in self._questions.values():
            waiting.cancel()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    # What it says

    async def emit(self, events: Sequence[RunEvent]) -> None:
        outbox = self._open_outbox()
        outbox.add(events)
        await outbox.room()

    def _open_outbox(self) -> Outbox:
        if self._outbox is None:
            raise RunEnded("this run is not open")
        return self._outbox

    async def ask(self, question: Mapping[str, Any]) -> Answer:
        outbox = self._open_outbox()
        outbox.check()
        if self._deaf is not None:
            raise self._deaf
        question_id = new_id("q")
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._questions[question_id] = waiting
        outbox.flush()
        try:
            await self._request("question.ask", {**question, "question_id": question_id})
            return await waiting
        except asyncio.CancelledError:
            if not self._cancelled and outbox.error is None:
                self._withdraw(question_id)
            raise
        except RunCancelled:
            self._refused_as_cancelled()
            raise
        finally:
            del self._questions[question_id]
            if waiting.done() and not waiting.cancelled():
                waiting.exception()  # has been looked at

    def _withdraw(self, question_id: str) -> None:
        params = {"question_id": question_id, "lease": self._owner["lease"]}
        try:
            self._session.post("question.withdraw", params, lambda _result, _error: None)
        except AntiphonError:
            logger.debug("a question is left to the end of its run")

    # What happens to it

    async def _keep(self, channel: str) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(channel), name="antiphon run: following")
                tasks.create_task(self._renew(), name="antiphon run: lease")
        except Exception as exc:  # a fault of ours must not leave the program in a run that nobody keeps
            logger.exception("keeping %s failed", channel)
            self._lost(InternalError(f"the client failed: {exc!r}"))

    async def _follow(self, channel: str) -> None:
        try:
            async with self._subscribe(channel) as items:
                async for item in items:
                    self._heard(item)
        except ClientClosed as exc:
            self._lost(exc)
        except AntiphonError as exc:
            logger.warning("%s cannot be followed, so cancels are seen late: %s", channel, exc.message)
            self._deaf = exc

    def _heard(self, item: Item) -> None:
        if isinstance(item, CaughtUp | Gap):
            if not self._is_first:
                self._look_again()
            self._is_first = False
        elif isinstance(item, Event) and isinstance(item.data, dict):
            self._take(item.type, item.data)

    def _take(self, kind: str, data: Mapping[str, Any]) -> None:
        match kind:
            case "run.status" if data.get("status") == "cancelling":
                self._cancel(data.get("reason"))
            case "run.cancelled" if not self._is_finishing:
                self._cancel(data.get("reason"))
                self._end(RunEnded("the run was cut off"))
            case "run.lost" | "run.failed" | "run.succeeded" if not self._is_finishing:
                self._lost(RunEnded(f"it ended as {kind.removeprefix('run.')}: {data.get('reason') or 'not by us'}"))
            case "question.answered" | "question.withdrawn":
                self._question_ended(str(data.get("question_id")), kind == "question.answered", data)

    def _question_ended(self, question_id: str, is_answered: bool, data: Mapping[str, Any]) -> None:
        waiting = self._questions.get(question_id)
        if waiting is None or waiting.done():
            return
        if is_answered:
            action = data.get("action") or "answer"
            waiting.set_result(Answer(data.get("answer"), action, data.get("by"), bool(data.get("is_default"))))
        else:
            waiting.set_exception(QuestionWithdrawn(f"nobody answered: {data.get('reason') or 'it was withdrawn'}"))

    def _cancel(self, reason: str | None) -> None:
        if self._cancelled:
            return
        self._cancelled = True
        for waiting in self._questions.values():
            if not waiting.done():
                waiting.set_exception(RunCancelled("the run was cancelled"))
        self.on_cancel(reason)

    def _refused_as_cancelled(self) -> None:
        """The event that says so, and why, is on its way; unless it cannot be followed."""
        if not self._cancelled and self._word is None:
            self._word = asyncio.get_running_loop().call_later(WORD_S, self._cancel, None)

    def _broken(self, error: AntiphonError) -> None:
        """Something was refused for good: the next call says why; what takes the run away stops the program."""
        if isinstance(error, RunCancelled):
            self._cancel(None)
            self._end(error)
        elif isinstance(error, _gone):
            self._lost(error)

    def _lost(self, error: AntiphonError) -> None:
        self._end(error)
        if not self._cancelled:  # else it was cut off
            self.on_lost(error)

    def _end(self, error: AntiphonError) -> None:
        if self._outbox is not None:
            self._outbox.end(error)
        for waiting in self._questions.values():
            if not waiting.done():
                waiting.set_exception(RunLost(error.message))

    # The lease

    def _look_again(self) -> None:
        """After a reconnect: show at once that the program is there, and look what became of its questions."""
        self._sign_now.set()
        for question_id in self._questions:
            self._session.post("question.get", {"question_id": question_id}, self._question_seen)

    def _question_seen(self, result: Any, _error: AntiphonError | None) -> None:
        row = result.get("question", result) if isinstance(result, dict) else {}
        if row.get("status") in ("answered", "withdrawn"):
            self._question_ended(str(row.get("question_id")), row["status"] == "answered", row)

    async def _renew(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._lease_s / 3):
                    await self._sign_now.wait()
            self._sign_now.clear()
            try:
                await self._sign()
            except _gone as exc:
                if not self._is_finishing:  # else it has ended by our own hand, and the answer is on its way
                    self._lost(exc)
                return

    async def _sign(self) -> None:
        """One sign of life. Raises what `_gone` names."""
        timeout_s = max(2.0, self._lease_s / 3)
        try:
            answer = await self._session.request("run.renew", self._owner, repeatable=True, timeout_s=timeout_s)
        except RequestTimeout:
            self._session.drop()  # it looks alive and says nothing: a new connection is what helps
        except ConnectionLost:
            return
        except RunCancelled as exc:
            self._broken(exc)
        except _gone:
            raise
        except AntiphonError as exc:
            logger.warning("the lease of run %s was not renewed: %s", self._owner["run_id"], exc.message)
        else:
            if isinstance(answer, dict) and answer.get("status") == "cancelling":
                self._refused_as_cancelled()
