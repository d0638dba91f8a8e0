"""An honest OpenAI-compatible server that says what it is told to: real requests, real streams, real hang-ups.

A user message that begins with `{` is a script, `{"rounds": [[STEP, ...], ...]}`; results of tools lead to the next
round of steps. Anything else is repeated: "You said: ...". Steps:

- {"text": T, "size": N?}, {"think": T}: in chunks of N characters; {"repeat": T, "times": N, "every_ms": M}
- {"call": NAME, "arguments": {...}, "size": N?}
- {"wait": GATE}: until somebody opens it
- {"status": 500}: instead of an answer; {"drop": true}: in the midst of it
- {"usage": [INPUT, OUTPUT]}

As a program it prints its port, and takes `POST /control/open/GATE`, `GET /control/requests` and, which waits,
`GET /control/closed/N`. Times are seconds of CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, fields
from typing import Any, Self

from tests.agents.model_script import deltas_of, frame, steps_for, usage_of, whole


class HungUp(Exception):
    """The client went away."""


@dataclass
class Request:
    """One request for an answer."""

    number: int
    messages: list[dict[str, Any]]
    tools: list[str]
    model: str
    authorization: str | None
    chunks: int = 0  # sent so far
    closed_by: str | None = None  # client or server; None = it is being answered
    closed_at: float | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def facts(self) -> dict[str, Any]:
        """All but the event."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "over"}


class Connection:
    """One client's connection, watched for its end while something is sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._hangup: asyncio.Task[bytes] | None = None

    async def head(self) -> tuple[str, str, dict[str, str]] | None:
        """Method, path and headers of the next request; None = there is none."""
        try:
            raw = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = raw.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        return method, path, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def watch(self) -> None:
        """From now on `unless_gone` knows when the client hangs up; it sends nothing before it has its answer."""
        self._hangup = asyncio.create_task(self.reader.read(1))

    async def unwatch(self) -> None:
        if self._hangup is not None:
            self._hangup.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await self._hangup

    async def unless_gone(self, waiting: Any) -> Any:
        """The result of an awaitable. Raises HungUp."""
        assert self._hangup is not None
        task = asyncio.ensure_future(waiting)
        await asyncio.wait([task, self._hangup], return_when=asyncio.FIRST_COMPLETED)
        if self._hangup.done():
            self._hangup.exception()  # a reset is a hang-up too
            task.cancel()
            raise HungUp
        return task.result()

    def send(self, status: str, kind: str, body: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)

    def begin_stream(self) -> None:
        self.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")

    def event(self, data: str) -> None:
        body = f"data: {data}\n\n".encode()
        self.writer.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")


class ModelServer:
    """`async with ModelServer() as server`: listens on a free port of this machine."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._news = asyncio.Condition()

    @property
    def url(self) -> str:
        """The address for clients: `base_url`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def open(self, gate: str) -> None:
        """Let scripts pass that wait for it."""
        self._gates[gate].set()

    async def until(self, count: int, *, chunks: int = 0) -> Request:
        """The request of this number (from 1), once it has come and so many chunks of its answer were sent."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.requests) >= count and self.requests[count - 1].chunks >= chunks)
        return self.requests[count - 1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[Any]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            connection = Connection(reader, writer)
            while (head := await connection.head()) is not None:
                method, path, headers = head
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if not await self._route(connection, method, path, headers, body):
                    return
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _route(
        self, connection: Connection, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> bool:
        """Answer one request; returns whether the connection may be used again."""
        match method, path.strip("/").split("/"):
            case "POST", ["v1", "chat", "completions"]:
                return await self._complete(connection, json.loads(body), headers)
            case "POST", ["control", "open", gate]:
                self.open(gate)
                connection.send("204 No Content", "text/plain", b"")
            case "GET", ["control", "requests"]:
                found = [request.facts() for request in self.requests]
                connection.send("200 OK", "application/json", json.dumps(found).encode())
            case "GET", ["control", "closed", number]:
                request = await self.until(int(number))
                await request.over.wait()
                connection.send("200 OK", "application/json", json.dumps(request.facts()).encode())
            case _:
                connection.send("404 Not Found", "application/json", b'{"error": {"message": "no such path"}}')
        return True

    # Answering

    async def _complete(self, connection: Connection, asked: dict[str, Any], headers: dict[str, str]) -> bool:
        request = Request(
            len(self.requests) + 1,
            asked["messages"],
            [tool["function"]["name"] for tool in asked.get("tools", ())],
            asked["model"],
            headers.get("authorization"),
        )
        self.requests.append(request)
        await self._tell()
        connection.watch()
        try:
            await self._answer(connection, request, asked)
        except (HungUp, ConnectionError):
            self._close(request, "client")
            return False
        self._close(request, "server")
        await connection.unwatch()
        return not any("drop" in step for step in steps_for(request.messages))

    def _close(self, request: Request, who: str) -> None:
        request.closed_at, request.closed_by = time.monotonic(), who
        request.over.set()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _answer(self, connection: Connection, request: Request, asked: dict[str, Any]) -> None:
        steps = steps_for(request.messages)
        while steps and "wait" in steps[0]:  # before the first token: not even a head of the answer
            await connection.unless_gone(self._gates[steps.pop(0)["wait"]].wait())
        if steps and "status" in steps[0]:
            words = f"told to answer {steps[0]['status']}" + "".join(f": {step.get('text')}" for step in steps[1:])
            error = {"error": {"message": words, "type": "scripted"}}
            connection.send(f"{steps[0]['status']} Scripted", "application/json", json.dumps(error).encode())
        elif asked.get("stream"):
            await self._stream(connection, request, steps, asked)
        else:
            connection.send(
                "200 OK", "application/json", json.dumps(whole(request.number, request.model, steps)).encode()
            )

    async def _stream(
        self, connection: Connection, request: Request, steps: list[dict[str, Any]], asked: dict[str, Any]
    ) -> None:
        connection.begin_stream()
        async for delta, finish in self._deltas(connection, request, steps):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            connection.event(json.dumps(frame(request.number, request.model, choices=[choice])))
            await connection.unless_gone(connection.writer.drain())
            request.chunks += 1
            await self._tell()
        if any("drop" in step for step in steps):
            return
        if asked.get("stream_options", {}).get("include_usage"):
            connection.event(json.dumps(frame(request.number, request.model, choices=[], usage=usage_of(steps))))
        connection.event("[DONE]")
        connection.writer.write(b"0\r\n\r\n")
        await connection.writer.drain()

    async def _deltas(
        self, connection: Connection, request: Request, steps: list[dict[str, Any]]
    ) -> AsyncIterator[tuple[dict[str, Any], str | None]]:
        yield {"role": "assistant", "content": ""}, None
        calls = 0
        for step in steps:
            if "wait" in step:
                await connection.unless_gone(self._gates[step["wait"]].wait())
            elif "repeat" in step:
                for _ in range(step["times"]):
                    yield {"content": step["repeat"]}, None
                    await connection.unless_gone(asyncio.sleep(step.get("every_ms", 0) / 1000))
            elif "drop" in step:
                return
            else:
                for delta in deltas_of(step, f"call_{request.number}_{calls}", calls):
                    yield delta, None
                calls += "call" in step
        yield {}, "tool_calls" if calls else "stop"


async def main() -> None:
    """Serve until stdin ends."""
    async with ModelServer() as server:
        print(server.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
