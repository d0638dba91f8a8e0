from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from tests.client.small_server import SmallServer, frame

import antiphon
from antiphon.client import Status
from antiphon.errors import ClientClosed, ConnectionFailed, InputError, Unauthenticated


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_nobody_listening_fails_at_once_if_asked_to() -> None:
    with pytest.raises(ConnectionFailed, match="connection refused"):
        async with antiphon.connect(f"http://127.0.0.1:{free_port()}", first_connection_s=0):
            pass


async def test_a_server_that_comes_late_is_waited_for() -> None:
    server = SmallServer()
    server.port = free_port()
    seen: list[Status] = []
    waiting = asyncio.Event()

    def on_status(status: Status) -> None:
        seen.append(status)
        if status.phase == "waiting":
            waiting.set()

    async def enter() -> None:
        async with antiphon.connect(server.url, first_connection_s=None, on_status=on_status) as live:
            assert live.status.phase == "live"

    entering = asyncio.create_task(enter())
    await waiting.wait()
    async with server:
        await entering
    assert "connection refused" in (seen[0].reason or "")
    assert seen[0].retry_in_s is not None
    assert [status.phase for status in seen[-2:]] == ["live", "closed"]


async def test_a_refusal_says_why_and_is_not_repeated(server: SmallServer) -> None:
    server.refusal = (401, {"code": "unauthenticated", "message": "send a token", "retryable": False})
    with pytest.raises(Unauthenticated, match="send a token"):
        async with antiphon.connect(server.url, token="wrong"):
            pass
    assert [headers["authorization"] for headers in server.headers] == ["Bearer wrong"]
    assert server.headers[0]["user-agent"].startswith("antiphon-python/")


async def test_a_token_that_is_revoked_later_ends_the_client_with_that_error(server: SmallServer) -> None:
    async with antiphon.connect(server.url) as live:
        items = live.subscribe("a")
        await items.ready()
        server.refusal = (401, {"code": "unauthenticated", "message": "revoked", "retryable": False})
        server.drop()
        with pytest.raises(Unauthenticated):
            _ = [item async for item in items]
        with pytest.raises(Unauthenticated):
            await live.publish("a", "t")


async def test_another_program_at_the_port_is_no_server(server: SmallServer) -> None:
    server.refusal = (404, {"detail": "Not Found"})
    with pytest.raises(ConnectionFailed, match="no Antiphon server"):
        async with antiphon.connect(server.url, first_connection_s=0):
            pass


@pytest.mark.parametrize(
    ("welcome", "said"),
    [({"protocol": 2}, "speaks protocol 2"), ({"epoch": 7}, "is no Antiphon server")],
)
async def test_a_server_of_another_protocol_is_named(
    server: SmallServer, welcome: dict[str, object], said: str
) -> None:
    server.welcome = welcome
    with pytest.raises(ConnectionFailed, match=said):
        async with antiphon.connect(server.url, first_connection_s=0):
            pass


async def test_a_busy_server_is_tried_again(server: SmallServer) -> None:
    server.refusal = (503, {"code": "too_many_connections", "message": "full", "retryable": True})
    entering = asyncio.create_task(antiphon.connect(server.url).__aenter__())
    await server.until(lambda: len(server.headers) >= 2)
    server.refusal = None
    await (await entering).close()


async def test_an_error_in_the_block_is_that_error(server: SmallServer) -> None:
    with pytest.raises(ZeroDivisionError):
        async with antiphon.connect(server.url):
            _ = 1 / 0
    await server.until(lambda: not server.connections)


async def test_goodbye_is_honoured_and_later_requests_wait_for_the_next_connection(server: SmallServer) -> None:
    waits: list[float] = []

    def on_status(status: Status) -> None:
        if status.retry_in_s is not None:
            waits.append(status.retry_in_s)

    async with antiphon.connect(server.url, on_status=on_status) as live, live.subscribe("a") as items:
        await anext(items)
        server._append("a", "last", "words")
        await server.broadcast(frame("goodbye", reason="stopping", reconnect_after_s=0.3))
        await server._deliver("a")
        await server.broadcast(frame("news_of_tomorrow", what="unknown notifications are ignored"))
        assert isinstance(await anext(items), antiphon.Event)
        asking = asyncio.create_task(live.process_restart("x"))
        await asyncio.sleep(0)
        await server.connections[0].socket.close(1012)
        assert (await asking).pid == 7
    assert 0.3 <= waits[0] < 0.5


@pytest.mark.parametrize("junk", [b"no json", b"[]", b'{"method": "event", "params": {"channel": 7}}', b'{"id": "x"}'])
async def test_frames_that_cannot_be_read_cost_the_connection_but_no_event(server: SmallServer, junk: bytes) -> None:
    async with antiphon.connect(server.url) as live, live.subscribe("a", after="start") as items:
        await live.publish("a", "t", 1)
        await server.broadcast(junk)
        await server.until(lambda: server.welcomes == 2)
        await live.publish("a", "t", 2)
        events = [item async for item in _first_events(items, 2)]
    assert [event.data for event in events] == [1, 2]


async def _first_events(items: antiphon.Subscription, count: int) -> AsyncIterator[antiphon.Event]:
    async for item in items:
        if isinstance(item, antiphon.Event):
            yield item
            count -= 1
        if not count:
            return


async def test_a_client_that_was_not_entered_says_so(server: SmallServer) -> None:
    live = antiphon.connect(server.url)._new()
    with pytest.raises(ClientClosed, match="async with"):
        await live.publish("a", "t")
    with pytest.raises(InputError):
        await live.request("subscribe", {"channel": "a"})
