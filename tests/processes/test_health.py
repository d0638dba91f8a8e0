"""Health checks against real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from antiphon.services.processes.config import ProcessConfig
from antiphon.services.processes.health import HealthClient, probe


@asynccontextmanager
async def answering(reply: bytes | None) -> AsyncIterator[int]:
    """A server that answers each connection so; None = never."""
    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reply is None:
            await done.wait()
        elif await reader.read(1):
            writer.write(reply)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        done.set()


async def ask(**fields: object) -> str | None:
    config = ProcessConfig.model_validate({"command": ["true"], "health_timeout_s": 5, **fields})
    client = HealthClient()
    try:
        return await probe(config, client)
    finally:
        await client.aclose()


@pytest.mark.parametrize("status", [200, 204, 302, 399])
async def test_a_good_answer(status: int) -> None:
    async with answering(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nLocation: /\r\n\r\n".encode()) as port:
        assert await ask(port=port, url=f"http://127.0.0.1:{port}/health") is None


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_a_bad_answer(status: int) -> None:
    async with answering(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()) as port:
        assert f"answers {status}" in str(await ask(url=f"http://127.0.0.1:{port}/"))


async def test_an_endless_body_is_not_waited_for() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n\r\nand so on") as port:
        assert await ask(url=f"http://127.0.0.1:{port}/") is None


async def test_no_http() -> None:
    async with answering(b"hello\n") as port:
        assert "does not answer" in str(await ask(url=f"http://127.0.0.1:{port}/"))


async def test_silence_has_a_deadline() -> None:
    async with answering(None) as port:
        assert "no answer within 0.1 s" in str(await ask(url=f"http://127.0.0.1:{port}/", health_timeout_s=0.1))


async def test_a_closed_port() -> None:
    async with answering(b"") as port:
        pass
    assert "does not accept" in str(await ask(port=port))
    assert "does not answer" in str(await ask(url=f"http://127.0.0.1:{port}/"))


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        assert await ask(url=f"http://127.0.0.1:{port}/") is None
