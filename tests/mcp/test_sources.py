"""MCP servers as sources of tools: their tools here, cancels there, deaths, and coming back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.mcp.sources import PROGRAM, over_http, source, stdio, until, until_noted

from antiphon.errors import InvalidParams, NotFound, ToolError
from antiphon.services.tools import McpConfig, ToolContext, Tools
from antiphon.services.tools.mcp_servers.conversion import tool_name

NAMES = {f"small__{name}" for name in ("add", "greet", "fail", "wait", "die", "picture", "variable", "grow")}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture(params=["stdio", "http"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def connected(way: str, notes: Path) -> AsyncIterator[Tools]:
    """Tools with the program as the server `small`, which has answered."""
    if way == "stdio":
        async with Tools(mcp={"small": stdio(notes)}) as tools:
            await tools.prepare(["mcp:small"])
            yield tools
        return
    async with over_http(notes) as program, Tools(mcp={"small": McpConfig(url=program.url)}) as tools:
        await tools.prepare(["mcp:small"])
        yield tools


async def test_its_tools_are_here(way: str, notes: Path) -> None:
    async with connected(way, notes) as tools:
        assert {tool.name for tool in tools.select(["mcp:small"])} == NAMES
        row = source(tools)
        assert (row["name"], row["source"], row["kind"], row["state"]) == ("small", "mcp:small", way, "connected")
        assert (row["error"], row["tools"], row["server"]) == (None, len(NAMES), "small 1.2")
        add = tools.get("small__add")
        assert (add.description, add.source, add.needs_approval) == ("Add two numbers.", "mcp:small", False)
        assert set(add.parameters["required"]) == {"a", "b"}


async def test_they_are_called(way: str, notes: Path) -> None:
    async with connected(way, notes) as tools:
        assert await tools.call("small__add", {"a": 1, "b": 2}) == {"result": 3}
        assert await tools.call("small__greet", {"name": "you"}) == "hello you"
        image = {"type": "image", "mime_type": "image/png", "base64_characters": 8}
        assert await tools.call("small__picture", {}) == [{"type": "text", "text": "look"}, image]
        with pytest.raises(InvalidParams) as wrong:
            await tools.call("small__add", {"a": "x", "b": 1})
        assert wrong.value.pointer == "/params/arguments/a"
        with pytest.raises(ToolError, match="Error executing tool fail"):
            await tools.call("small__fail", {})


async def test_a_cancel_is_told_to_the_server(way: str, notes: Path) -> None:
    heard = asyncio.Event()
    told: list[tuple[float | None, str | None]] = []

    async def progress(done: float | None, line: str | None) -> None:
        told.append((done, line))
        heard.set()

    async with connected(way, notes) as tools:
        call = asyncio.create_task(tools.call("small__wait", {}, ToolContext("run", progress)))
        await until_noted(notes, "begun")
        await heard.wait()
        assert told == [(0.25, "a quarter")]
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until_noted(notes, "cancelled")
        assert await tools.call("small__add", {"a": 1, "b": 1}) == {"result": 2}


async def test_what_takes_too_long_is_cancelled_there_too(notes: Path) -> None:
    async with Tools(mcp={"small": stdio(notes, timeout_s=0.5)}) as tools:
        await tools.prepare(["mcp:small"])
        with pytest.raises(ToolError, match="took longer than"):
            await tools.call("small__wait", {})
        await until_noted(notes, "cancelled")


async def test_a_program_that_dies_is_started_again(notes: Path) -> None:
    async with connected("stdio", notes) as tools:
        with pytest.raises(ToolError, match="'small' went away during the call"):
            await tools.call("small__die", {})
        assert source(tools)["state"] in ("failed", "connecting")
        assert {tool.name for tool in tools.select(["mcp:small"])} == NAMES
        assert await tools.call("small__add", {"a": 2, "b": 2}) == {"result": 4}
        assert source(tools)["state"] == "connected"


async def test_an_http_server_that_was_away_is_found_again(notes: Path) -> None:
    async with over_http(notes) as program, Tools(mcp={"small": McpConfig(url=program.url)}) as tools:
        await tools.prepare(["mcp:small"])
        await program.kill()
        with pytest.raises(ToolError, match="'small'"):
            await tools.call("small__add", {"a": 1, "b": 2})
        with pytest.raises(ToolError, match="'small' is not connected"):
            await tools.call("small__add", {"a": 1, "b": 2})
        assert source(tools)["state"] == "failed"
        await program.start()
        assert await tools.call("small__add", {"a": 1, "b": 2}) == {"result": 3}


async def test_tools_that_come_later_are_offered(way: str, notes: Path) -> None:
    async with connected(way, notes) as tools:
        with pytest.raises(NotFound, match="Tool not found: small__grown"):
            tools.get("small__grown")
        await tools.call("small__grow", {})
        await until(lambda: "small__grown" in [row["name"] for row in tools.rows])
        assert await tools.call("small__grown", {"name": "x"}) == "hello x"


async def test_a_server_that_is_not_there_says_why(tmp_path: Path) -> None:
    servers = {
        "nothing": McpConfig(command=(str(tmp_path / "no-such-program"),)),
        "silent": McpConfig(command=(sys.executable, "-c", "import sys; sys.stdin.read()"), connect_timeout_s=0.3),
        "ends": McpConfig(command=(sys.executable, "-c", "pass")),
        "unset": McpConfig(command=(sys.executable, str(PROGRAM), "stdio"), env_from=("ANTIPHON_TEST_IS_NOT_SET",)),
        "closed": McpConfig(url="http://127.0.0.1:9/mcp?key=sesame"),
    }
    async with Tools(mcp=servers) as tools:
        assert await tools.prepare([f"mcp:{name}" for name in servers]) == []
        errors = {row["name"]: row["error"] for row in tools.sources}
        assert "No such file" in errors["nothing"]
        assert errors["silent"] == "it did not answer in time"
        assert errors["unset"] == "the environment variable ANTIPHON_TEST_IS_NOT_SET is not set"
        assert errors["ends"] == "the connection ended"
        assert errors["closed"]
        assert "sesame" not in str(tools.sources)
        assert await tools.call("calculator", {"expression": "1 + 1"}) == 2


async def test_a_program_sees_only_what_it_is_given(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_TEST_SECRET", "sesame")
    monkeypatch.setenv("ANTIPHON_TEST_SHARED", "shared")
    async with Tools(mcp={"small": stdio(notes, env_from=("ANTIPHON_TEST_SHARED",))}) as tools:
        await tools.prepare(["mcp:small"])
        assert await tools.call("small__variable", {"name": "ANTIPHON_TEST_SECRET"}) == {"result": ""}
        assert await tools.call("small__variable", {"name": "ANTIPHON_TEST_SHARED"}) == {"result": "shared"}


async def test_headers_come_from_the_environment(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_TEST_AUTHORIZATION", "Bearer sesame")
    headers = {"Authorization": "ANTIPHON_TEST_AUTHORIZATION"}
    async with over_http(notes, MCP_TOKEN="Bearer sesame") as program:
        servers = {"known": McpConfig(url=program.url, headers_env=headers), "unknown": McpConfig(url=program.url)}
        async with Tools(mcp=servers) as tools:
            await tools.prepare(["mcp:known", "mcp:unknown"])
            assert await tools.call("known__add", {"a": 1, "b": 2}) == {"result": 3}
            rows = {row["name"]: row for row in tools.sources}
            assert rows["unknown"]["state"] == "failed"
            assert rows["unknown"]["error"]
            assert "sesame" not in str(rows)


async def test_approval_is_asked_for_as_the_settings_say(notes: Path) -> None:
    async with Tools(mcp={"small": stdio(notes, needs_approval=("add",))}) as tools:
        await tools.prepare(["mcp:small"])
        needed = {row["name"] for row in tools.rows if row["needs_approval"]}
        assert needed == {"small__add"}


async def test_all_end_with_us(notes: Path) -> None:
    async with connected("stdio", notes) as tools:
        call = asyncio.create_task(tools.call("small__wait", {}))
        await until_noted(notes, "begun")
    with pytest.raises(ToolError):
        await call
    assert source(tools)["state"] == "stopped"
    with pytest.raises(ToolError, match="it was stopped"):
        await tools.call("small__add", {"a": 1, "b": 2})


def test_names_fit_what_models_take() -> None:
    assert tool_name("files", "read") == "files__read"
    assert tool_name("my.files", "read file") == "my_files__read_file"
    long = [tool_name("files", "x" * 100 + end) for end in ("a", "b")]
    assert len(set(long)) == 2
    assert all(len(name) == 64 for name in long)
