"""MCP in a whole server: its sources in `tool.list` and `tool.call`, their ends, and life without the extra."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import COMMAND, RealServer
from tests.live.workspace import write_settings
from tests.mcp.sources import PROGRAM, until

BLOCKED = "import sys\nsys.modules['mcp'] = sys.modules['mcp_types'] = None\n"
SOURCE: dict[str, Any] = {"command": [sys.executable, str(PROGRAM), "stdio"]}


def new_server(home: Path, tables: Mapping[str, Mapping[str, Any]], **environ: str) -> RealServer:
    return RealServer(home / "data", config=write_settings(home / "antiphon.toml", tables), environ=environ)


@pytest.fixture
def without_extra(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that cannot import the SDK."""
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKED)
    return {"PYTHONPATH": str(tmp_path / "blocked")}


def programs(server: RealServer) -> list[psutil.Process]:
    children = psutil.Process(server.pid).children(recursive=True)
    return [process for process in children if str(PROGRAM) in process.cmdline()]


def is_over(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_sources_live_and_end_with_the_server(tmp_path: Path, end: str) -> None:
    server = new_server(tmp_path, {"mcp.small": SOURCE})
    await server.start()
    try:
        async with asyncio.timeout(DEADLINE_S), Rpc.connect(server.live) as rpc:
            while (listed := await rpc.call("tool.list"))["sources"][0]["state"] != "connected":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            assert "small__add" in [row["name"] for row in listed["tools"]]
            called = await rpc.call("tool.call", name="small__add", arguments={"a": 1, "b": 2})
            assert called["result"] == {"result": 3}
            failed = await rpc.refused("tool.call", name="small__fail", arguments={})
            assert failed["data"]["code"] == "tool_failed"
        (program,) = programs(server)
    finally:
        await (server.stop() if end == "stop" else server.kill())
    await until(lambda: is_over(program))


async def test_without_the_extra_the_endpoint_says_what_to_install(
    tmp_path: Path, without_extra: dict[str, str]
) -> None:
    server = new_server(tmp_path, {}, **without_extra)
    await server.start()
    try:
        async with httpx2.AsyncClient() as client:
            for _ in range(2):
                answer = await client.post(f"{server.url}/mcp", json={})
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
                assert "antiphon[mcp]" in answer.json()["message"]
    finally:
        assert await server.stop() == 0


async def test_without_the_extra_a_source_is_a_mistake_of_the_settings(
    tmp_path: Path, without_extra: dict[str, str]
) -> None:
    server = new_server(tmp_path, {"mcp.small": SOURCE}, **without_extra)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *COMMAND, "serve", "--config", str(tmp_path / "antiphon.toml"), "--data", str(server.data)),
        *("--port", str(server.port)),
        env=without_extra,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode not in (0, None)
    assert "antiphon[mcp]" in " ".join(output.decode().split())
