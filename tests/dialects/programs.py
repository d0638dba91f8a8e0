"""Functions that the server under test offers, and a wire to one of them. Run there, and imported by tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from antiphon import Run

DEADLINE_S = 30


async def echo(run: Run, prompt: str) -> str:
    async with run.message() as message:
        for piece in ("You said: ", prompt, "."):
            await message.append(piece)
    return f"You said: {prompt}."


async def relay(run: Run, port: int) -> str:
    """Says what comes over a socket, as it comes; ends with it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with run.message(message_id="m1") as message:
            while line := await reader.readline():
                await message.append(json.loads(line))
                writer.write(b"said\n")
        return "done"
    finally:
        writer.close()


async def deploy(run: Run, version: str) -> Any:
    async with run.tool("deploy", {"version": version}, tool_call_id="c1") as tool:
        decision = await run.approve("Call deploy?", {"version": version})
        await tool.result({"action": decision.action, "value": decision.value})
    said = decision.value if decision.approved else decision.reason
    async with run.message() as message:
        await message.append(f"{decision.action}: {json.dumps(said)}")
    return decision.action


async def choose(run: Run) -> Any:
    async with run.message(message_id="m1") as message:
        await message.append("Let me ask. ")
        answer = await run.ask("Which?", options=["green", "black"])
        await message.append(f"It is {answer}.")
    return answer


async def given(run: Run, **fields: Any) -> Any:
    return fields


async def told(run: Run, prompt: str, messages: list[Any], state: Any = None, depth: int = 1) -> Any:
    return {"prompt": prompt, "messages": len(messages), "state": state, "depth": depth}


async def fail(run: Run) -> None:
    async with run.state.edit() as state:
        state["tasks"] = {"t1": "begun"}
    async with run.message() as message:
        await message.append("I try")
        raise ValueError("no tea")


class Wire:
    """The test's end of `relay`."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._peer: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        self._peer = asyncio.get_running_loop().create_future()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Wire]:
        wire = cls()
        wire._server = await asyncio.start_server(wire._met, "127.0.0.1", 0)
        wire.port = wire._server.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            wire._server.close()
            if wire._peer.done():
                wire._peer.result()[1].close()

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peer.set_result((reader, writer))

    async def say(self, text: str) -> None:
        """Let the run append this; it was said."""
        async with asyncio.timeout(DEADLINE_S):
            reader, writer = await self._peer
            writer.write(json.dumps(text).encode() + b"\n")
            assert await reader.readline() == b"said\n"

    async def end(self) -> None:
        (await self._peer)[1].write_eof()

    async def until_gone(self) -> None:
        """The run's code has let go of it: it ended, or was cancelled."""
        async with asyncio.timeout(DEADLINE_S):
            reader, _ = await self._peer
            while await reader.read(100):
                pass
