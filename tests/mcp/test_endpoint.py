"""The MCP endpoint of a real server, asked by a real client: what each tool does, and who may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx2
import pytest
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.running import LEASE, finish, open_run, until_question, until_run
from tests.live.workspace import python, until_lines, write_settings
from tests.mcp.speaking import ERAS, call, refused, speaking

from antiphon.server.auth import new_token

TOOLS = {
    "answer_question",
    "cancel_run",
    "get_run",
    "list_processes",
    "list_questions",
    "list_runs",
    "search_log",
    "start_run",
    "tail_log",
}
CHATTY = "for n in range(1000): print('line', n, flush=True)\nprint('done', flush=True)"
RUNNABLES = """
import asyncio

async def double(run, n: int):
    return n * 2

async def wait(run):
    await asyncio.Event().wait()
"""
ANN = new_token("ann", ["control run:double", "read run:*", "read runs"])
BOB = new_token("bob", ["read log:other"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    home = tmp_path_factory.mktemp("open")
    (home / "small_runnables.py").write_text(RUNNABLES)
    tables = {
        "process.chatty": python(CHATTY, autostart=True),
        "runnable.double": {"import": "small_runnables:double"},
        "runnable.wait": {"import": "small_runnables:wait"},
    }
    found = RealServer(home / "data", config=write_settings(home / "antiphon.toml", tables))
    asyncio.run(found.start())
    yield found
    asyncio.run(found.stop())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    home = tmp_path_factory.mktemp("guarded")
    (home / "small_runnables.py").write_text(RUNNABLES)
    runnables = "".join(f'[runnable.{name}]\nimport = "small_runnables:{name}"\n' for name in ("double", "wait"))
    (home / "antiphon.toml").write_text(ANN.toml + BOB.toml + runnables)
    found = RealServer(home / "data", config=home / "antiphon.toml")
    asyncio.run(found.start())
    yield found
    asyncio.run(found.stop())


@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_say_what_they_do(server: RealServer, era: str) -> None:
    async with speaking(server, mode=era) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() == TOOLS
        assert client.server_info is not None
        assert client.server_info.name == "antiphon"
        for tool in tools.values():
            assert tool.description
            assert tool.input_schema["type"] == "object"
            assert all(part.get("description") for part in tool.input_schema.get("properties", {}).values()), tool.name
            assert tool.annotations is not None
        assert tools["get_run"].annotations.read_only_hint
        assert tools["cancel_run"].annotations.destructive_hint


@pytest.mark.parametrize("era", ERAS)
async def test_a_run_is_started_and_waited_for(server: RealServer, era: str) -> None:
    async with speaking(server, mode=era) as client:
        assert {"double", "wait"} <= set((await call(client, "list_runs"))["names"])
        run_id = (await call(client, "start_run", name="double", input={"n": 21}, labels={"by": "mcp"}))["run_id"]
        found = await call(client, "get_run", run_id=run_id, wait_s=30)
        assert (found["run"]["status"], found["result"], found["questions"]) == ("succeeded", 42, [])
        listed = await call(client, "list_runs", label={"by": "mcp"}, status=["succeeded"], limit=1)
        assert [row["run_id"] for row in listed["runs"]] == [run_id]


async def test_a_run_is_cancelled(server: RealServer) -> None:
    async with speaking(server) as client:
        run_id = (await call(client, "start_run", name="wait"))["run_id"]
        await until_run(server, run_id, status="running")
        receipt = await call(client, "cancel_run", run_id=run_id, reason="enough")
        assert run_id in receipt["stopped"] + receipt["draining"]
        row = await until_run(server, run_id, status="cancelled")
        assert row["reason"] == "enough"


async def test_a_question_is_answered(server: RealServer) -> None:
    async with Rpc.connect(server.live) as owner, speaking(server) as client:
        run_id = await open_run(owner, "asking")
        asked = await owner.call(
            "question.ask", run_id=run_id, lease=LEASE, prompt="which?", options=[{"value": "a"}, {"value": "b"}]
        )
        question_id = asked["question_id"]
        open_now = await call(client, "list_questions", run_id=run_id)
        assert [row["question_id"] for row in open_now["questions"]] == [question_id]
        assert (await refused(client, "answer_question", question_id=question_id, answer="c"))[
            "code"
        ] == "invalid_params"
        await call(client, "answer_question", question_id=question_id, answer="b")
        row = await until_question(server, question_id, status="answered")
        assert row["answer"] == "b"
        late = await refused(client, "answer_question", question_id=question_id, answer="a")
        assert (late["code"], late["question"]["answer"]) == ("already_answered", "b")
        assert (await call(client, "list_questions", run_id=run_id))["questions"] == []
        await finish(owner, run_id)


async def test_logs_are_read_and_searched(server: RealServer) -> None:
    await until_lines(server, "chatty", "done")
    async with speaking(server) as client:
        listed = await call(client, "list_processes")
        assert [row["name"] for row in listed["processes"]] == ["chatty"]
        assert listed["logs"] == ["chatty"]
        tail = await call(client, "tail_log", name="chatty", lines=500)
        last = next(line for line in tail["lines"] if line.get("text") == "line 999")
        before = await call(client, "tail_log", name="chatty", lines=2, before=last["offset"])
        assert [line["text"] for line in before["lines"]] == ["line 997", "line 998"]
        hits = await call(client, "search_log", name="chatty", text="LINE 77", lines=3)
        assert [line["text"] for line in hits["lines"]] == ["line 779", "line 778", "line 777"]
        rest = await call(client, "search_log", name="chatty", text="line 77", before=hits["before"])
        assert [line["text"] for line in rest["lines"]] == [*(f"line {n}" for n in range(776, 769, -1)), "line 77"]
        assert rest["before"] is None
        assert (await refused(client, "tail_log", name="nothing"))["code"] == "not_found"


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "pointer"),
    [
        ("get_run", {"run_id": "nope"}, "not_found", "/arguments/run_id"),
        ("get_run", {}, "invalid_params", "/arguments/run_id"),
        ("get_run", {"run_id": 3}, "invalid_params", "/arguments/run_id"),
        ("start_run", {"name": "double", "input": {"n": "x"}}, "invalid_params", "/arguments/input/n"),
        ("start_run", {"name": "nobody"}, "not_found", "/arguments/name"),
        ("tail_log", {"name": "../etc"}, "invalid_params", "/arguments/name"),
        ("tail_log", {"name": "chatty", "lines": 0}, "invalid_params", "/arguments/lines"),
        ("list_runs", {"unknown": 1}, "invalid_params", "/arguments/unknown"),
        ("nothing", {}, "unknown_method", None),
    ],
)
async def test_errors_name_the_code_and_the_place(
    server: RealServer, tool: str, arguments: dict[str, object], code: str, pointer: str | None
) -> None:
    async with speaking(server) as client:
        facts = await refused(client, tool, **arguments)
        assert facts["code"] == code
        assert facts["message"]
        assert facts.get("pointer") in (pointer, None)


@pytest.mark.parametrize("era", ERAS)
async def test_a_caller_may_what_its_grants_say(guarded: RealServer, era: str) -> None:
    async with speaking(guarded, ANN.token, mode=era) as ann, speaking(guarded, BOB.token, mode=era) as bob:
        assert (await call(ann, "list_runs"))["names"] == ["double"]
        run_id = (await call(ann, "start_run", name="double", input={"n": 1}))["run_id"]
        assert (await call(ann, "get_run", run_id=run_id, wait_s=30))["run"]["by"] == "ann"
        for client, tool, arguments, grant in (
            (ann, "start_run", {"name": "wait"}, "control run:wait"),
            (ann, "list_processes", {}, "read processes"),
            (ann, "tail_log", {"name": "other"}, "read log:other"),
            (ann, "list_questions", {}, "read questions"),
            (bob, "list_runs", {}, "read runs"),
            (bob, "get_run", {"run_id": run_id}, f"read run:{run_id}"),
            (bob, "cancel_run", {"run_id": run_id}, "control run:double"),
            (bob, "search_log", {"name": "chatty", "text": "x"}, "read log:chatty"),
        ):
            facts = await refused(client, tool, **arguments)
            assert facts["code"] == "forbidden"
            assert grant in facts["message"]
        assert (await refused(bob, "tail_log", name="other"))["code"] == "not_found"  # allowed, but there is none


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
ACCEPTED = {"accept": "application/json, text/event-stream"}


async def post(server: RealServer, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=DEADLINE_S) as client:
        return await client.post(f"{server.url}/mcp", json=INITIALIZE, headers=ACCEPTED | headers)


async def test_without_credentials_nobody_comes_in(guarded: RealServer) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}):
        answer = await post(guarded, **headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (await post(guarded, authorization=f"Bearer {BOB.token}")).status_code == 200


async def test_a_foreign_page_is_refused(server: RealServer) -> None:
    assert (await post(server)).status_code == 200
    assert (await post(server, origin="https://evil.example")).json()["code"] == "origin_refused"
    assert (await post(server, host="evil.example")).json()["code"] == "host_refused"
    assert (await post(server, **{"sec-fetch-site": "cross-site"})).json()["code"] == "cross_site_refused"
    assert (await post(server, origin=server.url)).status_code == 200


async def test_there_is_no_stream_to_open(server: RealServer) -> None:
    async with httpx2.AsyncClient() as client:
        for method in ("GET", "DELETE", "PUT"):
            answer = await client.request(method, f"{server.url}/mcp", headers=ACCEPTED)
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_a_huge_request_is_refused(server: RealServer) -> None:
    async with httpx2.AsyncClient() as client:
        answer = await client.post(f"{server.url}/mcp", content=b" " * (5 << 20), headers=ACCEPTED)
        assert answer.status_code == 413
