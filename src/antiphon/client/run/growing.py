"""What grows inside a run: messages and tool calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterator, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from antiphon.client.run.plain import encode, plain
from antiphon.client.run.port import new_id
from antiphon.errors import RunCancelled

MAX_DELTA = 16_384  # characters of one event; longer texts are several
MAX_WORDS = 16_000  # characters of an error's message


class Say(Protocol):
    """Says one event in the run."""

    def __call__(self, type: str, data: Mapping[str, Any], /) -> Awaitable[None]: ...  # noqa: A002


class RunMessage:
    """A text that grows: `async with run.message() as message: await message.append("...")`.

    Leaving closes it: `completed`, `cancelled` or `failed`. Cancelling an append is safe: it was said.
    """

    def __init__(self, say: Say, role: str, message_id: str | None) -> None:
        self.id = new_id("msg") if message_id is None else message_id
        self.role = role
        self._say = say

    async def append(self, delta: str) -> None:
        """Let it grow. Returns when there is room for more; raises RunCancelled after a cancel."""
        for piece in pieces(delta):
            await self._say("message.append", {"message_id": self.id, "delta": piece})

    async def __aenter__(self) -> Self:
        await self._say("message.open", {"message_id": self.id, "role": self.role})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._say("message.close", {"message_id": self.id, "status": ended_as(error, "completed")})


class RunTool:
    """A call of a tool: `async with run.tool("search", {"q": q}) as tool: await tool.result(await search(q))`.

    Leaving ends it: `succeeded` with the result, `failed` with the exception (which goes on), or `cancelled`.
    """

    def __init__(
        self, say: Say, name: str, arguments: Any, *, tool_call_id: str | None, parent_message_id: str | None
    ) -> None:
        self.id = new_id("tool") if tool_call_id is None else tool_call_id
        self.name = name
        self._say = say
        self._arguments = arguments
        self._parent = {} if parent_message_id is None else {"parent_message_id": parent_message_id}
        self._result: dict[str, Any] = {}
        self._error: dict[str, str] | None = None
        self._began = 0.0

    async def args(self, delta: str) -> None:
        """More of the arguments' JSON, as a model streams it."""
        for piece in pieces(delta):
            await self._say("tool.args", {"tool_call_id": self.id, "delta": piece})

    async def progress(self, progress: float | None = None, message: str | None = None) -> None:
        """How far it is: 0 to 1, or in words."""
        said = {"progress": progress, "message": message}
        given = {name: value for name, value in said.items() if value is not None}
        await self._say("tool.progress", {"tool_call_id": self.id, **given})

    async def result(self, value: Any) -> None:
        """What it returned; said when it ends. Raises TypeError if it is not JSON."""
        self._result, self._error = {"result": plain(value)}, None

    async def error(self, message: str, type: str = "Error") -> None:  # noqa: A002  # the protocol's word
        """It failed, with these words: for a failure that comes as a value and not as an exception."""
        self._error = {"message": message[:MAX_WORDS] or type, "type": type}

    async def begin(self) -> None:
        """It is executed only now: what its duration counts from. Otherwise from entering."""
        self._began = time.monotonic()

    async def __aenter__(self) -> Self:
        self._began = time.monotonic()
        await self._say("tool.start", {"tool_call_id": self.id, "name": self.name, **self._parent})
        if self._arguments is not None:
            await self.args(self._arguments if isinstance(self._arguments, str) else encode(self._arguments).decode())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = ended_as(error, "succeeded" if self._error is None else "failed")
        outcome = self._result
        if status == "failed":
            outcome = {"error": self._error if error is None else in_words(error)}
        duration_ms = round((time.monotonic() - self._began) * 1000)
        await self._say("tool.end", {"tool_call_id": self.id, "status": status, **outcome, "duration_ms": duration_ms})


def pieces(text: str) -> Iterator[str]:
    """The text in parts that fit into events; none for an empty one."""
    for start in range(0, len(text), MAX_DELTA):
        yield text[start : start + MAX_DELTA]


def ended_as(error: BaseException | None, well: str) -> str:
    """The status of something that was left with this exception."""
    if error is None:
        return well
    return "cancelled" if isinstance(error, asyncio.CancelledError | RunCancelled) else "failed"


def in_words(error: BaseException) -> dict[str, str]:
    """An exception as runs tell it."""
    kind = type(error).__name__
    return {"message": str(error)[:MAX_WORDS] or kind, "type": kind}
