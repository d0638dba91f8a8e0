"""The examples of the adapters run as they are, and go on once somebody has answered."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.client.stories import story

import antiphon
from antiphon.testing import MemoryServer

FOLDER = Path(__file__).parents[2] / "examples" / "adapters"
PATIENCE_S = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MemoryServer]:
    with MemoryServer(tmp_path / "data") as server:
        yield server


@pytest.mark.parametrize(
    ("program", "answer", "action", "result", "text"),
    [
        ("langgraph_tea.py", "send", None, "send", "We have Assam, **5 EUR** for 100 g, from tomorrow on."),
        ("openai_agents_tea.py", None, "approve", "The tea is ordered.", "The tea is ordered."),
        ("pydantic_ai_tea.py", None, "approve", *2 * ["That is it: paid 5 EUR to the tea shop "]),
    ],
)
async def test_an_example_asks_and_goes_on(
    server: MemoryServer, program: str, answer: Any, action: Any, result: str, text: str
) -> None:
    asked = server.answer_next(answer, action=action)
    process = await asyncio.create_subprocess_exec(
        sys.executable, FOLDER / program, env={**os.environ, "ANTIPHON_URL": server.url}
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    async with antiphon.connect(server.url) as live:
        told = await story(live, (await asked)["run_id"])
    assert told["outcome"] == ("run.succeeded", {"result": result})
    assert ["assistant", text, "completed"] in told["texts"]
