"""Jobs for one task: whoever wants something asks, and the owner does one job after another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, NoReturn, TypeVar

import structlog

from antiphon.errors import AntiphonError, Busy, ConflictError, InternalError

T = TypeVar("T")
Job = Callable[["asyncio.Future[T]"], Awaitable[None]]
_log = structlog.get_logger(__name__)


class Mailbox(Generic[T]):
    """Jobs in the order in which they came. A job answers its future itself, now or later."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: asyncio.Queue[tuple[Job[T], asyncio.Future[T]]] = asyncio.Queue()
        self._closed = False

    async def ask(self, job: Job[T]) -> T:
        """Have a job done and wait for its answer; cancelling the wait does not take the job back.

        Raises:
            Busy: The owner is ending.
        """
        return await self.post(job)

    def post(self, job: Job[T]) -> asyncio.Future[T]:
        """Have a job done."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_look)
        if self._closed:
            answer.set_exception(Busy("the server is stopping"))
        else:
            self._jobs.put_nowait((job, answer))
        return answer

    async def serve(self) -> NoReturn:
        """Do the jobs until cancelled; one that fails does not end the others."""
        try:
            while True:
                job, answer = await self._jobs.get()
                await self._do(job, answer)
        finally:
            self._closed = True
            while not self._jobs.empty():
                refuse(self._jobs.get_nowait()[1], Busy("the server is stopping"))

    async def _do(self, job: Job[T], answer: asyncio.Future[T]) -> None:
        try:
            await job(answer)
        except AntiphonError as error:
            refuse(answer, error)
        except OSError as error:
            _log.warning("a job was refused by the system", process=self._name, error=str(error))
            refuse(answer, InternalError(f"the system refused: {error or type(error).__name__}"))
        except asyncio.CancelledError:
            refuse(answer, Busy("the server is stopping"))
            raise
        except Exception:  # a fault of ours must not end the process's owner
            _log.exception("a job failed", process=self._name)
            refuse(answer, InternalError("a fault of the server"))


def give(answer: asyncio.Future[T], result: T) -> None:
    """Answer, if somebody still waits."""
    if not answer.done():
        answer.set_result(result)


def refuse(answer: asyncio.Future[T], error: AntiphonError) -> None:
    """Answer with an error, if somebody still waits."""
    if not answer.done():
        answer.set_exception(error)


class Waiters(Generic[T]):
    """Who waits for one and the same thing."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[T]] = []

    def add(self, answer: asyncio.Future[T]) -> None:
        """Answer this one too."""
        self._waiting.append(answer)

    def give(self, result: T) -> None:
        """Answer all."""
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            give(answer, result)

    def refuse(self, why: str) -> None:
        """Answer all with a ConflictError."""
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            answer.add_done_callback(_look)
            refuse(answer, ConflictError(why))


def _look(answer: asyncio.Future[T]) -> None:
    """An error that nobody waits for is no news."""
    if not answer.cancelled():
        answer.exception()
