"""python-socketio's client, the other stock one, over both transports and through the upgrade."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import socketio  # type: ignore[import-untyped]
from tests.socket_io.kit import Served, serving, until
from tests.socket_io.stock import proxied

from antiphon.transports.sweep import Beat

CALM = Beat(tick_s=0.05, ping_ticks=40, answer_ticks=39)
WITHIN_S = 15
WAYS = pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join)


class Python:
    """The client in threads of its own; what it hears is kept in order."""

    def __init__(self, namespace: str = "/", **options: Any) -> None:
        self.namespace = namespace
        self.client = socketio.Client(reconnection_delay=0.01, reconnection_delay_max=0.05, **options)
        self._heard: queue.Queue[tuple[str, tuple[Any, ...]]] = queue.Queue()
        for event in ("connect", "disconnect", "connect_error", "auth", "message-back", "said", "told"):
            self.client.on(event, self._keeper(event), namespace=namespace)
        self.client.on("question", lambda _: "because", namespace=namespace)

    def _keeper(self, event: str) -> Any:
        def keep(*args: Any) -> None:
            self._heard.put((event, args))

        return keep

    async def connect(self, url: str, **options: Any) -> None:
        await asyncio.to_thread(self.client.connect, url, namespaces=[self.namespace], wait_timeout=WITHIN_S, **options)

    def emit(self, event: str, *args: Any) -> None:
        self.client.emit(event, args, namespace=self.namespace)

    async def call(self, event: str, *args: Any) -> Any:
        return await asyncio.to_thread(self.client.call, event, args, namespace=self.namespace, timeout=WITHIN_S)

    async def next(self, wanted: str) -> tuple[Any, ...]:
        """The next event of this name; others that come before it are let go."""
        while True:
            event, args = await asyncio.to_thread(self._heard.get, True, WITHIN_S)
            if event == wanted:
                return args

    async def leave(self) -> None:
        await asyncio.to_thread(self.client.disconnect)


@pytest_asyncio.fixture(params=["lean", "asgi"])
async def calm(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    async with serving(request.param, CALM) as found:
        yield found


@WAYS
async def test_everything_that_a_client_says_and_hears(calm: Served, transports: list[str]) -> None:
    python = Python("/custom")
    await python.connect(calm.url, transports=transports, auth={"token": "123"})
    assert await python.next("auth") == ({"token": "123"},)
    assert python.client.get_sid("/custom") in calm.namespaces["/custom"].peers
    assert python.client.transport() == transports[-1]
    python.emit("message", 1, "é \x1e ✓", {"deep": [b"\x00\xff", None, True]}, b"bytes")
    assert await python.next("message-back") == (1, "é \x1e ✓", {"deep": [b"\x00\xff", None, True]}, b"bytes")
    assert await python.call("message-with-ack", 1, b"\x01") == (1, b"\x01")
    python.emit("ask-me")
    assert await python.next("told") == (["because"],)
    python.emit("to-all", {"n": 1}, b"\x02")
    assert await python.next("said") == ({"n": 1}, b"\x02")
    await python.leave()
    await until(lambda: not calm.namespaces["/custom"].peers)


async def test_refused_with_a_reason_and_its_data(calm: Served) -> None:
    python = Python()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await python.connect(calm.url, auth={"token": "wrong"})
    assert await python.next("connect_error") == ({"message": "wrong token", "data": {"hint": "tea"}},)


@WAYS
async def test_a_proxy_that_cuts_connections(calm: Served, transports: list[str]) -> None:
    python = Python()
    async with proxied(calm.port) as proxy:
        await python.connect(f"http://127.0.0.1:{proxy.port}", transports=transports)
        for turn in range(3):
            await python.next("auth")
            assert await python.call("message-with-ack", turn) == turn
            session = calm.engine.all()[-1]
            await until(lambda: not session.polls or session.mailbox.is_polled)  # noqa: B023 - it is awaited here
            proxy.cut()
            await python.next("disconnect")
        await python.next("auth")
        await python.leave()
    await until(lambda: not calm.namespaces["/"].peers)
