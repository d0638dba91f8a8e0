"""A server in the test's own process: on a thread, in memory, in a time that the test moves."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn

from antiphon.brokers.memory import MemoryBroker
from antiphon.errors import AlreadyAnswered
from antiphon.server.app import Server
from antiphon.server.core import Core
from antiphon.server.runnables import Function, Runnable
from antiphon.server.settings import Settings, load, policy_of
from antiphon.testing.clock import MovedClock

STARTS_WITHIN_S = 30.0
ANSWERED_WITHIN_S = 10.0
FAREWELL_S = 1.0
T = TypeVar("T")


class Answering:
    """An answer that waits for its question."""

    def __init__(self, future: Future[dict[str, Any]]) -> None:
        self._future = future

    def result(self, timeout_s: float = ANSWERED_WITHIN_S) -> dict[str, Any]:
        """The question as it was answered.

        Raises:
            TimeoutError: Nobody has asked in this time.
            InvalidParams: The answer does not fit the question, which is still open.
        """
        return self._future.result(timeout_s)

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        """The same without blocking the loop, and without a limit."""
        return asyncio.wrap_future(self._future).__await__()


class MemoryServer:
    """Serves as `antiphon serve` does and forgets everything at its end. A context manager; the fixture enters it.

    Its methods may be called from any thread, beside an event loop or without one. Time stands still: deadlines pass
    only when the test says `advance`. Leases run in real time, as the programs do that own them.

    Args:
        data: A directory for what has to be a file; made if missing.
        settings: Further settings by their full names.
    Raises:
        SettingsError: A setting is unknown or wrong.
    """

    def __init__(self, data: Path, *, settings: Mapping[str, Any] | None = None) -> None:
        data.mkdir(parents=True, exist_ok=True)
        flags = {"server.data": str(data), **(settings or {})}
        self._settings: Settings = load(None, flags, cwd=data).settings
        self._clock = MovedClock()
        self._turn = asyncio.Lock()  # answers are given in the order in which they were promised
        self._asked = asyncio.Event()
        self._callers: list[Callable[[dict[str, Any]], object]] = []
        self._calls: list[Future[object]] = []
        self._caller = ThreadPoolExecutor(1, "antiphon test caller")
        self._url: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, name="antiphon test server", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._core: Core | None = None
        self._app: Server | None = None
        self._uvicorn: _Uvicorn | None = None

    @property
    def url(self) -> str:
        """Where it serves: `http://127.0.0.1:PORT`."""
        return self._url.result(STARTS_WITHIN_S)

    # What a test does

    def now(self) -> float:
        """The server's time: Unix time in seconds."""
        return self._clock.now()

    def advance(self, seconds: float) -> None:
        """Move the server's time on, and with it deadlines, not leases; wait for the effect as your program does."""
        self._call(self._advance(seconds))

    def answer_next(self, answer: Any = None, *, action: str | None = None, by: str = "tester") -> Answering:
        """Promise an answer to the next question, or to the oldest that is open; does not wait.

        Several promises are kept one after the other.
        Args:
            action: answer, approve, edit or reject; None = answer.
            by: The user who is said to have answered.
        """
        return Answering(self._begin(self._answer_next(answer, action, by)))

    def when_asked(self, call: Callable[[dict[str, Any]], object]) -> None:
        """Call `call(question)` for each new question, in a thread of its own, while whoever asked waits.

        What it raises comes out of the server's end, so that it fails the test.
        """
        self._callers.append(call)

    def drop_connection(self) -> int:
        """Cut all connections as a dying network does, without a word; returns how many. Clients may come back."""
        return self._call(self._cut())

    def runnable(self, name: str, function: Function) -> None:
        """Make a function startable, as `@live.runnable(name)` does. Raises ConflictError, TypeError, SettingsError."""
        self._call(self._offer(Runnable(name, function)))

    # In the server's thread

    async def _advance(self, seconds: float) -> None:
        self._clock.advance(seconds)

    async def _answer_next(self, answer: Any, action: str | None, by: str) -> dict[str, Any]:
        assert self._core is not None
        questions = self._core.questions
        async with self._turn:
            while True:
                self._asked.clear()
                for row in [row for row in questions.rows.values() if row["status"] == "open"]:
                    try:
                        return await questions.answer(row["question_id"], answer=answer, action=action, by=by)
                    except AlreadyAnswered:
                        continue  # somebody else was faster
                await self._asked.wait()

    def _when_asked(self, row: dict[str, Any]) -> None:
        self._asked.set()
        self._calls += [self._caller.submit(call, dict(row)) for call in self._callers]

    async def _cut(self) -> int:
        assert self._uvicorn is not None
        return self._uvicorn.cut()

    async def _offer(self, runnable: Runnable) -> None:
        assert self._app is not None
        self._app.offer(runnable)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return self._begin(work).result(ANSWERED_WITHIN_S)

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        if self._loop is None or self._core is None:
            work.close()
            raise RuntimeError("the server does not run: use `with MemoryServer(...) as server`")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:
            if self._url.done():
                raise
            self._url.set_exception(exc)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            policy = policy_of(self._settings, ports=[port])
            self._app = Server(self._settings, lambda: policy, clock=self._clock, open_store=MemoryBroker)
            async with self._app.running() as core:
                core.questions.on_asked.append(self._when_asked)
                self._core = core
                url = f"http://127.0.0.1:{port}"
                self._uvicorn = _Uvicorn(_config(self._app), core, lambda: self._url.set_result(url))
                await self._uvicorn.serve(sockets=[listener])
                self._core = None

    # Coming and going

    def __enter__(self) -> Self:
        self._thread.start()
        self._url.result(STARTS_WITHIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._caller.shutdown(cancel_futures=True)
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True
        self._thread.join(STARTS_WITHIN_S)
        for call in self._calls:
            if not call.cancelled():
                call.result()


class _Uvicorn(uvicorn.Server):
    """Says when it listens, says goodbye when it ends, and cuts when it is told to."""

    def __init__(self, config: uvicorn.Config, core: Core, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._core = core
        self._listening = listening

    def cut(self) -> int:
        transports = [protocol.transport for protocol in self.server_state.connections]
        for transport in transports:
            transport.abort()
        return len(transports)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._core.connections.leave("stopping", within_s=FAREWELL_S)
        await super().shutdown(sockets)


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
    )
