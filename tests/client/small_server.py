"""A small honest server of the native protocol, in memory, that can be told to misbehave."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response


def frame(method: str, **params: Any) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params})


class Connection:
    """One client: what it is subscribed to, with the offset up to which it was sent."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.sent_to: dict[str, int] = {}

    async def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionClosed):  # dropped meanwhile; the reader tells
            await self.socket.send(data, text=True)


class SmallServer:
    """`async with SmallServer() as server`: logs, states and keys outlive `stop` and `start`, as on a disk."""

    def __init__(self) -> None:
        self.epoch = "one"
        self.logs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.oldest: dict[str, int] = defaultdict(lambda: 1)
        self.states: dict[str, dict[str, Any]] = {}
        self.keys: dict[tuple[str, str], int] = {}
        self.requests: list[dict[str, Any]] = []  # everything that was asked, over all connections
        self.headers: list[dict[str, str]] = []
        self.connections: list[Connection] = []
        self.welcomes = 0
        self.welcome: dict[str, Any] = {"limits": {"message_bytes": 2000, "nesting": 64}}
        self.answers: dict[str, list[Any]] = defaultdict(list)  # per method what to do instead, once each
        self.refusal: tuple[int, dict[str, Any]] | None = None  # HTTP status and body instead of a connection
        self.events_sent = 0
        self.changed = asyncio.Event()
        self._server: Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, process_request=self._admit, compression=None, max_size=2**24
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As SIGKILL: every socket breaks, the port is free."""
        server, self._server = self._server, None
        if server is not None:
            server.close(close_connections=False)
            self.drop()
            await server.wait_closed()

    async def __aenter__(self) -> SmallServer:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def drop(self) -> None:
        """Break all sockets without a close frame."""
        for connection in list(self.connections):
            connection.socket.transport.abort()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    def count(self, method: str) -> int:
        return sum(request["method"] == method for request in self.requests)

    async def publish(self, channel: str, data: Any = None, kind: str = "note") -> int:
        """Append as if another client had, and deliver."""
        offset = self._append(channel, kind, data)
        await self._deliver(channel)
        return offset

    async def broadcast(self, data: bytes) -> None:
        for connection in list(self.connections):
            await connection.send(data)

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        self.headers.append({name.lower(): value for name, value in request.headers.raw_items()})
        self.changed.set()
        if self.refusal is None:
            return None
        status, body = self.refusal
        response = socket.respond(status, "")
        del response.headers["Content-Length"]
        data = orjson.dumps(body)
        response.headers["Content-Length"] = str(len(data))
        response.body = data
        return response

    async def _serve(self, socket: ServerConnection) -> None:
        connection = Connection(socket)
        self.connections.append(connection)
        welcome = {"protocol": 1, "server": "small", "epoch": self.epoch, "connection_id": "c", "user": "local"}
        try:
            await connection.send(frame("welcome", **{**welcome, **self.welcome}))
            self.welcomes += 1
            self.changed.set()
            async for text in socket:
                await self._receive(connection, orjson.loads(text))
                self.changed.set()
        except ConnectionClosed:
            pass
        finally:
            self.connections.remove(connection)
            self.changed.set()

    async def _receive(self, connection: Connection, request: dict[str, Any]) -> None:
        self.requests.append(request)
        if self.answers[request["method"]]:
            special = self.answers[request["method"]].pop(0)
            if special == "apply, then drop":
                self._answer(connection, request)
                connection.socket.transport.abort()
            elif special == "drop":
                connection.socket.transport.abort()
            elif special != "silence":
                await connection.send(orjson.dumps({"jsonrpc": "2.0", "id": request["id"], **special}))
            return
        result = self._answer(connection, request)
        await connection.send(orjson.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}))
        channel = request["params"].get("channel")
        if request["method"] == "publish":
            await self._deliver(channel)
        elif request["method"] == "subscribe":
            await self._catch_up(connection, channel)

    def _answer(self, connection: Connection, request: dict[str, Any]) -> Any:
        params = request["params"]
        channel = params.get("channel", "")
        match request["method"]:
            case "publish":
                return {"epoch": self.epoch, "offset": self._publish(channel, params)}
            case "subscribe":
                return self._subscribe(connection, channel, params.get("after", "now"))
            case "unsubscribe":
                connection.sent_to.pop(channel, None)
                return {}
            case "state":
                return {"epoch": self.epoch, "version": 0, "value": {}, **self.states.get(channel, {})}
            case "process.restart":
                return {"name": params["name"], "process": {"status": "running", "pid": 7, "newer_field": 1}}
            case _:
                return {"echo": params}

    def _publish(self, channel: str, params: dict[str, Any]) -> int:
        key = (channel, params.get("idempotency_key", ""))
        if key not in self.keys:
            self.keys[key] = self._append(channel, params["type"], params["data"])
        return self.keys[key]

    def _append(self, channel: str, kind: str, data: Any) -> int:
        log = self.logs[channel]
        time = "2026-10-15T09:30:00.250Z"
        log.append({"channel": channel, "offset": len(log) + 1, "type": kind, "data": data, "time": time, "by": "ann"})
        return len(log)

    def _subscribe(self, connection: Connection, channel: str, after: Any) -> dict[str, Any]:
        head, oldest = len(self.logs[channel]), self.oldest[channel]
        reply: dict[str, Any] = {"epoch": self.epoch, "head": head, "oldest": oldest, "recovered": True}
        state = self.states.get(channel)
        if after == "now":
            reply["after"] = head
        elif after == "start":
            reply["after"] = oldest - 1
        elif after["epoch"] == self.epoch and oldest - 1 <= after["offset"] <= head:
            connection.sent_to[channel] = after["offset"]
            return {**reply, "after": after["offset"]}
        else:
            reply.update(recovered=False, after=oldest - 1 if state is None else head)
        connection.sent_to[channel] = reply["after"]
        return reply if state is None else {**reply, "state": state, "messages": []}

    async def _deliver(self, channel: str) -> None:
        for connection in list(self.connections):
            if channel in connection.sent_to:
                await self._send_missed(connection, channel)

    async def _catch_up(self, connection: Connection, channel: str) -> None:
        await self._send_missed(connection, channel)
        if channel in connection.sent_to:
            await connection.send(frame("caught_up", channel=channel, offset=connection.sent_to[channel]))

    async def _send_missed(self, connection: Connection, channel: str) -> None:
        for event in self.logs[channel][connection.sent_to[channel] :]:
            if channel not in connection.sent_to:
                return
            connection.sent_to[channel] = event["offset"]
            self.events_sent += 1
            await connection.send(frame("event", **event))
