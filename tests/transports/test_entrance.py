"""From the request to the socket: whom uvicorn serves and whom we serve, and what is refused."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
import websockets
from tests.transports.client_frames import TEXT
from tests.transports.lean_server import DEADLINE_S, LeanServer, RawPeer


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_lean_sockets_plain_sockets_and_http_side_by_side(http: str) -> None:
    async with LeanServer(http=http) as server:
        async with websockets.connect(f"{server.url}/lean") as lean, websockets.connect(f"{server.url}/asgi") as plain:
            assert await lean.recv() == "hello"
            for number in range(20):
                await lean.send(str(number))
                await plain.send(str(number))
                assert await lean.recv() == str(number)
                assert await plain.recv() == f"asgi {number}"
            await lean.send(b"\xff\x00")
            assert await lean.recv() == b"\xff\x00"
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{server.port}/lean")).text == "http"


async def test_a_connection_may_have_served_http_before(server: LeanServer) -> None:
    async with RawPeer.connect(server) as peer:
        peer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b"http" in await peer.reader.readuntil(b"http\r\n0\r\n\r\n")
        status, _, _ = await peer.ask()
        assert (status, await peer.frame()) == (101, (TEXT, b"hello"))


async def test_the_answer_opens_the_socket(server: LeanServer) -> None:
    async with RawPeer.connect(server) as peer:
        status, headers, _ = await peer.ask(
            sec_websocket_extensions="permessage-deflate", sec_websocket_protocol="a, b"
        )
        assert status == 101
        assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, 1.3
        assert (headers["upgrade"], headers["connection"]) == ("websocket", "Upgrade")
        assert "date" in headers
        assert "sec-websocket-extensions" not in headers
        assert "sec-websocket-protocol" not in headers


async def test_the_app_sees_an_ordinary_scope(server: LeanServer) -> None:
    async with RawPeer.connect(server) as peer:
        await peer.ask("/le%61n?after=a%20b", cookie="a=b", sec_websocket_protocol="a, b")
        scope = (await server.session()).scope
    assert (scope["type"], scope["scheme"], scope["path"], scope["raw_path"]) == (
        "websocket",
        "ws",
        "/lean",
        b"/le%61n",
    )
    assert (scope["query_string"], scope["subprotocols"]) == (b"after=a%20b", ["a", "b"])
    assert (b"cookie", b"a=b") in scope["headers"]
    assert scope["server"] == ("127.0.0.1", server.port)
    assert scope["client"][0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("status", "method", "other"),
    [
        (400, "GET", {"sec_websocket_key": None}),
        (400, "GET", {"sec_websocket_key": "c2hvcnQ="}),
        (400, "GET", {"sec_websocket_key": "no base 64 at all, is it"}),
        (426, "GET", {"sec_websocket_version": None}),
        (426, "GET", {"sec_websocket_version": "8"}),
        (405, "POST", {"content_length": "0"}),
    ],
)
async def test_what_opens_no_socket_is_told_why(
    status: int, method: str, other: dict[str, str | None], server: LeanServer
) -> None:
    async with RawPeer.connect(server) as peer:
        found, headers, _ = await peer.ask(method=method, **other)
        assert found == status
        assert headers["connection"] == "close"
        assert status != 426 or headers["sec-websocket-version"] == "13"
        assert await peer.gone()
    assert not server.app.asked.is_set()


async def test_a_refusal_is_an_http_response(server: LeanServer) -> None:
    async with RawPeer.connect(server) as peer:
        status, headers, body = await peer.ask("/lean?refuse")
        assert (status, headers["content-type"], body) == (403, "application/json", b'{"code":"no"}')
        assert await peer.gone()


async def test_a_failing_admission_is_500(server: LeanServer) -> None:
    async with RawPeer.connect(server) as peer:
        assert (await peer.ask("/lean?fail"))[0] == 500
        assert await peer.gone()


async def test_who_leaves_before_the_answer_is_not_waited_for(server: LeanServer) -> None:
    async with RawPeer.connect(server) as peer:
        asking = asyncio.create_task(peer.ask("/lean?hang"))
        async with asyncio.timeout(DEADLINE_S):
            await server.app.asked.wait()
            peer.writer.transport.abort()
            await server.stop()  # it waits for its connections
            await server.app.gave_up.wait()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await asking


async def test_stopping_refuses_who_is_not_yet_admitted(server: LeanServer) -> None:
    async with RawPeer.connect(server) as peer:
        asking = asyncio.create_task(peer.ask("/lean?hang"))
        async with asyncio.timeout(DEADLINE_S):
            await server.app.asked.wait()
            await server.stop()
            assert (await asking)[0] == 503
