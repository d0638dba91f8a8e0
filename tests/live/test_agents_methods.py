"""Agents, threads and tools over real sockets and REST, with a model server that does as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.agents.model_server import ModelServer
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.running import until_row, until_run
from tests.live.workspace import serving

from antiphon.server.auth import new_token

WAIT = [{"text": "Hold on."}, {"wait": "gate"}]
ANN = new_token(
    "ann",
    ["control run:assistant", "read run:*", "read threads", "read thread:*", "control thread:*", "control tool:clock"],
)
BOB = new_token("bob", ["control run:tea", "read thread:open"])


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def server(tmp_path: Path, sockets: str, models: ModelServer) -> AsyncIterator[RealServer]:
    tables = {
        "model.told": {"name": "told", "base_url": models.url},
        "agent.assistant": {"title": "Assistant"},
        "agent.obedient": {"model": "told", "models": ["offline"], "needs_approval": ["calculator"]},
    }
    async with serving(tmp_path, tables) as found:
        yield found


@pytest.fixture
async def rpc(server: RealServer) -> AsyncIterator[Rpc]:
    async with Rpc.connect(server.live) as found:
        yield found


@pytest.fixture
async def simple(shared: RealServer) -> AsyncIterator[Rpc]:
    """Of a server without settings, for what leaves nothing behind."""
    async with Rpc.connect(shared.live) as found:
        yield found


@pytest.fixture
async def simple_api(shared: RealServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"{shared.url}/api", timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
async def api(server: RealServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"{server.url}/api", timeout=DEADLINE_S) as client:
        yield client


def script(*rounds: list[dict[str, Any]]) -> str:
    return json.dumps({"rounds": rounds})


async def ask(rpc: Rpc, question: Any, *, name: str = "obedient", thread_id: str | None = "t", **fields: Any) -> str:
    given = {"name": name, "input": question, **fields}
    if thread_id is not None:
        given["thread_id"] = thread_id
    return str((await rpc.call("run.start", **given))["run_id"])


async def answered(rpc: Rpc, run_id: str) -> dict[str, Any]:
    return dict(await rpc.call("run.result", run_id=run_id))


async def test_what_there_is(rpc: Rpc, api: httpx2.AsyncClient) -> None:
    assert {"agents", "tools"} <= set((await rpc.next("welcome"))["features"])
    listed = await rpc.call("agent.list")
    assert listed == (await api.get("/agents")).json()
    rows = {row["name"]: row for row in listed["agents"]}
    assert rows.keys() == {"assistant", "obedient"}
    assert (rows["assistant"]["title"], rows["assistant"]["is_offline"]) == ("Assistant", True)
    assert (rows["obedient"]["model"], rows["obedient"]["models"]) == ("told", ["told", "offline"])
    assert {"title", "description", "tools", "if_busy", "on_disconnect", "source", "problem"} <= rows[
        "assistant"
    ].keys()
    needed = {tool["name"]: tool["needs_approval"] for tool in rows["obedient"]["tools"]}
    assert needed == {"calculator": True, "clock": False}
    tools = await rpc.call("tool.list")
    assert tools == (await api.get("/tools")).json()
    assert [tool["name"] for tool in tools["tools"]] == ["calculator", "clock"]
    assert {"assistant", "obedient"} <= set((await rpc.call("run.list"))["names"])


async def test_a_thread_remembers_and_is_listed(rpc: Rpc, api: httpx2.AsyncClient, models: ModelServer) -> None:
    first = await ask(rpc, "One", thread_id="tea.1~x")
    assert (await answered(rpc, first))["result"] == "You said: One"
    second = await ask(rpc, {"prompt": "Two"}, thread_id="tea.1~x")
    await answered(rpc, second)
    told = [message["content"] for message in models.requests[-1].messages if message["role"] != "system"]
    assert told == ["One", "You said: One", "Two"]
    found = await rpc.call("thread.get", thread_id="tea.1~x")
    assert found == (await api.get("/threads/tea.1~x")).json()
    assert [run["run_id"] for run in found["runs"]] == [first, second]
    assert (found["thread"]["title"], found["thread"]["agent"], found["thread"]["runs"]) == ("One", "obedient", 2)
    assert (found["thread"]["by"], found["thread"]["running"], found["thread"]["queued"]) == ("local", None, [])
    assert found["thread"]["usage"]["total_tokens"] == 36
    alone = await ask(rpc, "Three", thread_id=None)
    await answered(rpc, alone)
    assert [message["role"] for message in models.requests[-1].messages if message["role"] != "system"] == ["user"]
    await answered(rpc, await ask(rpc, "Four", thread_id="other", name="assistant"))
    rows = (await rpc.call("thread.list"))["threads"]
    assert [row["thread_id"] for row in rows] == ["other", "tea.1~x"]
    assert (await rpc.call("state", channel="threads"))["value"].keys() == {"other", "tea.1~x"}
    assert (await rpc.call("thread.list", limit=1))["threads"] == rows[:1]
    assert (await rpc.call("thread.list", before="other"))["threads"] == rows[1:]
    assert (await api.get("/threads", params={"agent": "obedient"})).json()["threads"] == rows[1:]


async def test_fork_rename_delete(rpc: Rpc, api: httpx2.AsyncClient, models: ModelServer) -> None:
    first, second = await ask(rpc, "One"), await ask(rpc, "Two")
    await answered(rpc, second)
    forked = await api.post("/threads/t/fork", json={"run_id": first})
    assert forked.status_code == 201
    fork = forked.json()["thread"]
    assert fork["forked_from"] == {"thread_id": "t", "run_id": first}
    await answered(rpc, await ask(rpc, "Other two", thread_id=fork["thread_id"]))
    told = [message["content"] for message in models.requests[-1].messages if message["role"] != "system"]
    assert told == ["One", "You said: One", "Other two"]
    assert (await rpc.call("thread.fork", thread_id="t"))["thread"]["forked_from"]["run_id"] == second
    assert (await rpc.call("thread.rename", thread_id="t", title="Tea"))["thread"]["title"] == "Tea"
    assert (await api.post("/threads/t", json={"title": "Green tea"})).json()["thread"]["title"] == "Green tea"
    assert (await api.delete("/threads/t")).json() == {}
    gone = await api.get("/threads/t")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert (await rpc.refused("thread.delete", thread_id="t"))["data"]["code"] == "not_found"
    assert (await rpc.call("run.get", run_id=first))["run"]["status"] == "succeeded"
    assert await rpc.call("thread.delete", thread_id=fork["thread_id"]) == {}


async def test_a_busy_thread_queues_rejects_and_interrupts(
    rpc: Rpc, server: RealServer, api: httpx2.AsyncClient, models: ModelServer
) -> None:
    first = await ask(rpc, script(WAIT))
    await models.until(1, chunks=2)
    queued = await ask(rpc, "Next")
    row = await until_row(server, "threads", "t", running=first)
    assert row["queued"] == [queued]
    assert (await rpc.call("run.get", run_id=queued))["run"]["status"] == "queued"
    refused = await rpc.refused("run.start", name="obedient", thread_id="t", input={"prompt": "?", "if_busy": "reject"})
    assert refused["data"]["code"] == "thread_busy"
    body = {"name": "obedient", "thread_id": "t", "input": {"prompt": "?", "if_busy": "reject"}}
    assert (await api.post("/runs/start", json=body)).status_code == 409
    assert (await rpc.refused("thread.delete", thread_id="t"))["data"]["code"] == "thread_busy"
    again = await rpc.call("run.start", name="obedient", thread_id="t", run_id=first, input=script(WAIT))
    assert again["run_id"] == first
    last = await ask(rpc, {"prompt": "Now", "if_busy": "interrupt"})
    assert (await answered(rpc, last))["result"] == "You said: Now"
    assert [(await answered(rpc, run_id))["status"] for run_id in (first, queued)] == ["cancelled", "cancelled"]


async def test_a_repeated_start_is_no_second_question(rpc: Rpc, server: RealServer, models: ModelServer) -> None:
    """Also where a second question would be refused."""
    wanted = {"name": "obedient", "thread_id": "t", "run_id": "mine", "input": {"prompt": "?", "if_busy": "reject"}}
    wanted["input"] = {"prompt": script(WAIT), "if_busy": "reject"}
    await rpc.call("run.start", **wanted)
    assert (await rpc.call("run.start", **wanted))["run_id"] == "mine"
    models.open("gate")
    assert (await until_run(server, "mine", status="succeeded"))["thread_id"] == "t"
    assert len(models.requests) == 1


async def test_a_cancel_closes_the_request_to_the_model(rpc: Rpc, models: ModelServer) -> None:
    run_id = await ask(rpc, script(WAIT))
    request = await models.until(1, chunks=2)
    await rpc.call("run.cancel", run_id=run_id)
    async with asyncio.timeout(DEADLINE_S):
        await request.over.wait()
    assert request.closed_by == "client"
    assert (await answered(rpc, run_id))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (None, "/params/input"),
        ({}, "/params/input"),
        ({"prompt": ""}, "/params/input/prompt"),
        ({"prompt": 5}, "/params/input/prompt"),
        ({"prompt": "?", "model": "gone"}, "/params/input/model"),
        ({"prompt": "?", "if_busy": "wait"}, "/params/input/if_busy"),
        ({"prompt": "?", "colour": "red"}, "/params/input/colour"),
        ({"messages": [{"role": "tool", "text": "x"}]}, "/params/input/messages/0"),
    ],
)
async def test_what_is_wrong_with_a_question_is_pointed_at(
    simple: Rpc, simple_api: httpx2.AsyncClient, given: Any, pointer: str
) -> None:
    error = (await simple.refused("run.start", name="assistant", input=given))["data"]
    assert (error["code"], error["pointer"]) == ("invalid_params", pointer)
    answer = await simple_api.post("/runs/start", json={"name": "assistant", "input": given})
    assert (answer.status_code, answer.json()["pointer"]) == (422, pointer.removeprefix("/params"))
    assert (await simple.call("run.list"))["runs"] == []


@pytest.mark.parametrize(
    ("method", "params", "pointer"),
    [
        ("thread.get", {}, "/params/thread_id"),
        ("thread.get", {"thread_id": "a b"}, "/params/thread_id"),
        ("thread.list", {"limit": 0}, "/params/limit"),
        ("thread.rename", {"thread_id": "t", "title": ""}, "/params/title"),
        ("thread.rename", {"thread_id": "t", "title": "x" * 81}, "/params/title"),
        ("thread.rename", {"thread_id": "t", "title": "two\nlines"}, "/params/title"),
        ("thread.fork", {"thread_id": "t", "run_id": 5}, "/params/run_id"),
        ("agent.list", {"all": True}, "/params/all"),
        ("tool.call", {"name": "calculator", "arguments": []}, "/params/arguments"),
        ("tool.call", {"name": "calculator", "arguments": {}}, "/params/arguments/expression"),
        ("tool.call", {"name": "calculator", "arguments": {"expression": 5}}, "/params/arguments/expression"),
    ],
)
async def test_wrong_parameters_are_pointed_at(simple: Rpc, method: str, params: dict[str, Any], pointer: str) -> None:
    error = (await simple.refused(method, **params))["data"]
    assert (error["code"], error["pointer"]) == ("invalid_params", pointer)


async def test_tools_are_called(simple: Rpc, simple_api: httpx2.AsyncClient) -> None:
    assert await simple.call("tool.call", name="calculator", arguments={"expression": "6 * 7"}) == {"result": 42}
    assert (await simple_api.post("/tools/calculator/call", json={"arguments": {"expression": "6 * 7"}})).json()[
        "result"
    ] == 42
    assert (await simple_api.post("/tools/clock/call")).json()["result"]["zone"] == "UTC"
    failed = await simple.refused("tool.call", name="calculator", arguments={"expression": "1 / 0"})
    assert failed["data"] == {"code": "tool_failed", "retryable": False}
    over_http = await simple_api.post("/tools/calculator/call", json={"arguments": {"expression": "1 / 0"}})
    assert (over_http.status_code, over_http.json()["message"]) == (422, failed["message"])
    assert (await simple.refused("tool.call", name="nothing"))["message"] == "Tool not found: nothing"
    assert (await simple_api.post("/tools/nothing/call")).status_code == 404


async def test_nobody_publishes_into_threads(simple: Rpc) -> None:
    for channel in ("threads", "thread:t"):
        error = await simple.refused("publish", channel=channel, type="x", data={})
        assert error["data"]["code"] == "channel_owned"


async def test_the_api_is_described(simple_api: httpx2.AsyncClient, shared: RealServer) -> None:
    paths = (await simple_api.get(f"{shared.url}/openapi.json")).json()["paths"]
    assert {"get"} <= paths["/api/agents"].keys()
    assert {"get", "post", "delete"} <= paths["/api/threads/{thread_id}"].keys()
    body = paths["/api/tools/{name}/call"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"].keys() == {"arguments"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, sockets: str) -> Iterator[RealServer]:
    """A server with users and the default agent."""
    home = tmp_path_factory.mktemp("guarded")
    (home / "antiphon.toml").write_text(ANN.toml + BOB.toml)
    found = RealServer(home / "data", config=home / "antiphon.toml")
    asyncio.run(found.start())
    yield found
    asyncio.run(found.kill())


def connected(server: RealServer, token: str) -> AbstractAsyncContextManager[Rpc]:
    return Rpc.connect(server.live, additional_headers={"authorization": f"Bearer {token}"})


async def test_each_method_needs_its_grant(guarded: RealServer) -> None:
    async def forbidden(rpc: Rpc, method: str, **params: Any) -> str:
        error = await rpc.refused(method, **params)
        assert error["data"]["code"] == "forbidden"
        return str(error["message"])

    async with connected(guarded, ANN.token) as ann, connected(guarded, BOB.token) as bob:
        assert [row["name"] for row in (await ann.call("agent.list"))["agents"]] == ["assistant"]
        assert (await bob.call("agent.list"))["agents"] == []
        assert [row["name"] for row in (await ann.call("tool.list"))["tools"]] == ["clock"]
        assert (await bob.call("tool.list"))["tools"] == []
        await answered(ann, await ask(ann, "What time is it?", name="assistant", thread_id="open"))
        assert "control run:assistant" in await forbidden(bob, "run.start", name="assistant", input="?")
        assert "read threads" in await forbidden(bob, "thread.list")
        assert "read thread:shut" in await forbidden(bob, "thread.get", thread_id="shut")
        assert (await bob.call("thread.get", thread_id="open"))["thread"]["by"] == "ann"
        assert "control thread:assistant" in await forbidden(bob, "thread.fork", thread_id="open")
        assert "control thread:assistant" in await forbidden(bob, "thread.rename", thread_id="open", title="x")
        assert "control thread:assistant" in await forbidden(bob, "thread.delete", thread_id="open")
        assert "control tool:clock" in await forbidden(bob, "tool.call", name="clock")
        assert "control tool:calculator" in await forbidden(ann, "tool.call", name="calculator")
        assert (await ann.call("tool.call", name="clock"))["result"]["zone"] == "UTC"
        assert (await ann.call("thread.rename", thread_id="open", title="Time"))["thread"]["title"] == "Time"
        await ann.call("thread.delete", thread_id="open")
