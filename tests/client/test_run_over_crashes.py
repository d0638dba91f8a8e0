"""A run in another process, while the server is killed and the network is cut: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.client.cable import Cable
from tests.client.stories import story, whole_history
from tests.live.real_server import RealServer

import antiphon
from antiphon import AsyncLive, Event
from antiphon.errors import LeaseLost

AGENT = Path(__file__).with_name("scripted_agent.py")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RealServer]:
    found = RealServer(tmp_path / "data")
    await found.start()
    yield found
    await found.kill()


@asynccontextmanager
async def agent(url: str, run_id: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The scripted agent in a process of its own; its run is open."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, AGENT, run_id, env={**os.environ, "ANTIPHON_URL": url}, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"open\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(live: AsyncLive, run_id: str, condition: Callable[[Event], bool]) -> None:
    """Follow a run until something has been said in it."""
    async for item in live.subscribe(f"run:{run_id}", after="start"):
        if isinstance(item, Event) and condition(item):
            return


def word(number: int) -> Callable[[Event], bool]:
    return lambda event: event.type == "message.append" and f"word-{number} " in event.data["delta"]


def argument(number: int) -> Callable[[Event], bool]:
    return lambda event: event.type == "tool.args" and f"{number}," in event.data["delta"]


async def uncut(server: RealServer) -> dict[str, Any]:
    async with antiphon.connect(server.url) as live, agent(server.url, "uncut") as process:
        assert await process.wait() == 0
        return await story(live, "uncut")


@pytest.mark.slow
async def test_a_killed_server_changes_nothing_of_what_was_said(server: RealServer) -> None:
    expected = await uncut(server)
    async with antiphon.connect(server.url) as live, agent(server.url, "cut") as process:
        for moment in (word(100), word(250), argument(100), argument(300)):
            await until(live, "cut", moment)
            await server.kill()
            await server.start()
        assert await process.wait() == 0
        assert await story(live, "cut") == expected
        assert (await live.get_run("cut")).run.status == "succeeded"


@pytest.mark.slow
async def test_cuts_of_the_network_change_nothing_of_what_was_said(server: RealServer) -> None:
    expected = await uncut(server)
    async with (
        Cable(server.port) as cable,
        antiphon.connect(server.url) as live,
        agent(cable.url, "cut") as process,
    ):
        for moment in (word(50), word(200), argument(50), argument(200)):
            await until(live, "cut", moment)
            cable.cut()
            await live.request("ping")
            cable.mend()
        assert await process.wait() == 0
        assert await story(live, "cut") == expected


async def test_a_killed_agent_loses_its_run_within_its_lease(server: RealServer) -> None:
    async with antiphon.connect(server.url) as live, agent(server.url, "lost") as process:
        await until(live, "lost", word(20))
        process.kill()
        ended = await live.run_result("lost", timeout_s=30)
        assert ended.status == "lost"
        events = await whole_history(live, "run:lost")
        closed = [event.data["status"] for event in events if event.type == "message.close"]
        assert (closed, events[-1].type) == (["failed"], "run.lost")


async def test_a_zombie_cannot_write_and_learns_that_it_lost_its_run(server: RealServer) -> None:
    """Its network was away for longer than its lease."""
    seen: list[str] = []

    async def haunt(owner: AsyncLive, cable: Cable, live: AsyncLive) -> None:
        async with owner.run("zombie", run_id="zombie", lease_s=2) as run:
            await run.log("alive")
            await until(live, "zombie", lambda event: event.type == "log")
            cable.cut()
            await run.log("from the grave")
            assert (await live.run_result("zombie", timeout_s=30)).status == "lost"
            cable.mend()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

    async with Cable(server.port) as cable, antiphon.connect(server.url) as live:
        async with antiphon.connect(cable.url) as owner:
            with pytest.raises(antiphon.RunLost) as lost:
                await haunt(owner, cable, live)
            assert isinstance(lost.value, LeaseLost)
        assert seen == ["cancelled"]
        events = await whole_history(live, "run:zombie")
        assert [event.data["text"] for event in events if event.type == "log"] == ["alive"]
        assert events[-1].type == "run.lost"


async def test_a_question_is_answered_while_its_asker_is_away(server: RealServer) -> None:
    async with Cable(server.port) as cable, antiphon.connect(server.url) as live:
        async with antiphon.connect(cable.url) as owner, owner.run("asking", run_id="asking") as run:
            asking = asyncio.create_task(run.ask("Tea?", options=["green", "black"]))
            await until(live, "asking", lambda event: event.type == "question.asked")
            cable.cut()
            (question,) = await live.questions(run_id="asking")
            await live.answer(question.question_id, "green")
            cable.mend()
            assert await asking == "green"
        assert (await live.get_run("asking")).run.status == "succeeded"


async def test_a_question_outlives_the_server(server: RealServer) -> None:
    async with antiphon.connect(server.url) as live, live.run("asking", run_id="asking") as run:
        asking = asyncio.create_task(run.ask("Tea?", kind="text"))
        async with antiphon.connect(server.url) as other:
            await until(other, "asking", lambda event: event.type == "question.asked")
            await server.kill()
            await server.start()
            (question,) = await other.questions(run_id="asking")
            await other.answer(question.question_id, "yes please")
            assert await asking == "yes please"
