"""The model server of the tests, as a program, and what it tells about its requests."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

ROOT = Path(__file__).resolve().parents[2]


class Models(NamedTuple):
    """Where it is."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def requests(self) -> list[dict[str, Any]]:
        """All that it was asked."""
        async with httpx2.AsyncClient() as client:
            found: list[dict[str, Any]] = (await client.get(f"http://127.0.0.1:{self.port}/control/requests")).json()
            return found


@asynccontextmanager
async def model_server() -> AsyncIterator[Models]:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.agents.model_server",
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        yield Models(int(await program.stdout.readline()))
    finally:
        program.stdin.close()
        await program.wait()


def script(*rounds: list[dict[str, Any]], run_id: str = "") -> str:
    """A prompt that tells the model server what to say; `run_id` makes its requests known again."""
    return json.dumps({"run": run_id, "rounds": rounds})
