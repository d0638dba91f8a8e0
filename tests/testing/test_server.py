"""What tests of other programs are given: a server, its time, answers, a network that dies."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import antiphon
from antiphon.errors import ConnectionFailed, InvalidParams, SettingsError
from antiphon.testing import MemoryServer


@pytest.fixture
def antiphon_settings() -> Mapping[str, Any]:
    return {"limits.subscriptions": 7}


def ask(prompt: str, **wanted: Any) -> Any:
    with antiphon.connect() as live, live.run("asking") as run:
        return run.ask(prompt, **wanted)


def test_answers_are_given_in_the_order_in_which_they_were_promised(antiphon_server: MemoryServer) -> None:
    first = antiphon_server.answer_next("one", by="ann")
    second = antiphon_server.answer_next("two")
    assert [ask("First?"), ask("Second?")] == ["one", "two"]
    assert (first.result()["prompt"], first.result()["by"]) == ("First?", "ann")
    assert (second.result()["prompt"], second.result()["by"]) == ("Second?", "tester")


def test_an_open_question_can_be_answered_too(antiphon_server: MemoryServer) -> None:
    asked = threading.Event()
    antiphon_server.when_asked(lambda _: asked.set())
    with ThreadPoolExecutor(1) as other:
        asking = other.submit(ask, "Well?", options=["yes", "no"])
        assert asked.wait(10)
        antiphon_server.answer_next("no")
        assert asking.result(10) == "no"


def test_an_answer_that_does_not_fit_is_told_to_the_test(antiphon_server: MemoryServer) -> None:
    wrong, right = antiphon_server.answer_next("maybe"), antiphon_server.answer_next("yes")
    assert ask("Well?", options=["yes", "no"]) == "yes"
    with pytest.raises(InvalidParams):
        wrong.result()
    assert right.result()["answer"] == "yes"


def test_nobody_asks(antiphon_server: MemoryServer) -> None:
    with pytest.raises(TimeoutError):
        antiphon_server.answer_next("yes").result(timeout_s=0)


def test_deadlines_pass_when_the_test_says_so(antiphon_server: MemoryServer) -> None:
    before = antiphon_server.now()
    antiphon_server.when_asked(lambda _: antiphon_server.advance(7200))
    assert ask("Well?", timeout_s=7200, default="as planned") == "as planned"
    assert antiphon_server.now() == before + 7200


async def test_beside_an_event_loop(antiphon_server: MemoryServer) -> None:
    answering = antiphon_server.answer_next(action="approve", by="ann")
    async with antiphon.connect() as live, live.run("deploy") as run:
        approval = await run.approve("Deploy?", {"version": 3})
    assert (approval.value, approval.by) == ({"version": 3}, "ann")
    assert (await answering)["status"] == "answered"


async def test_a_dying_network_is_survived(antiphon_server: MemoryServer) -> None:
    seen: list[str] = []

    def on_status(status: Any) -> None:
        seen.append(status.phase)

    async with antiphon.connect(on_status=on_status) as live, live.subscribe("news:tea", after="start") as items:
        await live.publish("news:tea", "speech", 1)
        assert antiphon_server.drop_connection() == 1
        await live.publish("news:tea", "speech", 2)
        heard = []
        async for item in items:
            heard += [item.data] if isinstance(item, antiphon.Event) else []
            if heard[-1:] == [2]:
                break
    assert heard == [1, 2]
    assert seen.count("live") == 2
    assert antiphon_server.drop_connection() in (0, 1)  # the last one may still be leaving


async def test_functions_can_be_started(antiphon_server: MemoryServer) -> None:
    async def double(run: Any, number: int) -> int:
        return number * 2

    antiphon_server.runnable("double", double)
    async with antiphon.connect() as live:
        started = await live.request("run.start", {"name": "double", "input": {"number": 21}})
        found = await live.request("run.result", {"run_id": started["run_id"]})
    assert found["result"] == 42


def test_settings_can_be_set(antiphon_server: MemoryServer, tmp_path: Path) -> None:
    assert antiphon_server.url == os.environ["ANTIPHON_URL"]
    assert antiphon_server._settings.limits.subscriptions == 7
    with pytest.raises(SettingsError):
        MemoryServer(tmp_path, settings={"limits.colours": 3})


def test_servers_live_beside_and_after_one_another(antiphon_server: MemoryServer, tmp_path: Path) -> None:
    with MemoryServer(tmp_path / "other") as other:
        assert other.url != antiphon_server.url
        with antiphon.connect(other.url) as live:
            live.publish("news:tea", "speech", 1)
        with antiphon.connect() as live:
            assert live.history("news:tea").events == ()
    with pytest.raises(ConnectionFailed):
        antiphon.connect(other.url, first_connection_s=0).__enter__()
    assert not other._thread.is_alive()
    with pytest.raises(RuntimeError):
        other.answer_next("yes")


def test_what_a_caller_raises_fails_the_test(tmp_path: Path) -> None:
    def wrong(_: dict[str, Any]) -> None:
        raise AssertionError("not what was to be asked")

    server = MemoryServer(tmp_path).__enter__()
    server.when_asked(wrong)
    server.answer_next("yes")
    with antiphon.connect(server.url) as live, live.run("asking") as run:
        run.ask("Well?")
    with pytest.raises(AssertionError, match="not what was to be asked"):
        server.__exit__(None, None, None)


async def test_promises_that_are_not_kept_end_with_the_server(tmp_path: Path) -> None:
    with MemoryServer(tmp_path) as server:
        answering = server.answer_next("yes")
    with pytest.raises(asyncio.CancelledError):
        await answering


def test_nothing_of_it_is_loaded_otherwise(tmp_path: Path) -> None:
    foreign = ("antiphon.testing", "pytest", "_pytest")
    code = f"import sys, antiphon.server.app; print([name for name in sys.modules if name.startswith({foreign!r})])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
