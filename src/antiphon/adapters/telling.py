"""What a library streams, said in a run: each text and each tool call under the library's own key for it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from antiphon.adapters.jsonable import jsonable
from antiphon.client.run.face import Role, Run
from antiphon.client.run.growing import RunMessage, RunTool
from antiphon.errors import TooLarge

MAX_ID = 120  # characters; the protocol's limit is 128
MAX_NAME = 200
MAX_BEGINNING = 16_000


class Telling:
    """`async with Telling(run) as telling`: begins things when they are first spoken of, ends on leaving what is open.

    Left well, open texts are `completed`, and tool calls that nobody executed are `cancelled`; left with a
    cancellation all are `cancelled`, with another exception `failed`. All calls raise as those of the run.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._texts: dict[Hashable, RunMessage] = {}
        self._tools: dict[str, RunTool] = {}
        self._times: dict[str, int] = {}  # how often an id has been used

    # Texts

    async def text(self, key: Hashable, delta: str, *, role: Role = "assistant") -> None:
        """A text grows; the first delta opens it, an empty one opens nothing."""
        if not delta:
            return
        if key not in self._texts:
            self._texts[key] = await self.run.message(role).__aenter__()
        await self._texts[key].append(delta)

    async def whole_text(self, text: str, *, role: Role = "assistant") -> None:
        """A text that does not grow."""
        async with self.run.message(role) as message:
            await message.append(text)

    async def end_text(self, key: Hashable, error: BaseException | None = None) -> None:
        """A text is complete, or was broken off by this error; one that never began, or has ended, is left alone."""
        text = self._texts.pop(key, None)
        if text is not None:
            await text.__aexit__(None if error is None else type(error), error, None)

    def open_texts(self) -> list[Hashable]:
        """The keys of those that may still grow, oldest first."""
        return list(self._texts)

    # Tool calls

    def is_open(self, call_id: str) -> bool:
        """Whether this call has begun and has not ended."""
        return call_id in self._tools

    async def begin_tool(self, call_id: str, name: str, arguments: Any = None) -> None:
        """A call begins, with its arguments (JSON, or its text) or without them yet; one that is open is left alone.

        Some models count their calls from 0 in each answer: an id that is used again is said with a number.
        """
        if call_id in self._tools:
            return
        self._times[call_id] = times = self._times.get(call_id, 0) + 1
        said = call_id[:MAX_ID] if times == 1 else f"{call_id[:MAX_ID]}-{times}"
        tool = self.run.tool(name[:MAX_NAME] or "tool", arguments, tool_call_id=said)
        self._tools[call_id] = await tool.__aenter__()

    async def arguments(self, call_id: str, delta: str) -> None:
        """More of the text of its arguments."""
        if delta and call_id in self._tools:
            await self._tools[call_id].args(delta)

    async def execute(self, call_id: str) -> None:
        """It is executed from now on; the duration counts from here."""
        if call_id in self._tools:
            await self._tools[call_id].begin()

    async def progress(self, call_id: str, message: str | None, progress: float | None = None) -> None:
        """What it says while it is executed, and how far it is: 0 to 1."""
        if call_id in self._tools:
            await self._tools[call_id].progress(progress, message)

    async def end_tool(self, call_id: str, result: Any = None) -> None:
        """It returned; a second end of the same call is left alone."""
        tool = self._tools.get(call_id)
        if tool is None:
            return
        await tool.result(jsonable(result))
        try:
            await tool.__aexit__(None, None, None)
        except TooLarge:  # a watcher sees its beginning; the library has it all
            await tool.result({"beginning": str(result)[:MAX_BEGINNING], "is_complete": False})
            await tool.__aexit__(None, None, None)
        del self._tools[call_id]

    async def fail_tool(self, call_id: str, message: str, kind: str = "ToolError") -> None:
        """It failed."""
        if call_id in self._tools:
            await self._tools[call_id].error(message, kind)
            await self._leave(call_id)

    async def cancel_tool(self, call_id: str) -> None:
        """It is not executed any more."""
        await self._leave(call_id, asyncio.CancelledError())

    async def _leave(self, call_id: str, error: BaseException | None = None) -> None:
        tool = self._tools.pop(call_id, None)
        if tool is not None:
            await tool.__aexit__(None if error is None else type(error), error, None)

    # Coming and going

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        texts, tools = [*self._texts.values()], [*self._tools]
        self._texts.clear()
        async with AsyncExitStack() as stack:  # each is tried, though one before it may fail
            for call_id in tools:
                stack.push_async_callback(self._leave, call_id, error or asyncio.CancelledError())
            for text in texts:
                stack.push_async_callback(text.__aexit__, kind, error, trace)
