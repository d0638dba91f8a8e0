"""Requests that wait for an answer, also over reconnects. Plain code: no sockets, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from antiphon.client.faults import error_of
from antiphon.client.wire import Reply, encode_request
from antiphon.errors import AntiphonError, ConnectionLost

Answered = Callable[[Any, AntiphonError | None], None]  # called once: (result, None) or (None, error)


class Request:
    """One request until its answer. `repeatable`: sending it again does no harm."""

    __slots__ = ("answered", "frame", "id", "is_sent", "repeatable")

    def __init__(self, request_id: int, frame: bytes, repeatable: bool, answered: Answered) -> None:
        self.id = request_id
        self.frame = frame
        self.repeatable = repeatable
        self.answered = answered
        self.is_sent = False


class Requests:
    """All requests of one client in the order in which they were made; ids are unique over its connections."""

    def __init__(self) -> None:
        self._waiting: dict[int, Request] = {}
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, method: str, params: dict[str, Any], *, repeatable: bool, answered: Answered) -> Request:
        """Note a new request; whoever sends it sets `is_sent`. Raises TypeError if `params` cannot be JSON."""
        request_id = self._last_id + 1
        request = Request(request_id, encode_request(request_id, method, params), repeatable, answered)
        self._last_id = request_id
        self._waiting[request_id] = request
        return request

    def forget(self, request: Request) -> None:
        """Nobody waits for it any more; an answer that comes later is ignored."""
        self._waiting.pop(request.id, None)

    def refuse(self, request: Request, error: AntiphonError) -> None:
        """It ends without having been sent."""
        self.forget(request)
        request.answered(None, error)

    def reply(self, reply: Reply) -> None:
        """The server answered."""
        request = self._waiting.pop(reply.id, None) if reply.id is not None else None
        if request is None:
            return
        if reply.error is None:
            request.answered(reply.result, None)
        else:
            request.answered(None, error_of(reply.error.message, reply.error.data))

    def lost(self, reason: str) -> None:
        """The connection ended: what may be repeated waits for the next one, the rest fails."""
        for request in list(self._waiting.values()):
            if request.is_sent and not request.repeatable:
                self.refuse(request, ConnectionLost(f"the connection was lost before the answer came: {reason}"))
            request.is_sent = False

    def unsent(self) -> Iterator[Request]:
        """What the next connection has to send, in order."""
        return iter([request for request in self._waiting.values() if not request.is_sent])

    def fail(self, error: AntiphonError) -> None:
        """No connection will come: everybody learns why."""
        for request in list(self._waiting.values()):
            self.refuse(request, error)
