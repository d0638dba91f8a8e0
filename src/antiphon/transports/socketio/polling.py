"""Engine.IO's long-polling over plain ASGI: works under every ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from antiphon.transports.socketio.endings import TWO_REQUESTS
from antiphon.transports.socketio.engine import BadPacket, TooLong
from antiphon.transports.socketio.refusals import Answer, EngineRefused, bad_request
from antiphon.transports.socketio.session import EngineSession
from antiphon.transports.socketio.sessions import EngineSessions, Scope

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

POST_S = 30.0  # in which a body must have arrived


class PollingApp:
    """An ASGI app for requests that the door has admitted."""

    def __init__(self, sessions: EngineSessions) -> None:
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises what refuses a new session."""
        try:
            answer = await self._answer(scope, receive)
        except EngineRefused as refused:
            answer = refused.answer
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        method = scope["method"]
        session = self._sessions.polled(scope, method)
        return await (self._poll(session, receive) if method == "GET" else self._post(session, receive))

    async def _poll(self, session: EngineSession, receive: Receive) -> Answer:
        waking = _Waking()
        if not self._sessions.begin_poll(session, waking.wake):
            try:
                if not await waking.wait(receive):
                    self._sessions.let_go(session)
            except BaseException:
                self._sessions.let_go(session)
                raise
        return self._sessions.collect(session)

    async def _post(self, session: EngineSession, receive: Receive) -> Answer:
        if session.is_posting:
            session.close(TWO_REQUESTS)
            raise bad_request("Two posts of a session at once")
        session.is_posting = True
        try:
            async with asyncio.timeout(POST_S):
                body = await _body(receive, session.most_bytes)
            return await self._sessions.tell(session, body)
        except TooLong as exc:
            session.close(exc.reason)
            raise bad_request("Payload too large", 413) from None
        except TimeoutError:
            session.close(BadPacket.reason)
            raise bad_request("the body did not arrive", 408) from None
        finally:
            session.is_posting = False


class _Waking:
    """Waits for a request's client to go, until woken as a deadline would: a poll needs no second task."""

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._is_woken = False

    def wake(self) -> None:
        if not self._is_woken and self._task is not None:
            self._is_woken = True
            self._task.cancel()

    async def wait(self, receive: Receive) -> bool:
        """Whether it was woken; otherwise the client has gone."""
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if self._task is None or not self._is_woken or self._task.uncancel() > 0:
                raise
            return True
        return False


async def _body(receive: Receive, most: int) -> bytes:
    """Raises TooLong, EngineRefused."""
    found = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise bad_request()
        found += message.get("body", b"")
        if len(found) > most:
            raise TooLong("the body is too long")
        if not message.get("more_body", False):
            return bytes(found)
