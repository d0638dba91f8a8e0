"""A client of `/ws/agent`, and a server that has the scripted agent. Plain on purpose."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import websockets
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.running import until_said

HERE = Path(__file__).parent
SETTINGS = """
[runnable.scripted]
import = "scripted_agent:scripted"

[dialect.agent_engine]
agent = "scripted"
"""
OUTCOMES = ("succeeded", "failed", "cancelled", "lost")


def scripted_server(folder: Path, more: str = "", *, settings: str = SETTINGS, **environ: str) -> RealServer:
    """A server that is not started yet, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "antiphon.toml"
    config.write_text(settings + more)
    shutil.copy(HERE / "scripted_agent.py", folder)
    return RealServer(folder / "data", config=config, environ=environ)


def steps(*found: list[Any]) -> str:
    return json.dumps(found)


class Engine:
    """One socket: what it sends, and the frames that came, in order."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket

    @classmethod
    @asynccontextmanager
    async def connect(cls, server: RealServer, *, greeted: bool = True, **options: Any) -> AsyncIterator[Engine]:
        """A socket behind its `connected`."""
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/ws/agent", max_size=None, **options) as socket:
            engine = cls(socket)
            if greeted:
                assert (await engine.next())["type"] == "connected"
            yield engine

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def next(self, kind: str | None = None) -> dict[str, Any]:
        """The next frame, which must be of this kind."""
        async with asyncio.timeout(DEADLINE_S):
            text = await self.socket.recv()
        assert isinstance(text, str)
        frame: dict[str, Any] = json.loads(text)
        assert kind is None or frame["type"] == kind, frame
        return frame

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send and take the next frame."""
        await self.send(kind, **fields)
        return await self.next()

    async def until(self, *kinds: str) -> list[dict[str, Any]]:
        """All frames up to one of these kinds."""
        frames = [await self.next()]
        while frames[-1]["type"] not in kinds:
            frames.append(await self.next())
        return frames

    async def nothing_more(self) -> None:
        """Whatever was sent has come: the next frame is the answer to a question of ours."""
        assert await self.ask("ping", request_id="marker") | {"timestamp": 0} == {
            "type": "pong",
            "request_id": "marker",
            "timestamp": 0,
        }

    async def closed(self) -> tuple[int | None, str]:
        """How the other side closed it."""
        async with asyncio.timeout(DEADLINE_S):
            await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason or ""


def text_of(frames: list[dict[str, Any]]) -> str:
    return "".join(frame["content"] for frame in frames if frame["type"] == "stream_chunk")


async def get(server: RealServer, path: str, **options: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=server.url, timeout=DEADLINE_S) as client:
        return await client.get(path, **options)


async def post(server: RealServer, path: str, body: Any) -> Any:
    async with httpx2.AsyncClient(base_url=server.url, timeout=DEADLINE_S) as client:
        answer = await client.post(path, json=body)
        assert answer.status_code < 400, answer.text
        return answer.json()


async def runs(server: RealServer) -> list[dict[str, Any]]:
    """The rows, newest first."""
    found: list[dict[str, Any]] = (await get(server, "/api/runs")).json()["runs"]
    return found


async def newest_run(server: RealServer) -> str:
    return str((await runs(server))[0]["run_id"])


async def outcome(server: RealServer, run_id: str) -> str:
    """How a run ends; waits for that."""
    return str((await get(server, f"/api/runs/{run_id}/result?timeout_s=25")).json()["status"])


async def go_on(server: RealServer, run_id: str) -> None:
    """Let a scripted agent go on that waits, or will."""
    async with Rpc.connect(server.live) as rpc:
        await rpc.call("subscribe", channel=f"run:{run_id}", after="start")
        asked = await until_said(rpc, "question.asked")
        await rpc.call("question.answer", question_id=asked["data"]["question_id"], answer="yes")
