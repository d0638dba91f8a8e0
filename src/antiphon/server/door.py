"""The one door: every request and every socket passes admission and is given its user here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

from antiphon.errors import AntiphonError, Unauthenticated
from antiphon.server.access import User
from antiphon.server.admission import Admitted, Facts, Policy, admit
from antiphon.server.live.encode import dumps, problem_object

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope, Facts], Awaitable[User | None]]

LOGIN = ("/api/session",)  # reachable without a user, by anybody who is admitted
PREFLIGHT_HEADERS = [
    (b"access-control-allow-methods", b"GET, POST, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, last-event-id"),
    (b"access-control-max-age", b"600"),
]


class Door:
    """ASGI middleware around everything that Antiphon serves.

    Puts `user` (None on public pages without one) and `admitted` into the scope's state.

    Args:
        identify: Who asks; None where nobody says so. Raises Unauthenticated for wrong credentials.
    """

    def __init__(self, app: App, policy: Callable[[], Policy], identify: Identify) -> None:
        self._app = app
        self._policy = policy
        self._identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        facts = Facts.from_scope(scope)
        try:
            admitted = self._admit(scope, facts)
        except AntiphonError as exc:
            await refuse(scope, receive, send, exc)
            return
        answer = send if admitted.cross_origin is None else _cors(send, admitted.cross_origin)
        if admitted.preflight:
            await answer({"type": "http.response.start", "status": 204, "headers": PREFLIGHT_HEADERS})
            await answer({"type": "http.response.body", "body": b""})
            return
        try:
            await self._enter(scope, facts, admitted)
        except AntiphonError as exc:
            await refuse(scope, receive, answer, exc)
            return
        await self._app(scope, receive, answer)

    async def admit_socket(self, scope: Scope) -> str:
        """Let a socket in that does not come through ASGI; returns its path below the mount.

        Args:
            scope: As of ASGI; its state gets what `__call__` would put there.
        Raises:
            AntiphonError: To be answered as `refusal` says.
        """
        facts = Facts.from_scope(scope)
        await self._enter(scope, facts, self._admit(scope, facts))
        return facts.path

    def _admit(self, scope: Scope, facts: Facts) -> Admitted:
        policy = self._policy()
        if scope.get("server") and scope["server"][1] is not None:
            policy = replace(policy, ports=policy.ports | {scope["server"][1]})  # the one that was asked on
        return admit(facts, policy)

    async def _enter(self, scope: Scope, facts: Facts, admitted: Admitted) -> None:
        user = await self._identify(scope, facts)
        if user is None and not admitted.public and facts.path not in LOGIN:
            raise Unauthenticated(
                "Log in first: a bearer token, a session (POST /api/session) or a ticket (POST /api/tickets)"
            )
        scope.setdefault("state", {}).update(user=user, admitted=admitted)


def refusal(error: AntiphonError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """An error as an HTTP response: status, headers, body."""
    body = dumps(problem_object(error))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if isinstance(error, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    return error.http_status, headers, body


async def refuse(scope: Scope, receive: Receive, send: Send, error: AntiphonError) -> None:
    """Answer a request or a socket's handshake with an error."""
    kind = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": error.code})
            return
        kind = "websocket.http.response"
    status, headers, body = refusal(error)
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})


def _cors(send: Send, origin: str) -> Send:
    """Let the page of an allowed origin read the answer."""

    async def answer(message: Message) -> None:
        if message["type"].endswith("response.start"):
            allowed = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")]
            message = {**message, "headers": [*message.get("headers", []), *allowed]}
        await send(message)

    return answer
