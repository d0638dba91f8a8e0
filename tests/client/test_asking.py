"""`live.agents`, `live.tools` and answers as they grow, against a real server; here plain functions are asked."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import antiphon
from antiphon import Event, Gap, Run
from antiphon.client import Message
from antiphon.client.agents import Agents, BlockingAgents, BlockingThreads, BlockingTools, Threads, Tools
from antiphon.client.agents.text import AnswerText
from antiphon.errors import InvalidParams, NotFound
from antiphon.testing import MemoryServer

NOW = datetime.now(UTC)


async def scribe(run: Run, prompt: str, model: str = "none", if_busy: str = "queue") -> dict[str, str]:
    async with run.message(role="user") as message:
        await message.append(prompt)
    async with run.message(role="reasoning") as message:
        await message.append("hm")
    async with run.message() as message:
        for word in ("One ", "moment."):
            await message.append(word)
    async with run.tool("look", {"at": prompt}) as tool:
        await tool.result("seen")
    async with run.message() as message:
        await message.append("Here it is.")
    return {"prompt": prompt, "model": model, "if_busy": if_busy}


async def waiter(run: Run, prompt: str) -> str:
    async with run.message() as message:
        await message.append(f"{prompt}: I wait")
    await asyncio.Event().wait()
    raise AssertionError


async def breaker(run: Run, prompt: str) -> str:
    raise RuntimeError(prompt)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MemoryServer]:
    with MemoryServer(tmp_path) as found:
        for function in (scribe, waiter, breaker):
            found.runnable(function.__name__, function)
        yield found


async def test_the_text_comes_with_a_line_between_messages_and_nothing_else(server: MemoryServer) -> None:
    async with antiphon.connect(server.url) as live:
        async with live.agents.ask("scribe", "tea?", model="small", if_busy="reject", labels={"a": "b"}) as answer:
            text = "".join([piece async for piece in answer])
            assert await answer.take() == ""
        assert text == "One moment.\n\nHere it is."
        found = await answer.result()
        assert (found.status, found.result) == ("succeeded", {"prompt": "tea?", "model": "small", "if_busy": "reject"})
        assert answer.run.labels == {"a": "b"}
        assert (await live.get_run(answer.run_id)).run.status == "succeeded"


async def test_the_result_alone_asks_once(server: MemoryServer) -> None:
    async with antiphon.connect(server.url) as live:
        answer = live.agents.ask("scribe", {"prompt": "tea?"}, thread_id=live.threads.new_id())
        assert (await answer.result()).status == "succeeded"
        assert (await answer.result()).status == "succeeded"
        assert [row.run_id for row in (await live.runs()).runs] == [answer.run_id]
        assert answer.run.thread_id is not None
        again = live.agents.ask("scribe", "tea?", run_id=answer.run_id)
        assert (await again.result()).result["prompt"] == "tea?"


async def test_leaving_leaves_it_at_work_and_cancel_ends_it(server: MemoryServer) -> None:
    async with antiphon.connect(server.url) as live:
        async with live.agents.ask("waiter", "you") as answer:
            assert await answer.take() == "you: I wait"
        assert (await answer.result(timeout_s=0)).status == "running"
        assert (await answer.cancel("enough")).status in ("cancelling", "cancelled")
        assert (await answer.result()).status == "cancelled"
        async with live.agents.ask("waiter", "you") as answer:
            pieces = []
            async for piece in answer:
                pieces.append(piece)  # cancelled in between
                await answer.cancel()
            assert pieces == ["you: I wait"]


async def test_a_failure_is_told(server: MemoryServer) -> None:
    async with antiphon.connect(server.url) as live:
        async with live.agents.ask("breaker", "no tea") as answer:
            assert [piece async for piece in answer] == []
        found = await answer.result()
        assert found.status == "failed"
        assert found.error is not None
        assert found.error["message"] == "no tea"
        with pytest.raises(NotFound):
            await live.agents.ask("nobody", "?").result()
        with pytest.raises(InvalidParams):
            async with live.agents.ask("scribe", {"prompt": 5}):
                pass
        with pytest.raises(RuntimeError):
            await live.agents.ask("scribe", "?").take()


async def test_an_answer_goes_on_over_a_lost_connection(server: MemoryServer) -> None:
    async with antiphon.connect(server.url) as live, live.agents.ask("waiter", "a") as answer:
        assert await answer.take() == "a: I wait"
        await asyncio.to_thread(server.drop_connection)
        await answer.cancel()
        assert await answer.take() == ""


async def test_tools_are_listed_and_called(server: MemoryServer) -> None:
    async with antiphon.connect(server.url) as live:
        tools = {tool.name: tool for tool in await live.tools.list()}
        assert {"calculator", "clock"} <= tools.keys()
        assert tools["calculator"].parameters["type"] == "object"
        (argument,) = tools["calculator"].parameters["required"]
        assert await live.tools.call("calculator", {argument: "6 * 7"}) == 42
        with pytest.raises(NotFound, match="Tool not found: nothing"):
            await live.tools.call("nothing")
        with pytest.raises(InvalidParams) as wrong:
            await live.tools.call("calculator", {argument: 5})
        assert wrong.value.pointer == f"/params/arguments/{argument}"


def test_the_same_without_an_event_loop(server: MemoryServer) -> None:
    with antiphon.connect(server.url) as live:
        with live.agents.ask("scribe", "tea?", thread_id=live.threads.new_id()) as answer:
            assert "".join(answer) == "One moment.\n\nHere it is."
        assert answer.result().status == "succeeded"
        assert answer.run.run_id == answer.run_id
        with live.agents.ask("waiter", "you") as answer:
            assert next(iter(answer)) == "you: I wait"
            answer.cancel()
            assert "".join(answer) == ""
        assert {"calculator", "clock"} <= {tool.name for tool in live.tools.list()}


@pytest.mark.parametrize(
    ("mine", "theirs"), [(BlockingAgents, Agents), (BlockingThreads, Threads), (BlockingTools, Tools)]
)
def test_both_faces_have_the_same_names_and_parameters(mine: type, theirs: type) -> None:
    def public(face: type) -> list[str]:
        return [name for name in dir(face) if not name.startswith("_")]

    assert public(mine) == public(theirs)
    for name in public(mine):
        assert inspect.signature(getattr(mine, name)) == inspect.signature(getattr(theirs, name))


def event(number: int, kind: str, **data: str) -> Event:
    return Event("run:1", number, kind, data, NOW, None, "one")


def gap(first: int, last: int, *messages: Message) -> Gap:
    return Gap("run:1", "one", first, last, "retention", None, messages)


def test_what_retention_took_is_continued_from_the_text_so_far() -> None:
    text = AnswerText()
    taken = [
        event(1, "message.open", message_id="m", role="assistant"),
        event(2, "message.append", message_id="m", delta="One "),
        Gap(
            "run:1", "one", 3, 7, "retention", None, (Message("m", "assistant", "One two "), Message("u", "user", "?"))
        ),
        event(8, "message.append", message_id="m", delta="three"),
        event(9, "message.append", message_id="u", delta="never shown"),
        gap(10, 20, Message("n", "assistant", "Next")),
        event(21, "run.cancelled"),
    ]
    assert [text.take(item) for item in taken] == ["", "One ", "two ", "three", "", "\n\nNext", ""]
    assert text.has_ended
