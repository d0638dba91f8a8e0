"""Inside somebody's own app: below the mount, with the host's users."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
import websockets
from fastapi import FastAPI
from tests.dialects.agent_engine.engine import Engine

from antiphon import Antiphon, Run


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """Serve an app on a free port."""
    config = uvicorn.Config(app, log_level="error", ws="websockets-sansio", lifespan="on")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Quiet(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


class _Quiet(uvicorn.Server):
    """Leaves signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def test_below_the_mount(tmp_path: Path) -> None:
    live = Antiphon(data=tmp_path / "data", settings={"dialect.agent_engine.agent": "echo"})

    @live.runnable("echo")
    async def echo(run: Run, prompt: str) -> str:
        return prompt

    app = FastAPI()
    live.mount(app, "/antiphon")
    async with serving(app) as port:
        async with websockets.connect(f"ws://127.0.0.1:{port}/antiphon/ws/agent") as connection:
            engine = Engine(connection)
            await engine.next("connected")
            await engine.send("agent_query", query="here?")
            assert (await engine.until("agent_response", "error"))[-1]["content"] == "here?"
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/antiphon") as client:
            assert (await client.get("/ws/statistics")).json()["total_connections"] == 1
            page = await client.get("/static/test_websocket.html")
            assert page.status_code == 200
            assert '<base href="/antiphon/">' in page.text
