"""WebSockets over plain ASGI: works under every ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

from antiphon.transports.queue import QueueSink, Stalled

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TOO_BIG = 1009
POLICY = 1008
FAULT = 1011


class Session(Protocol):
    """What is spoken over a socket."""

    def opened(self) -> None:
        """The socket is open: send what comes first."""

    async def received(self, text: str | None) -> None:
        """Take one message; None is a binary one. While it waits, nothing more is read."""

    async def run(self) -> None:
        """Do the session's own work until cancelled."""


class Refusal(Exception):
    """A session's reason to close the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended: the close code, None where there was none, and why in a few words."""

    code: int | None
    reason: str


class WebSocketTransport:
    """One accepted socket: reads, and writes what its sink was given.

    Args:
        message_bytes: Longer messages close the socket with 1009 (a server's own limit may be stricter).
        stalled_s: Seconds without the peer taking a byte after which the socket is closed with 1008.
    """

    def __init__(self, receive: Receive, send: Send, sink: QueueSink, *, message_bytes: int, stalled_s: float) -> None:
        self._receive = receive
        self._send = send
        self._sink = sink
        self._message_bytes = message_bytes
        self._stalled_s = stalled_s
        self.received_bytes = 0

    async def serve(self, session: Session) -> Ending:
        """Accept the socket and carry messages until either side closes; never raises for what the peer does."""
        await self._receive()
        await self._send({"type": "websocket.accept"})
        session.opened()
        tasks = {
            asyncio.create_task(self._read(session), name="websocket reader"),
            asyncio.create_task(self._write(), name="websocket writer"),
            asyncio.create_task(_own_work(session), name="websocket session"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ending = next(iter(done)).result()
        finally:
            self._sink.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._close(ending)
        return ending

    async def _read(self, session: Session) -> Ending:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return Ending(message.get("code"), message.get("reason") or "closed by the peer")
            text = message.get("text")
            size = len(text) if text is not None else len(message.get("bytes") or b"")
            self.received_bytes += size
            if size > self._message_bytes:
                return Ending(TOO_BIG, f"message over {self._message_bytes} bytes")
            try:
                await session.received(text)
                await self._sink.room()
            except Refusal as exc:
                return Ending(exc.code, exc.reason)

    async def _write(self) -> Ending:
        try:
            await self._sink.drain(self._write_text, stalled_s=self._stalled_s)
        except Stalled:
            return Ending(POLICY, "slow_consumer")
        except OSError:
            return Ending(None, "connection lost")
        return Ending(1012, "the server is stopping")

    async def _write_text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def _close(self, ending: Ending) -> None:
        """Say goodbye in the protocol; the peer may be gone or deaf, so briefly."""
        if ending.code is None:
            return
        try:
            async with asyncio.timeout(1):
                await self._send({"type": "websocket.close", "code": ending.code, "reason": ending.reason[:123]})
        except (TimeoutError, OSError, RuntimeError):
            pass  # closed already: ASGI servers differ in how they say so


async def _own_work(session: Session) -> Ending:
    await session.run()
    return Ending(FAULT, "the session ended")
