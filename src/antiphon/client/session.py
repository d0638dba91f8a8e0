"""The machine behind a client: one connection at a time, what waits for answers, and what is subscribed to.

One task, owned by `start` and `close`, keeps connecting; everything it shares with callers is touched on the event loop
only, between two awaits. What is wanted (requests, lanes) outlives connections; what the server believes does not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from antiphon.client.address import Address
from antiphon.client.backoff import Backoff
from antiphon.client.feed import Feed
from antiphon.client.items import Status
from antiphon.client.requests import Answered, Request, Requests
from antiphon.client.router import Router
from antiphon.client.sizes import frame_problem
from antiphon.client.socket import HANDSHAKE_S, closed_because, is_final, open_socket
from antiphon.client.wire import (
    Goodbye,
    ProtocolFault,
    Reply,
    Welcome,
    WireCaughtUp,
    WireError,
    WireEvent,
    WireGap,
    decode,
)
from antiphon.errors import (
    AntiphonError,
    ClientClosed,
    ConnectionLost,
    InternalError,
    RequestTimeout,
)

logger = logging.getLogger("antiphon.client")

MAX_IN_FLIGHT = 256  # further requests wait their turn: memory is bounded whatever the number of callers
STEADY_S = 5.0  # a connection that lived this long was a good one: the next failure is the first again

OnStatus = Callable[[Status], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """Why there is no connection, and how long the server asked to stay away."""

    reason: str
    at_least_s: float = 0.0
    problem: AntiphonError | None = None  # why there was none in the first place


class Session:
    """See the module. All methods belong on the event loop in which `start` was called.

    Args:
        address: The server.
        first_connection_s: Seconds to keep trying for the first connection; 0 = one attempt, None = for ever.
        on_status: Called on the loop whenever the connection changes.
    """

    def __init__(self, address: Address, *, first_connection_s: float | None, on_status: OnStatus | None) -> None:
        self.address = address
        self.welcome: Welcome | None = None  # of the present or the last connection
        self.status = Status("connecting")
        self._first_connection_s = first_connection_s
        self._on_status = on_status
        self._requests = Requests()
        self.router = Router(self._ask_once)
        self._outbox: asyncio.Queue[bytes] | None = None  # None = nothing can be sent now
        self.hurries: dict[object, float] = {}  # who cannot wait longer than so many seconds for a connection
        self._socket: ClientConnection | None = None
        self._room = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()  # the first welcome has come, or none will
        self._ended: AntiphonError | None = None
        self._goodbye: Goodbye | None = None

    # Life

    async def start(self) -> None:
        """Connect. Raises ConnectionFailed, or what the server said when it refused."""
        self._loop = asyncio.get_running_loop()
        self._runner = asyncio.create_task(self._run(), name=f"antiphon client of {self.address.url}")
        try:
            await self._connected.wait()
        except BaseException:
            await self.close()
            raise
        if self._ended is not None:
            raise self._ended

    async def close(self) -> None:
        """End the connection and everything that waits; may be called twice."""
        self._end(ClientClosed("this client has been closed"))
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait([self._runner])

    async def _run(self) -> None:
        try:
            await self._keep_connected()
        except AntiphonError as exc:
            self._end(exc)
        except Exception as exc:  # a fault of ours must not leave callers waiting for ever
            logger.exception("the client of %s failed", self.address.url)
            self._end(InternalError(f"the client failed: {exc!r}"))

    def _end(self, error: AntiphonError) -> None:
        if self._ended is not None:
            return
        self._ended = error
        self._outbox = None
        self._connected.set()
        self.router.fail(error)
        self._requests.fail(error)
        self._report(Status("closed", error.message))

    def leave(self, feed: Feed) -> None:
        """Let go of a subscription; may be called from any thread. Raises RuntimeError if the loop is gone."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.router.unsubscribe, feed)

    def check_open(self) -> None:
        """Raises what ended this client, or ClientClosed if it was never entered."""
        if self._ended is not None:
            raise self._ended
        if self._runner is None:
            raise ClientClosed("this client is not open: use `async with antiphon.connect() as live`")

    def _report(self, status: Status) -> None:
        if status == self.status:
            return
        self.status = status
        if self._on_status is not None:
            self._on_status(status)

    # Connections

    async def _keep_connected(self) -> None:
        now, backoff = asyncio.get_running_loop().time, Backoff()
        deadline = None if self._first_connection_s is None else now() + self._first_connection_s
        while True:
            started = now()
            self._report(Status("connecting", self.status.reason))
            ending = await self._one_connection(HANDSHAKE_S if deadline is None else max(1.0, deadline - started))
            deadline = None if self.welcome is not None else deadline
            if now() - started > STEADY_S:
                backoff.reset()
            wait_s = backoff.next_s(ending.at_least_s, min(self.hurries.values(), default=None))
            if deadline is not None and ending.problem is not None and now() + wait_s >= deadline:
                raise ending.problem
            logger.info("no connection to %s: %s; trying again in %.1f s", self.address.url, ending.reason, wait_s)
            self._report(Status("waiting", ending.reason, wait_s))
            await asyncio.sleep(wait_s)

    async def _one_connection(self, within_s: float) -> Ending:
        try:
            socket, welcome = await open_socket(self.address, within_s=min(HANDSHAKE_S, within_s))
        except AntiphonError as exc:
            if is_final(exc):
                raise
            return Ending(exc.message, problem=exc)
        self._socket = socket
        try:
            return await self._converse(socket, welcome)
        finally:
            self._socket = None
            await socket.close()

    async def _converse(self, socket: ClientConnection, welcome: Welcome) -> Ending:
        outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.welcome, self._outbox, self._goodbye = welcome, outbox, None
        reason = "closed"
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(_write(socket, outbox), name="antiphon client writer")
                self._resume()
                self._connected.set()
                self._report(Status("live"))
                reason = await self._read(socket)
                writer.cancel()
        finally:
            self._lost(reason)
        return Ending(reason, self._asked_to_wait_s())

    def _asked_to_wait_s(self) -> float:
        return 0.0 if self._goodbye is None else self._goodbye.reconnect_after_s or 0.0

    def _resume(self) -> None:
        self.router.connected()
        for request in self._requests.unsent():
            self._send(request)

    def _lost(self, reason: str) -> None:
        self._outbox = None
        self._requests.lost(reason)
        self.router.disconnected()

    async def _read(self, socket: ClientConnection) -> str:
        try:
            while True:
                frame = await socket.recv(decode=False)
                self._receive(frame)
        except ConnectionClosed:
            return (
                closed_because(socket) if self._goodbye is None else f"the server said goodbye: {self._goodbye.reason}"
            )
        except ProtocolFault as exc:
            logger.warning("%s sent what cannot be read: %s", self.address.url, exc)
            return f"the server sent what cannot be read: {exc}"

    def _receive(self, frame: bytes) -> None:
        match decode(frame):
            case WireEvent() as event:
                self.router.event(event, len(frame))
            case Reply() as reply:
                self._reply(reply)
            case WireCaughtUp() | WireGap() as notice:
                self.router.notice(notice)
            case Goodbye() as goodbye:
                self._goodbye, self._outbox = goodbye, None  # what is asked from now on goes to the next connection
                self.router.is_connected = False
            case WireError() as problem:
                logger.warning("the server reports a problem: %s", problem.message)

    def _reply(self, reply: Reply) -> None:
        if reply.id is None and reply.error is not None:
            logger.warning("the server could not read a request: %s", reply.error.message)
        self._requests.reply(reply)

    # Requests

    async def request(
        self, method: str, params: Mapping[str, Any], *, repeatable: bool, timeout_s: float | None
    ) -> Any:
        """Ask and wait for the answer, over reconnects if `repeatable`.

        Raises:
            ConnectionLost: There was no connection when the time was up, or it was lost with the request under way.
            RequestTimeout: The server did not answer in time.
            AntiphonError: The server refused.
        """
        self.check_open()
        try:
            async with asyncio.timeout(timeout_s), self._room:
                return await self._ask(method, dict(params), repeatable)
        except TimeoutError:
            raise self._too_late(method, timeout_s) from None

    async def _ask(self, method: str, params: dict[str, Any], repeatable: bool) -> Any:
        self.check_open()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def answered(result: Any, error: AntiphonError | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        request = self._requests.add(method, params, repeatable=repeatable, answered=answered)
        self._send(request)
        try:
            return await answer
        finally:
            self._requests.forget(request)

    def post(self, method: str, params: Mapping[str, Any], answered: Answered) -> None:
        """Ask without waiting, over reconnects; `answered` is called on the loop. In the order of calls.

        Raises:
            AntiphonError: This client has ended.
            TypeError: `params` hold what JSON cannot.
        """
        self.check_open()
        self._send(self._requests.add(method, dict(params), repeatable=True, answered=answered))

    def drop(self) -> None:
        """Give the present connection up: it is silent. The next one is tried at once."""
        if self._socket is not None:
            self._socket.transport.abort()

    def _too_late(self, method: str, timeout_s: float | None) -> AntiphonError:
        if self.status.phase == "live":
            return RequestTimeout(f"no answer to {method} within {timeout_s:g} s")
        return ConnectionLost(
            f"no connection to {self.address.url} for {method} within {timeout_s:g} s: {self.status.reason}"
        )

    def _ask_once(self, method: str, params: dict[str, Any], answered: Answered) -> None:
        self._send(self._requests.add(method, params, repeatable=False, answered=answered))

    def _send(self, request: Request) -> None:
        if self._outbox is None or self.welcome is None:
            return
        problem = frame_problem(request.frame, self.welcome.limits)
        if problem is not None:
            self._requests.refuse(request, problem)
            return
        request.is_sent = True
        self._outbox.put_nowait(request.frame)


async def _write(socket: ClientConnection, outbox: asyncio.Queue[bytes]) -> None:
    """Send what is queued, in order, as fast as the socket takes it."""
    try:
        while True:
            await socket.send(await outbox.get(), text=True)
    except ConnectionClosed:
        return  # the reader learns it too, and says why
