"""Engine.IO over HTTP: sessions that poll, and the door for those that come over a WebSocket.

A client that polls has at most one GET open, which returns as soon as there is something for it; what it says comes in
POSTs, one at a time. A GET that the client lets go of ends the session, because what was on its way in the answer may
be lost. Source: Engine.IO protocol, revision 4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from antiphon.transports.base import Socket
from antiphon.transports.crew import Crew
from antiphon.transports.socketio.engine import NOOP, BadPacket, decode_payload, encode_payload
from antiphon.transports.socketio.session import EngineSession, Frame, Listener, Rules, WebSession
from antiphon.transports.sweep import Sweep

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Listen = Callable[[EngineSession, Scope], Listener]
"""Makes what is spoken in a new session; raises what refuses it."""

UPGRADES = ("websocket",)
POST_S = 30.0  # in which a body must have arrived


class EngineRefused(Exception):
    """A request that is answered with an error of the protocol."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def response(self) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers, body."""
        body = orjson.dumps({"code": self.code, "message": self.message})
        return self.status, _headers(b"application/json", body), body


def unknown_transport() -> EngineRefused:
    return EngineRefused(0, "Transport unknown")


def unknown_session() -> EngineRefused:
    return EngineRefused(1, "Session ID unknown")


def bad_method() -> EngineRefused:
    return EngineRefused(2, "Bad handshake method")


def bad_request(why: str = "Bad request", status: int = 400) -> EngineRefused:
    return EngineRefused(3, why, status)


def bad_version() -> EngineRefused:
    return EngineRefused(5, "Unsupported protocol version")


class EngineServer:
    """The sessions of one address, and the ASGI app behind it.

    Args:
        listen: Makes what is spoken in a new session.
    """

    def __init__(self, rules: Rules, sweep: Sweep, crew: Crew, listen: Listen) -> None:
        self._rules = rules
        self._sweep = sweep
        self._crew = crew
        self._listen = listen
        self._sessions: dict[str, EngineSession] = {}

    def sessions(self) -> list[EngineSession]:
        """Those that are open."""
        return list(self._sessions.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request that the door has admitted."""
        try:
            answer = await self._answer(scope, receive)
        except EngineRefused as refused:
            answer = refused.response()
        status, headers, body = answer
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def open_socket(self, scope: Scope, socket: Socket, frame: Frame) -> WebSession:
        """What a WebSocket that the door has admitted speaks. Raises EngineRefused, and what `listen` raises."""
        query = _query(scope, "websocket")
        if "sid" not in query:
            session = self._new(scope)
            session.carry(socket, frame)
            return WebSession(session, socket, frame, self._opening(session, scope, ()))
        session = self._find(scope, query["sid"])
        if not session.polls or session.is_probing:
            raise bad_request()
        return WebSession(session, socket, frame)

    # sessions

    def _new(self, scope: Scope) -> EngineSession:
        return EngineSession(self._rules, self._sweep, _user(scope), self._gone)

    def _opening(self, session: EngineSession, scope: Scope, upgrades: tuple[str, ...]) -> Callable[[], None]:
        """Make the listener, which may refuse; returns what opens the session."""
        session.attach(self._listen(session, scope))

        def begin() -> None:
            self._sessions[session.sid] = session
            session.open(upgrades)

        return begin

    def _find(self, scope: Scope, sid: str) -> EngineSession:
        session = self._sessions.get(sid)
        if session is None or session.owner != _user(scope):
            raise unknown_session()
        return session

    def _gone(self, session: EngineSession) -> None:
        self._sessions.pop(session.sid, None)

    def close(self, reason: str) -> None:
        """End all sessions."""
        for session in list(self._sessions.values()):
            session.close(reason)

    # requests

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        query, method = _query(scope, "polling"), scope["method"]
        if "sid" not in query:
            if method != "GET":
                raise bad_method()
            session = self._new(scope)
            self._opening(session, scope, UPGRADES)()
            return _plain(encode_payload(session.mailbox.take(self._rules.max_payload)))
        session = self._find(scope, query["sid"])
        if not session.polls or method not in ("GET", "POST"):
            raise bad_request()
        return await (self._poll(session, receive) if method == "GET" else self._post(session, receive))

    async def _poll(self, session: EngineSession, receive: Receive) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        mailbox = session.mailbox
        if mailbox.is_polled:
            session.close("two requests at once")
            raise bad_request("Two polls of a session at once")
        if not mailbox.queued_bytes and not session.is_probing:
            await self._wait(session, receive)
        pieces = mailbox.take(self._rules.max_payload) or [NOOP]
        session.drained()
        return _plain(encode_payload(pieces))

    async def _wait(self, session: EngineSession, receive: Receive) -> None:
        """Until there is something for the client; a client that has gone ends the session."""
        leaving = self._crew.start(_left(receive), name="poll")
        leaving.add_done_callback(lambda task: None if task.cancelled() else session.mailbox.release())
        try:
            await session.mailbox.filled()
        finally:
            has_left = leaving.done() and not leaving.cancelled()
            leaving.cancel()
        if has_left and session.polls:
            session.close("connection lost")

    async def _post(self, session: EngineSession, receive: Receive) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        try:
            async with asyncio.timeout(POST_S):
                body = await _body(receive, self._rules.max_payload)
            for packet in decode_payload(body.decode()):
                work = session.received(packet)
                if work is not None:
                    await work
        except (BadPacket, UnicodeDecodeError, TimeoutError):
            session.close("parse error")
            raise bad_request() from None
        except EngineRefused as refused:
            session.close(refused.message)
            raise
        return 200, _headers(b"text/html", b"ok"), b"ok"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive, most: int) -> bytes:
    found = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise bad_request()
        found += message.get("body", b"")
        if len(found) > most:
            raise bad_request("Payload too large", 413)
        if not message.get("more_body", False):
            return bytes(found)


def _query(scope: Scope, transport: str) -> dict[str, str]:
    """The query's parameters, the first of each. Raises EngineRefused."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        found.setdefault(name, value)
    if found.get("transport") != transport:
        raise unknown_transport()
    if found.get("EIO") != "4":
        raise bad_version()
    return found


def _user(scope: Scope) -> str:
    return str(scope["state"]["user"].name)


def _plain(body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    return 200, _headers(b"text/plain; charset=UTF-8", body), body


def _headers(kind: bytes, body: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
