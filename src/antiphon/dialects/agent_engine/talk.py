"""One connection of `/ws/agent`: what it is told and asks, several things at a time, each in its own order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from antiphon.dialects.agent_engine.answers import Streamed, Whole
from antiphon.dialects.agent_engine.asks import Asked, AskedRun, AskedTool, LastWords
from antiphon.dialects.agent_engine.messages import (
    QUERY_FAILED,
    STREAMING_FAILED,
    TOOL_FAILED,
    Cancel,
    Ping,
    Query,
    Received,
    RequestId,
    ToolCall,
    Wrong,
    connected,
    decode,
    encode,
)
from antiphon.dialects.agent_engine.statistics import Counted, Statistics
from antiphon.dialects.base import Caller, Line
from antiphon.errors import AntiphonError

MAX_ASKS = 64  # of one connection at a time
MAX_CANCELS = 64
MAX_WRONG = 1000  # messages in a row that could not be read, before the peer counts as abusive
POLICY = 1008


class Answerer(NamedTuple):
    """Who answers questions."""

    name: str  # of the agent, or another runnable
    vendor: str
    on_disconnect: str


class AgentTalk:
    """Takes every message at once: nothing waits behind a stream, neither a ping nor a cancel.

    Args:
        answerer: Who answers now; the agents may change while the server runs.
    """

    __slots__ = ("_answerer", "_asked", "_caller", "_cancels", "_counted", "_line", "_statistics", "_wrong")

    def __init__(self, line: Line, caller: Caller, statistics: Statistics, answerer: Callable[[], Answerer]) -> None:
        self._line = line
        self._caller = caller
        self._statistics = statistics
        self._answerer = answerer
        self._counted: Counted | None = None  # None = not opened yet
        self._asked: list[Asked] = []
        self._cancels = 0  # under way
        self._wrong = 0

    # what the wiring tells

    def opened(self) -> None:
        self._counted = Counted(self._line)
        self._statistics.enter(self._counted)
        self._line.say(connected(self._counted.id))

    def received(self, message: str | bytes) -> None:
        found = decode(message)
        self._wrong = self._wrong + 1 if isinstance(found.message, Wrong) else 0
        self._asked = [each for each in self._asked if not each.ended]
        self._take(found)
        if self._wrong > MAX_WRONG:
            self._line.close(POLICY, "abusive")

    def ended(self) -> None:
        if self._counted is not None:
            self._statistics.leave(self._counted)

    # messages

    def _take(self, found: Received) -> None:
        match found.message:
            case Ping():
                self._line.say(encode("pong", found.request_id))
            case Query() as query:
                self._ask(query, found.request_id)
            case ToolCall() as call:
                self._call(call, found.request_id)
            case Cancel():
                self._cancel(found.request_id)
            case Wrong(error, says_when):
                self._line.say(encode("error", found.request_id, says_when=says_when, error=error))

    def _ask(self, query: Query, request_id: RequestId | None) -> None:
        if self._is_busy(STREAMING_FAILED if query.streams else QUERY_FAILED, request_id):
            return
        answerer = self._answerer()
        answer = Streamed(request_id) if query.streams else Whole(request_id, answerer.vendor)
        asked = AskedRun(self._line, self._caller, answer, on_disconnect=answerer.on_disconnect)
        # who gave an id of its own knows more than the protocol had, and is told where the answer can be found later
        more: dict[str, Any] = {} if request_id is None else {"run_id": asked.run_id}
        if query.streams:
            self._line.say(encode("stream_start", request_id, **more))
        else:
            self._line.say(encode("status", request_id, status="processing", **more))
        self._asked.append(asked)
        self._line.start(asked.start(answerer.name, query), name="agent query", outlives=True)

    def _call(self, call: ToolCall, request_id: RequestId | None) -> None:
        if self._is_busy(TOOL_FAILED, request_id):
            return
        asked = AskedTool(self._line, self._caller, call, request_id)
        self._asked.append(asked)
        asked.start()

    def _is_busy(self, failed: str, request_id: RequestId | None) -> bool:
        if len(self._asked) < MAX_ASKS:
            return False
        why = f"{failed}: {MAX_ASKS} requests of this connection are under way"
        self._line.say(encode("error", request_id, error=why))
        return True

    def _cancel(self, request_id: RequestId | None) -> None:
        asked = [each for each in self._asked if request_id is None or each.request_id == request_id]
        if not asked:
            self._line.say(encode("cancelled", request_id))
        elif self._cancels >= MAX_CANCELS:
            self._line.say(encode("error", request_id, error=f"Cancel failed: {MAX_CANCELS} are under way"))
        else:
            self._cancels += 1
            for each in asked:
                each.hold()
            self._line.start(self._end(asked, request_id), name="agent cancel", outlives=True)

    async def _end(self, asked: Sequence[Asked], request_id: RequestId | None) -> None:
        """Cancel all of these, then say so, then what is the last word of each: no chunk follows `cancelled`."""
        try:
            found = await asyncio.gather(*(each.cancel() for each in asked), return_exceptions=True)
        finally:
            self._cancels -= 1
        words = [each for each in found if isinstance(each, LastWords)]
        failures = [each for each in found if isinstance(each, BaseException)]
        self._say(message for each in words for message in each.before)
        for failure in failures:
            if not isinstance(failure, AntiphonError):
                raise failure
            self._line.say(encode("error", request_id, error=f"Cancel failed: {failure.message}"))
        if words:
            self._line.say(encode("cancelled", request_id))
        self._say(message for each in words for message in each.after)

    def _say(self, messages: Iterable[bytes]) -> None:
        for message in messages:
            self._line.say(message)
