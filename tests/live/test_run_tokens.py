"""Runs where users must log in: grants, somebody else's run, and the tokens of runs over every transport."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import httpx2
import pytest
import websockets
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.running import LEASE, emit, finish, log, open_run

from antiphon.server.auth import new_token

ANN = new_token("ann", ["control run:tea", "read run:*", "read runs", "read questions", "control question:tea"])
BOB = new_token("bob", ["control run:coffee", "read runs"])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, sockets: str) -> Iterator[RealServer]:
    home = tmp_path_factory.mktemp("guarded")
    (home / "antiphon.toml").write_text(ANN.toml + BOB.toml)
    found = RealServer(home / "data", config=home / "antiphon.toml")
    asyncio.run(found.start())
    yield found
    asyncio.run(found.kill())


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def connected(server: RealServer, token: str) -> AbstractAsyncContextManager[Rpc]:
    return Rpc.connect(server.live, additional_headers=bearer(token))


async def forbidden(rpc: Rpc, method: str, **params: object) -> str:
    """The message of a refusal for want of a grant."""
    error = await rpc.refused(method, **params)
    assert error["data"]["code"] == "forbidden"
    return str(error["message"])


async def test_somebody_elses_run_is_not_ours(guarded: RealServer) -> None:
    async with connected(guarded, ANN.token) as ann, connected(guarded, BOB.token) as bob:
        run_id = await open_run(ann, "tea")
        asked = await ann.call("question.ask", run_id=run_id, lease=LEASE, prompt="?", options=[{"value": 1}])
        question_id = asked["question_id"]
        assert "control run:tea" in await forbidden(bob, "run.open", name="tea")
        assert "control run:tea" in await forbidden(bob, "run.start", name="tea")
        assert "control run:tea" in await forbidden(bob, "run.cancel", run_id=run_id)
        assert "control run:tea" in await forbidden(bob, "run.finish", run_id=run_id, lease=LEASE, status="failed")
        assert f"publish run:{run_id}" in await forbidden(bob, "run.emit", run_id=run_id, events=[log("x")])
        assert f"publish run:{run_id}" in await forbidden(bob, "question.ask", run_id=run_id, prompt="?")
        assert f"read run:{run_id}" in await forbidden(bob, "run.get", run_id=run_id)
        assert f"read run:{run_id}" in await forbidden(bob, "run.result", run_id=run_id)
        assert "read questions" in await forbidden(bob, "question.list")
        assert "control question:tea" in await forbidden(bob, "question.answer", question_id=question_id, answer=1)
        assert "control question:tea" in await forbidden(bob, "question.withdraw", question_id=question_id)
        assert "control run:tea" in await forbidden(bob, "run.open", name="coffee", parent_run_id=run_id)
        assert run_id in [row["run_id"] for row in (await bob.call("run.list"))["runs"]]
        async with httpx2.AsyncClient(base_url=guarded.url, headers=bearer(BOB.token)) as client:
            assert (await client.get(f"/api/runs/{run_id}/export")).status_code == 403
            assert (await client.post(f"/api/runs/{run_id}/cancel")).status_code == 403
            head = b'{"antiphon_run": 1, "run": {"name": "tea"}}\n'
            imported = await client.post(
                "/api/runs/import", content=head, headers={"content-type": "application/x-ndjson"}
            )
            assert imported.status_code == 403
        await ann.call("question.answer", question_id=question_id, answer=1)
        assert (await finish(ann, run_id))["by"] == "ann"


async def test_a_runs_token_speaks_in_this_run_only(guarded: RealServer) -> None:
    async with connected(guarded, ANN.token) as ann:
        run_id, other = await open_run(ann, "tea"), await open_run(ann, "tea")
        assert (await ann.refused("run.token", run_id=run_id, lease="x" * 20))["data"]["code"] == "lease_lost"
        issued = await ann.call("run.token", run_id=run_id, lease=LEASE, ttl_s=60)
        token = issued["token"]
        assert issued["expires_at"].endswith("Z")
        async with connected(guarded, token) as child:
            assert (await child.next("welcome"))["user"] == f"run:{run_id}"
            await child.call("subscribe", channel=f"run:{run_id}", after="start")
            await emit(child, run_id, log("from the child"), lease=None)
            while (event := await child.next("event"))["type"] != "log":
                pass
            assert (event["data"]["text"], event["by"]) == ("from the child", f"run:{run_id}")
            await child.call("question.ask", run_id=run_id, prompt="May I?")
            await child.call("question.list")
            await forbidden(child, "subscribe", channel=f"run:{other}")
            await forbidden(child, "run.emit", run_id=other, events=[log("x")])
            await forbidden(child, "run.cancel", run_id=run_id)
            await forbidden(child, "run.open", name="tea")
            await forbidden(child, "run.list")
            await forbidden(child, "publish", channel="news:tea", type="t", data=1)
            assert (await child.refused("publish", channel=f"run:{run_id}", type="t", data=1))["data"]["code"] == (
                "channel_owned"
            )
        async with httpx2.AsyncClient(base_url=guarded.url, headers=bearer(token), timeout=DEADLINE_S) as client:
            said = await client.post(f"/api/runs/{run_id}/events", json={"events": [log("over HTTP")]})
            assert said.status_code == 201
            assert (await client.get(f"/api/runs/{run_id}")).status_code == 200
            assert (await client.get(f"/api/runs/{other}")).status_code == 403
            ticket = (await client.post("/api/tickets")).json()["ticket"]
            async with client.stream("GET", f"/api/stream?channel=run:{run_id}&after=start") as answer:
                assert answer.status_code == 200
            assert (await client.get(f"/api/stream?channel=run:{other}")).status_code == 403
            assert (await client.post("/api/session", json={"token": token})).status_code == 401
        async with Rpc.connect(f"{guarded.live}?ticket={ticket}") as child:
            assert (await child.next("welcome"))["user"] == f"run:{run_id}"
        for name in (run_id, other):
            await finish(ann, name)


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "0", lambda t: t.replace(".1.", ".1.9", 1)])
async def test_an_altered_token_is_refused(change: object, guarded: RealServer) -> None:
    assert callable(change)
    async with connected(guarded, ANN.token) as ann:
        run_id = await open_run(ann, "tea")
        token = (await ann.call("run.token", run_id=run_id, lease=LEASE))["token"]
        await finish(ann, run_id)
    async with httpx2.AsyncClient(base_url=guarded.url) as client:
        assert (await client.get("/api/session", headers=bearer(token))).status_code == 200
        answer = await client.get("/api/session", headers=bearer(change(token)))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_with_its_token_a_connection_ends(guarded: RealServer) -> None:
    async with connected(guarded, ANN.token) as ann:
        run_id = await open_run(ann, "tea")
        token = (await ann.call("run.token", run_id=run_id, lease=LEASE, ttl_s=2))["token"]
        async with connected(guarded, token) as child:
            await child.call("subscribe", channel=f"run:{run_id}")
            assert (await child.next("goodbye"))["reason"] == "token ended"
            async with asyncio.timeout(DEADLINE_S):
                await child.socket.wait_closed()
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(guarded.live, additional_headers=bearer(token))
        assert refused.value.response.status_code == 401
        await finish(ann, run_id)


async def test_a_token_outlives_kill_9(guarded: RealServer) -> None:
    async with connected(guarded, ANN.token) as ann:
        run_id = await open_run(ann, "tea", lease_s=60)
        token = (await ann.call("run.token", run_id=run_id, lease=LEASE))["token"]
    await guarded.kill()
    await guarded.start()
    async with connected(guarded, token) as child, connected(guarded, ANN.token) as ann:
        await emit(child, run_id, log("still here"), lease=None)
        await finish(ann, run_id)


async def test_without_users_no_token_is_needed(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc:
        run_id = await open_run(rpc)
        assert await rpc.call("run.token", run_id=run_id, lease=LEASE) == {"token": None, "expires_at": None}
        await finish(rpc, run_id)
