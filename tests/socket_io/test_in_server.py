"""Socket.IO in an app of one's own: `live.socketio("/chat")`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from tests.socket_io.kit import until
from tests.socket_io.test_engine_io import heard
from websockets.asyncio.client import connect

from antiphon import Antiphon


@pytest_asyncio.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    app = FastAPI()
    live = Antiphon(data=tmp_path / "data")
    chat = live.socketio("/chat")

    @chat.on("say")
    async def say(peer: Any, text: str) -> str:
        await peer.join("lobby")
        await chat.emit("said", {"by": peer.user.name, "text": text}, room="lobby")
        return "ok"

    live.mount(app, "/antiphon")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def test_a_namespace_of_an_app(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/antiphon/socket.io/?EIO=4&transport=websocket") as socket:
        assert str(await heard(socket)).startswith("0{")
        await socket.send("40/chat,")
        assert str(await heard(socket)).startswith("40/chat,{")
        await socket.send('42/chat,1["say","tea"]')
        found = {await heard(socket), await heard(socket)}
        assert found == {'42/chat,["said",{"by":"local","text":"tea"}]', '43/chat,1["ok"]'}
