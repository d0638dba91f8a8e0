"""One run's events as an answer of the agent engine's protocol: whole, or streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from antiphon.dialects.agent_engine.messages import QUERY_FAILED, STREAMING_FAILED, RequestId, encode
from antiphon.dialects.base import Row
from antiphon.hub import Summary
from antiphon.messages import Event

SEPARATOR = "\n\n"  # between two messages of one answer: before a tool was called, and after
CANCELLED = "cancelled"
LOST_TEXT = "part of the answer is not kept any more"


class Answer:
    """What both have in common: the texts of the assistant, and the outcome.

    Once somebody on this connection asks for a cancel, nothing more is said of the run until that is decided: what
    comes meanwhile is held, and thrown away when the cancel has worked.
    """

    failed = QUERY_FAILED

    def __init__(self, request_id: RequestId | None) -> None:
        self.request_id = request_id
        self.ended = False
        self.has_outcome = False  # its own, or `stop`: what is said last is decided
        self._roles: dict[str, str] = {}  # of the messages that grow
        self._held: list[bytes] | None = None  # None = nothing is held

    # what the wiring asks

    def begin(self, row: Row, summary: Summary | None, after: int) -> list[bytes]:  # noqa: ARG002
        """Nothing at the first event; where events are gone, the answer cannot be whole."""
        return [] if after == 0 else self._out([self._error(LOST_TEXT)])

    def event(self, event: Event) -> list[bytes]:
        match event.type:
            case "message.open":
                data = event.data
                self._roles[data["message_id"]] = data["role"]
                return self._out(self.opened(data["role"]))
            case "message.append":
                return self._out(self._appended(event.data))
            case "run.cancelled":
                return self._out([self._error(CANCELLED)])  # by somebody else: this connection's are ended by `stop`
            case "run.succeeded" | "run.failed" | "run.lost":
                self.has_outcome = self.ended = True
                return self._out(self._outcome(event.type, event.data))
        return []

    def _outcome(self, kind: str, data: Mapping[str, Any]) -> list[bytes]:
        if kind == "run.succeeded":
            return self.succeeded(data["result"])
        return [self._error(data["error"]["message"] if kind == "run.failed" else data["reason"])]

    def _appended(self, data: Mapping[str, Any]) -> list[bytes]:
        return self.grown(data["delta"]) if self._roles.get(data["message_id"]) == "assistant" else []

    def fail(self, why: str) -> bytes:
        """It could not even begin."""
        self.has_outcome = True
        return self._error(why)

    def _error(self, why: str | None) -> bytes:
        self.ended = True
        return encode("error", self.request_id, error=f"{self.failed}: {why or 'no reason was given'}")

    def _out(self, made: list[bytes]) -> list[bytes]:
        if self._held is None:
            return made
        self._held += made
        return []

    # what a cancel does

    def hold(self) -> None:
        """Say nothing until `release` or `stop`."""
        if self._held is None:
            self._held = []

    def release(self) -> list[bytes]:
        """The cancel did not come to pass, or too late: what was held."""
        held, self._held = self._held or [], None
        return held

    def stop(self) -> list[bytes]:
        """It is cancelled: what is said last, once."""
        if self.has_outcome:
            return []
        self.has_outcome, self.ended, self._held = True, True, []
        return [self.stopped()]

    # what the two kinds say

    def opened(self, role: str) -> list[bytes]:
        """A message has begun."""
        raise NotImplementedError

    def grown(self, delta: str) -> list[bytes]:
        """The assistant said more."""
        raise NotImplementedError

    def succeeded(self, result: Any) -> list[bytes]:
        """The run has ended well."""
        raise NotImplementedError

    def stopped(self) -> bytes:
        """What ends it when this connection has cancelled it."""
        raise NotImplementedError


class Whole(Answer):
    """One `agent_response` with all of it."""

    def __init__(self, request_id: RequestId | None, vendor: str) -> None:
        super().__init__(request_id)
        self._vendor = vendor
        self._text = ""  # of the newest message

    def opened(self, role: str) -> list[bytes]:
        if role == "assistant":
            self._text = ""
        return []

    def grown(self, delta: str) -> list[bytes]:
        self._text += delta
        return []

    def succeeded(self, result: Any) -> list[bytes]:
        content = self._text if result is None else text_of(result)
        return [encode("agent_response", self.request_id, content=content, vendor=self._vendor)]

    def stopped(self) -> bytes:
        return self._error(CANCELLED)


class Streamed(Answer):
    """`stream_chunk`s as they come, then `stream_end`; what is not text of the assistant is not said."""

    failed = STREAMING_FAILED

    def __init__(self, request_id: RequestId | None) -> None:
        super().__init__(request_id)
        self._has_spoken = False
        self._separator = ""  # before the next chunk

    def opened(self, role: str) -> list[bytes]:
        if role == "assistant" and self._has_spoken:
            self._separator = SEPARATOR
        return []

    def grown(self, delta: str) -> list[bytes]:
        if not delta:
            return []
        content, self._separator, self._has_spoken = self._separator + delta, "", True
        return [encode("stream_chunk", self.request_id, content=content)]

    def succeeded(self, result: Any) -> list[bytes]:
        """A run that streamed nothing, such as one with structured output, still has something to say."""
        unsaid = [] if self._has_spoken or result is None else self.grown(text_of(result))
        return [*unsaid, self._end()]

    def stopped(self) -> bytes:
        return self._end()

    def _end(self) -> bytes:
        return encode("stream_end", self.request_id)


def text_of(result: Any) -> str:
    """A run's result as text: itself, its `text`, or as JSON."""
    if isinstance(result, str):
        return result
    if isinstance(result, dict) and isinstance(result.get("text"), str):
        return str(result["text"])
    return orjson.dumps(result).decode()
