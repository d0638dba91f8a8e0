"""Python functions as tools: their schemas, what they are given, and that a cancel really ends them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.tools import functions

from antiphon.errors import ConflictError, InvalidParams, NotFound, ToolError
from antiphon.services.tools import Tool, ToolContext, Tools

DEADLINE_S = 20
SERVER = """
import asyncio, sys
from tests.tools import functions
from antiphon.services.tools import Tool, Tools

async def main():
    async with Tools() as tools:
        tools.register(Tool.from_function(functions.sleep_for_ever))
        await tools.call("sleep_for_ever", {"file": sys.argv[1]})

asyncio.run(main())
"""


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    async with Tools() as found:
        yield found


def offer(tools: Tools, function: Any, **options: Any) -> Tool:
    tool = Tool.from_function(function, **options)
    tools.register(tool)
    return tool


async def processes(file: Path) -> list[psutil.Process]:
    """Those that `sleep_for_ever` said."""
    async with asyncio.timeout(DEADLINE_S):
        while not file.exists():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.02)
    return [psutil.Process(int(pid)) for pid in file.read_text().split()]  # noqa: ASYNC240


async def are_gone(found: list[psutil.Process]) -> None:
    """Wait until none of them runs; a child that init has not yet collected does not."""
    async with asyncio.timeout(DEADLINE_S):
        while any(map(_runs, found)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# What a model is told


def test_the_schema_is_that_of_the_signature() -> None:
    tool = Tool.from_function(functions.weather)
    assert (tool.name, tool.description) == ("weather", "Tell the weather.\n\nIt is always fine.")
    assert (tool.source, tool.needs_approval, tool.timeout_s) == ("python", False, 60)
    assert tool.parameters["required"] == ["place", "day"]
    assert tool.parameters["additionalProperties"] is False
    found = tool.parameters["properties"]
    assert found["place"]["description"] == "Where, with its country."
    assert found["day"] == {"type": "string", "format": "date", "description": "When."}
    assert found["unit"] == {"type": "string", "enum": ["C", "F"], "default": "C", "description": "Which degrees."}
    assert found["detail"] == {"type": "integer", "minimum": 1, "default": 1}


def test_other_docstrings_are_read_too() -> None:
    tool = Tool.from_function(functions.fields, name="other", timeout_s=None)
    assert (tool.name, tool.description) == ("other", "Short.")
    assert tool.parameters["properties"]["n"]["description"] == "a number"
    assert tool.parameters["properties"]["name"]["description"] == "a name"
    assert Tool.from_function(functions.fail).description == ""
    assert Tool.from_function(functions.fail, description="mine").description == "mine"


def test_what_cannot_be_a_tool_says_why() -> None:
    def positional(a: int, /) -> int:
        return a

    async def gathered(*names: str) -> None: ...

    async def unknown(a: "NoSuchName") -> None: ...  # type: ignore[name-defined]  # noqa: F821, UP037

    async def unfit(a: threading.Event) -> None: ...

    with pytest.raises(TypeError, match="'a' cannot be given by name"):
        Tool.from_function(positional, in_process=True)
    with pytest.raises(TypeError, match="'names' cannot be given by name"):
        Tool.from_function(gathered)
    for function in (unknown, unfit):
        with pytest.raises(TypeError, match="cannot be read"):
            Tool.from_function(function)
    with pytest.raises(TypeError, match="top level of a module"):
        Tool.from_function(lambda: 1)


# Calls


async def test_a_function_runs_in_a_process_of_its_own(tools: Tools) -> None:
    offer(tools, functions.weather)
    given = {"place": {"city": "Ulm"}, "day": "2026-02-03", "detail": 2}
    assert await tools.call("weather", given) == "Place Ulm DE 03.02.2026 C 2"


async def test_a_decorated_function_is_found_too(tools: Tools) -> None:
    (tool,) = functions.DECORATED
    tools.register(tool)
    assert await tools.call("decorated", {"n": 1}) == 2


async def test_its_output_and_input_are_not_ours(tools: Tools) -> None:
    offer(tools, functions.read_stdin)
    offer(tools, functions.environment)
    offer(tools, functions.large)
    assert await tools.call("read_stdin", {}) == ""
    assert "tools" not in (await tools.call("environment", {}))[:1]  # the worker's folder hides no modules
    assert len(await tools.call("large", {"n": 1_000_000})) == 1_000_000


async def test_an_async_function_is_awaited_here(tools: Tools) -> None:
    told: list[tuple[float | None, str | None]] = []

    async def progress(done: float | None, line: str | None) -> None:
        told.append((done, line))

    async def here(context: ToolContext, n: int = 3) -> dict[str, Any]:
        await context.progress(0.5, "half")
        return {"run": context.run_id, "n": n, "pid": os.getpid()}

    tool = offer(tools, here)
    assert list(tool.parameters["properties"]) == ["n"]
    found = await tools.call("here", {}, ToolContext("r1", progress))
    assert found == {"run": "r1", "n": 3, "pid": os.getpid()}
    assert told == [(0.5, "half")]


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ({"place": {"city": "Ulm"}}, "/params/arguments/day"),
        ({"place": {"city": 3}, "day": "2026-02-03"}, "/params/arguments/place/city"),
        ({"place": {"city": "Ulm"}, "day": "tomorrow"}, "/params/arguments/day"),
        ({"place": {"city": "Ulm"}, "day": "2026-02-03", "unit": "K"}, "/params/arguments/unit"),
        ({"place": {"city": "Ulm"}, "day": "2026-02-03", "more": 1}, "/params/arguments"),
    ],
)
async def test_arguments_that_do_not_fit_are_pointed_at(tools: Tools, arguments: dict[str, Any], pointer: str) -> None:
    offer(tools, functions.weather)
    with pytest.raises(InvalidParams) as wrong:
        await tools.call("weather", arguments)
    assert wrong.value.pointer == pointer


async def test_what_goes_wrong_is_told_in_a_sentence(tools: Tools) -> None:
    async def broken() -> None:
        raise LookupError("nothing there")

    async def clear() -> None:
        raise ToolError("Ask for something else")

    for function in (functions.fail, functions.die, functions.unsendable, functions.no_json, broken, clear):
        offer(tools, function)
    expected = {
        "fail": "LookupError: no luck",
        "die": "The tool's process ended without an answer",
        "unsendable": "TypeError: cannot pickle",
        "no_json": "no_json gave no JSON",
        "broken": "broken failed: LookupError: nothing there",
        "clear": "Ask for something else",
    }
    for name, sentence in expected.items():
        with pytest.raises(ToolError) as failed:
            await tools.call(name, {"why": "no luck"} if name == "fail" else {})
        assert failed.value.message.startswith(sentence)


# Ends


async def test_a_cancelled_function_is_dead_with_its_children(tools: Tools, tmp_path: Path) -> None:
    offer(tools, functions.sleep_for_ever)
    call = asyncio.create_task(tools.call("sleep_for_ever", {"file": str(tmp_path / "pids")}))
    found = await processes(tmp_path / "pids")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not found[0].is_running()  # not a moment later
    await are_gone(found)
    assert tools.draining == []


async def test_one_that_takes_too_long_is_dead_too(tools: Tools, tmp_path: Path) -> None:
    offer(tools, functions.sleep_for_ever, timeout_s=2)
    call = asyncio.create_task(tools.call("sleep_for_ever", {"file": str(tmp_path / "pids")}))
    found = await processes(tmp_path / "pids")
    with pytest.raises(ToolError, match="sleep_for_ever took longer than 2 seconds"):
        await call
    await are_gone(found)


async def test_nothing_outlives_a_server_that_was_killed(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, str(tmp_path / "pids"))
    found = await processes(tmp_path / "pids")
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await are_gone(found)


async def test_a_thread_that_cannot_be_stopped_is_said_to_drain(tools: Tools) -> None:
    begun, go_on, told = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def stubborn(n: int) -> int:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(DEADLINE_S)
        return n

    offer(tools, stubborn, in_process=True)
    call = asyncio.create_task(tools.call("stubborn", {"n": 1}, ToolContext("r1", draining=told.append)))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert tools.draining == [{"name": "stubborn", "run_id": "r1"}]
    go_on.set()
    assert await told[0] == 1
    assert tools.draining == []


async def test_a_thread_answers_and_fails_like_all_others(tools: Tools) -> None:
    def half(n: int) -> float:
        return n / 0 if n == 0 else n / 2

    offer(tools, half, in_process=True)
    assert await tools.call("half", {"n": 3}) == 1.5
    with pytest.raises(ToolError, match="half failed: ZeroDivisionError"):
        await tools.call("half", {"n": 0})


# The registry


async def test_names_are_given_once(tools: Tools) -> None:
    offer(tools, functions.fields)
    with pytest.raises(ConflictError, match="'fields'"):
        offer(tools, functions.fields)
    with pytest.raises(InvalidParams):
        offer(tools, functions.fail, name="no name")
    with pytest.raises(NotFound, match=r"^Tool not found: nothing$"):
        await tools.call("nothing", {})
    with pytest.raises(NotFound, match=r"^Tool not found: mcp:nothing$"):
        tools.select(["mcp:nothing"])


async def test_tools_are_selected_by_patterns(tools: Tools) -> None:
    offer(tools, functions.fields, needs_approval=True)
    assert [tool.name for tool in tools.select(["fields", "clock", "fields"])] == ["fields", "clock"]
    assert {tool.name for tool in tools.select(["*"])} == {"calculator", "clock", "fields"}
    assert await tools.prepare(["fields"]) == tools.select(["fields"])
    (row,) = [row for row in tools.rows if row["name"] == "fields"]
    assert row == {**tools.get("fields").row(), "needs_approval": True, "source": "python"}
    assert [row["name"] for row in tools.rows] == ["calculator", "clock", "fields"]
