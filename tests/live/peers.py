"""Clients that write down what they see: one over WebSocket, one over SSE. Plain on purpose; no SDK of ours."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import websockets

DEADLINE_S = 30


class Rpc:
    """One `/live` socket: requests with ids, notifications in the order in which they came."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.notifications: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.errors: asyncio.Queue[dict[str, Any]] = asyncio.Queue()  # with `id: null`
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, **options: Any) -> AsyncIterator[Rpc]:
        async with websockets.connect(url, max_size=None, **options) as socket:
            rpc = cls(socket)
            reader = asyncio.create_task(rpc._read())
            try:
                yield rpc
            finally:
                reader.cancel()

    async def send(self, method: str, **params: Any) -> asyncio.Future[dict[str, Any]]:
        """Send a request; the future has the whole reply, or ConnectionClosed."""
        number = next(self._ids)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        text = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        await self.socket.send(text)
        return reply

    async def call(self, method: str, **params: Any) -> Any:
        """The result of a request; an error reply raises."""
        async with asyncio.timeout(DEADLINE_S):
            reply = await (await self.send(method, **params))
        assert "result" in reply, reply
        return reply["result"]

    async def refused(self, method: str, **params: Any) -> dict[str, Any]:
        """The error of a request."""
        async with asyncio.timeout(DEADLINE_S):
            reply = await (await self.send(method, **params))
        assert "error" in reply, reply
        return reply["error"]

    async def next(self, method: str | None = None) -> dict[str, Any]:
        """The params of the next notification (of a kind)."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                found = await self.notifications.get()
                if method is None or found["method"] == method:
                    return found["params"]

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                self._take(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        finally:
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_exception(ConnectionError("the socket closed"))
                    reply.exception()

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self.notifications.put_nowait(message)
        elif message["id"] is None:
            self.errors.put_nowait(message["error"])
        else:
            reply = self._replies.pop(message["id"])
            if not reply.done():
                reply.set_result(message)


@asynccontextmanager
async def event_stream(url: str, channels: list[str], after: str) -> AsyncIterator[AsyncIterator[tuple[str, Any, str]]]:
    """Entries of `/api/stream` as (name, data, id)."""
    params = [("channel", channel) for channel in channels]
    async with httpx2.AsyncClient(timeout=DEADLINE_S) as client:
        headers = {"last-event-id": after} if ":" in after else {}
        query = [*params, ("after", after)] if not headers else params
        async with client.stream("GET", f"{url}/api/stream", params=query, headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            yield _entries(response)


async def _entries(response: httpx2.Response) -> AsyncIterator[tuple[str, Any, str]]:
    name, data, last = "message", "", ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data = value
        elif field == "id":
            last = value
        elif not line and data:
            yield name, json.loads(data), last
            name, data = "message", ""
