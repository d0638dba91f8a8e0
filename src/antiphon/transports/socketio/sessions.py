"""The sessions of one address, and the rules of the requests that open, ask, tell and upgrade them.

A client that polls has at most one GET open, which returns as soon as there is something for it; what it says comes in
POSTs, one at a time. A GET that the client lets go of ends the session, because what was on its way in the answer may
be lost. Source: Engine.IO protocol, revision 4.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import structlog

from antiphon.transports.base import Socket
from antiphon.transports.socketio.endings import LOST, TWO_REQUESTS
from antiphon.transports.socketio.engine import NOOP, BadPacket, decode_payload, encode_mail, join_mail
from antiphon.transports.socketio.refusals import (
    Answer,
    bad_method,
    bad_request,
    bad_version,
    unknown_session,
    unknown_transport,
)
from antiphon.transports.socketio.session import EngineSession, Frame, Listener, Rules
from antiphon.transports.socketio.websession import WebSession
from antiphon.transports.sweep import Sweep

Scope = MutableMapping[str, Any]
Listen = Callable[[EngineSession, Scope], Listener]
"""Makes what is spoken in a new session; raises what refuses it."""

UPGRADES = ("websocket",)
TEXT = b"text/plain; charset=UTF-8"
NOTHING = encode_mail(NOOP)

log = structlog.get_logger(__name__)


class EngineSessions:
    """Those of one address.

    Args:
        listen: Makes what is spoken in a new session.
    """

    def __init__(self, rules: Rules, sweep: Sweep, listen: Listen) -> None:
        self.rules = rules
        self._sweep = sweep
        self._listen = listen
        self._sessions: dict[str, EngineSession] = {}

    def all(self) -> list[EngineSession]:
        """Those that are open."""
        return list(self._sessions.values())

    def close(self, reason: str) -> None:
        """End all."""
        for session in self.all():
            session.close(reason)

    # how they begin

    def polled(self, scope: Scope, method: str) -> EngineSession:
        """The session that a request of one who polls is about, a new one where it names none. Raises EngineRefused.

        Raises also what `listen` raises.
        """
        query = read_query(scope["query_string"], "polling")
        if "sid" in query:
            session = self.find(query["sid"], _user(scope))
            if not session.polls or method not in ("GET", "POST"):
                raise bad_request()
            return session
        if method != "GET":
            raise bad_method()
        session = self._new(scope)
        self._opening(session, scope, UPGRADES)()
        return session

    def open_socket(self, scope: Scope, socket: Socket, frame: Frame) -> WebSession:
        """What a WebSocket that the door has admitted speaks. Raises EngineRefused, and what `listen` raises."""
        query = read_query(scope["query_string"], "websocket")
        if "sid" not in query:
            session = self._new(scope)
            session.carry(socket, frame)
            return WebSession(session, socket, frame, self._opening(session, scope, ()))
        session = self.find(query["sid"], _user(scope))
        if not session.polls or session.is_tried:
            raise bad_request()
        session.try_out(socket)
        return WebSession(session, socket, frame)

    def find(self, sid: str, user: str) -> EngineSession:
        """Raises EngineRefused: there is none, or it is somebody else's."""
        session = self._sessions.get(sid)
        if session is None or session.owner != user:
            raise unknown_session()
        return session

    def _new(self, scope: Scope) -> EngineSession:
        return EngineSession(self.rules, self._sweep, _user(scope), self._gone)

    def _opening(self, session: EngineSession, scope: Scope, upgrades: tuple[str, ...]) -> Callable[[], None]:
        """Make the listener, which may refuse; returns what opens the session."""
        session.attach(self._listen(session, scope))

        def begin() -> None:
            self._sessions[session.sid] = session
            session.open(upgrades)

        return begin

    def _gone(self, session: EngineSession) -> None:
        self._sessions.pop(session.sid, None)

    # what is asked and told by polling

    def begin_poll(self, session: EngineSession, wake: Callable[[], None]) -> bool:
        """A GET is open; `collect` answers it, at once where this is true, otherwise after `wake`.

        Raises EngineRefused: another one is open.
        """
        mailbox = session.mailbox
        if mailbox.is_polled:
            session.close(TWO_REQUESTS)
            raise bad_request("Two polls of a session at once")
        if mailbox.queued_bytes or session.is_probing:
            return True
        mailbox.wait(wake)
        return False

    def collect(self, session: EngineSession) -> Answer:
        """What there is for the client."""
        session.mailbox.done()
        mail = session.mailbox.take(self.rules.max_payload) or [NOTHING]
        session.drained()
        return Answer(200, TEXT, join_mail(mail))

    def let_go(self, session: EngineSession) -> None:
        """The client did not wait for the answer to its GET."""
        session.mailbox.done()
        if session.polls:
            session.close(LOST)

    async def tell(self, session: EngineSession, body: bytes) -> Answer:
        """Take what a POST brought. Raises EngineRefused."""
        try:
            for packet in decode_payload(body.decode()):
                work = session.received(packet)
                if work is not None:
                    await work
        except BadPacket as bad:
            session.close(bad.reason)
            raise bad_request(str(bad)) from None
        except UnicodeDecodeError:
            session.close(BadPacket.reason)
            raise bad_request() from None
        except Exception:
            log.exception("a session failed")
            session.close("a fault of the server")
            raise bad_request("A fault of the server", 500) from None
        return Answer(200, b"text/html", b"ok")


def read_query(query: bytes, transport: str) -> dict[str, str]:
    """The query's parameters, the first of each. Raises EngineRefused."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        found.setdefault(name, value)
    if found.get("transport") != transport:
        raise unknown_transport()
    if found.get("EIO") != "4":
        raise bad_version()
    return found


def _user(scope: Scope) -> str:
    return str(scope["state"]["user"].name)
