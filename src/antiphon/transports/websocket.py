"""WebSockets over plain ASGI: works under every ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from antiphon.transports.base import FAULT, POLICY, TOO_BIG, Ending, Limits, Refusal, Session
from antiphon.transports.queue import QueueSink, Stalled

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = structlog.get_logger(__name__)


class WebSocketTransport:
    """One accepted socket: reads, and writes what its sink was given (a server's own size limit may be stricter)."""

    def __init__(self, receive: Receive, send: Send, sink: QueueSink, limits: Limits) -> None:
        self._receive = receive
        self._send = send
        self._sink = sink
        self._limits = limits

    async def serve(self, session: Session) -> None:
        """Accept the socket and carry messages until either side closes; never raises for what the peer does."""
        ending = Ending(None, "connection lost")
        try:
            await self._receive()
            await self._send({"type": "websocket.accept"})
            self._sink.drained = session.drained
            session.opened()
            ending = await self._carry(session)
            await self._close(ending)
        finally:
            session.ended(ending)

    async def _carry(self, session: Session) -> Ending:
        tasks = {
            asyncio.create_task(self._read(session), name="websocket reader"),
            asyncio.create_task(self._write(), name="websocket writer"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            self._sink.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, session: Session) -> Ending:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return Ending(message.get("code"), message.get("reason") or "closed by the peer")
            text = message.get("text")
            content: str | bytes = text if text is not None else message.get("bytes") or b""
            self._sink.received_bytes += len(content)
            if len(content) > self._limits.message_bytes:
                return Ending(TOO_BIG, f"message over {self._limits.message_bytes} bytes")
            try:
                work = session.received(content)
                if work is not None:
                    await work
                await self._sink.room()
            except Refusal as exc:
                return Ending(exc.code, exc.reason)
            except Exception:
                log.exception("a session failed")
                return Ending(FAULT, "a fault of the server")

    async def _write(self) -> Ending:
        try:
            await self._sink.drain(self._write_message, stalled_s=self._limits.stalled_s)
        except Stalled:
            return Ending(POLICY, "slow_consumer")
        except OSError:
            return Ending(None, "connection lost")
        return self._sink.ending

    async def _write_message(self, message: str | bytes) -> None:
        kind = "text" if isinstance(message, str) else "bytes"
        await self._send({"type": "websocket.send", kind: message})

    async def _close(self, ending: Ending) -> None:
        """Say goodbye in the protocol; the peer may be gone or deaf, so briefly."""
        if ending.code is None:
            return
        try:
            async with asyncio.timeout(1):
                await self._send({"type": "websocket.close", "code": ending.code, "reason": ending.reason[:123]})
        except (TimeoutError, OSError, RuntimeError):
            pass  # closed already: ASGI servers differ in how they say so
