"""Threads over the end of a server, also one that was killed in the middle of an answer."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.agents.kit import PATIENCE_S, life_on, script
from tests.agents.model_server import ModelServer

from antiphon.brokers.sqlite import SqliteBroker

ROOT = Path(__file__).resolve().parents[2]


def store(directory: Path) -> SqliteBroker:
    broker = SqliteBroker(directory)
    broker.open()
    return broker


async def killed(directory: Path, models: ModelServer) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.agents.dying", str(directory), str(models.port),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        assert await program.stdout.readline() == b"now\n"
        program.kill()
        await program.wait()


async def test_after_a_kill_the_thread_goes_on_from_what_people_saw(tmp_path: Path, models: ModelServer) -> None:
    await killed(tmp_path, models)
    async with life_on(store(tmp_path), models) as life:
        assert [(await life.ended(run_id))["status"] for run_id in ("r1", "r2", "r3")] == ["succeeded", "lost", "lost"]
        row = (await life.table())["t"]
        assert (row["running"], row["queued"], row["runs"]) == (None, [], 3)
        await life.asked("r4", "Go on.")
        roles = [(message["role"], message["content"]) for message in models.requests[-1].messages]
        assert roles[:2] == [("user", "My name is Ann."), ("assistant", "You said: My name is Ann.")]
        assert roles[2][0] == "user"
        assert roles[3] == ("assistant", "Half of it")
        assert roles[4:] == [("user", "Go on.")]
    async with asyncio.timeout(PATIENCE_S):
        await models.requests[1].over.wait()
    assert models.requests[1].closed_by == "client"


async def test_after_a_stop_the_thread_goes_on(tmp_path: Path, models: ModelServer) -> None:
    async with life_on(store(tmp_path), models) as life:
        await life.asked("r1", "My name is Ann.")
        await life.ask("r2", script([{"text": "Half of it", "size": 4}, {"wait": "never"}]))
        await models.until(2, chunks=4)
    async with life_on(store(tmp_path), models) as life:
        row = life.runs.rows["r2"]
        assert (row["status"], row["reason"]) == ("lost", "the server was stopped")
        await life.asked("r3", "Go on.")
        contents = [message["content"] for message in models.requests[-1].messages]
        assert contents[:2] == ["My name is Ann.", "You said: My name is Ann."]
        assert "Half of it".startswith(contents[3])
        assert contents[-1] == "Go on."
        row = (await life.table())["t"]
        assert (row["running"], row["queued"], row["runs"]) == (None, [], 3)


async def test_forks_and_titles_are_kept(tmp_path: Path, models: ModelServer) -> None:
    async with life_on(store(tmp_path), models) as life:
        await life.asked("r1", "One")
        await life.asked("r2", "Two")
        row = await life.agents.fork("t", "r1", by="bob")
        await life.agents.rename("t", "Tea")
    async with life_on(store(tmp_path), models) as life:
        assert life.agents.thread("t")["title"] == "Tea"
        assert life.agents.thread(row["thread_id"]) == row
        await life.asked("r3", "Three", row["thread_id"])
        users = [message["content"] for message in models.requests[-1].messages if message["role"] == "user"]
        assert users == ["One", "Three"]
