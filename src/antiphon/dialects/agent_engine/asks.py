"""What a client has asked and is not answered yet: runs and tool calls, and how each is cancelled."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import NamedTuple, Protocol

from antiphon.dialects.agent_engine.answers import CANCELLED, Answer
from antiphon.dialects.agent_engine.messages import TOOL_FAILED, Query, RequestId, ToolCall, encode
from antiphon.dialects.base import Caller, Line
from antiphon.errors import AntiphonError, NotFound

CANCELLED_HERE = "the client of /ws/agent cancelled"
GONE = "the connection that began it has ended"
LABELS = {"dialect": "agent_engine"}


class LastWords(NamedTuple):
    """What is said of a cancelled ask before the client is told `cancelled`, and after."""

    before: list[bytes]
    after: list[bytes]


class Asked(Protocol):
    """Something under way."""

    @property
    def request_id(self) -> RequestId | None: ...

    @property
    def ended(self) -> bool: ...

    def hold(self) -> None:
        """Say nothing more until `cancel` is through."""

    async def cancel(self) -> LastWords:
        """End it; what is left to be said is handed back. Raises AntiphonError: it goes on."""


class AskedRun:
    """A question: a run that this connection follows until it has ended.

    Args:
        on_disconnect: What becomes of the run when the connection ends.
    """

    def __init__(self, line: Line, caller: Caller, answer: Answer, *, on_disconnect: str) -> None:
        self.run_id = new_run_id()
        self._line = line
        self._caller = caller
        self._answer = answer
        self._on_disconnect = on_disconnect
        self._is_started = asyncio.Event()  # or has failed to be

    @property
    def request_id(self) -> RequestId | None:
        return self._answer.request_id

    @property
    def ended(self) -> bool:
        return self._answer.ended

    async def start(self, agent: str, query: Query) -> None:
        """Start it and follow it; what goes wrong is told.

        It goes on when the socket is lost: a run that has begun to begin can be cancelled only once it has.
        """
        try:
            await self._caller.start(
                agent,
                input={"prompt": query.text},
                run_id=self.run_id,
                thread_id=query.thread_id,
                on_disconnect=self._on_disconnect,
                labels=LABELS,
            )
            if self._line.is_open:
                await self._line.follow(self.run_id, self._answer)
            elif self._on_disconnect == "cancel":  # nobody saw that the socket it depends on has gone
                await self._caller.cancel(self.run_id, reason=GONE)
        except AntiphonError as exc:
            self._line.say(self._answer.fail(exc.message))
        finally:
            self._is_started.set()

    def hold(self) -> None:
        self._answer.hold()

    async def cancel(self) -> LastWords:
        await self._is_started.wait()
        try:
            if not self.ended:
                await self._caller.cancel(self.run_id, reason=CANCELLED_HERE)
        except AntiphonError:
            for message in self._answer.release():
                self._line.say(message)
            raise
        if self._answer.has_outcome:  # it was quicker
            return LastWords(self._answer.release(), [])
        return LastWords([], self._answer.stop())


class AskedTool:
    """A call of a tool."""

    def __init__(self, line: Line, caller: Caller, call: ToolCall, request_id: RequestId | None) -> None:
        self.request_id = request_id
        self.ended = False
        self._line = line
        self._caller = caller
        self._call = call
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._line.start(self._run(), name="tool call")

    async def _run(self) -> None:
        message = await self._outcome()
        self.ended = True
        self._line.say(message)

    async def _outcome(self) -> bytes:
        name = self._call.name
        try:
            result = await self._caller.call_tool(name, self._call.params)
        except NotFound as exc:
            return encode("error", self.request_id, error=exc.message)
        except AntiphonError as exc:
            return encode("error", self.request_id, error=f"{TOOL_FAILED}: {exc.message}")
        return encode("tool_result", self.request_id, tool_name=name, result=result)

    def hold(self) -> None:
        """It says one thing only, and not once it is cancelled."""

    async def cancel(self) -> LastWords:
        if self.ended or self._task is None:
            return LastWords([], [])
        self._task.cancel()
        await asyncio.wait([self._task])
        is_told, self.ended = self.ended, True
        if is_told or not self._task.cancelled():  # it was quicker, or is cancelled twice
            return LastWords([], [])
        return LastWords([], [encode("error", self.request_id, error=f"{TOOL_FAILED}: {CANCELLED}")])


def new_run_id() -> str:
    """One that nobody else has; they sort by their time."""
    return f"ae_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"
