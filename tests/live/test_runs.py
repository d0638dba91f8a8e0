"""Runs over real sockets and REST: what owners say, and what everybody else may do with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.running import LEASE, emit, finish, log, open_run, said, story, until_run, until_said
from tests.live.workspace import serving

MESSAGE = said(
    ("message.open", {"message_id": "m", "role": "assistant"}),
    ("message.append", {"message_id": "m", "delta": "Assam."}),
    ("message.close", {"message_id": "m", "status": "completed"}),
)


@pytest.fixture
async def api(shared: RealServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"{shared.url}/api", timeout=DEADLINE_S) as client:
        yield client


async def test_a_run_tells_its_story(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc:
        assert {"runs", "questions"} <= set((await rpc.next("welcome"))["features"])
        run_id = await open_run(rpc, input={"q": "tea"}, title="Which tea?", labels={"team": "a"}, thread_id="t1")
        await emit(rpc, run_id, *MESSAGE, *said(("x.mood", ["calm"]), ("run.progress", {"progress": 0.5})))
        row = await finish(rpc, run_id, result={"tea": "Assam"})
        found = await rpc.call("run.get", run_id=run_id)
        thread = await rpc.call("history", channel="thread:t1")
    assert (row["status"], row["progress"], row["by"], row["title"]) == ("succeeded", 0.5, "local", "Which tea?")
    assert row["started_at"] is not None
    assert row["ended_at"] is not None
    assert (found["run"], found["input"], found["result"]) == (row, {"q": "tea"}, {"tea": "Assam"})
    assert (found["error"], found["children"], found["questions"]) == (None, [], [])
    assert [event["data"]["run_id"] for event in thread["events"]] == [run_id]
    events = await story(shared, run_id)
    assert events[0][0] == "run.started"
    assert events[0][1]["input"] == {"q": "tea"}
    assert [(kind, data) for kind, data in events if kind.startswith("message.")] == [
        (event["type"], event["data"]) for event in MESSAGE
    ]
    assert events[-1] == ("run.succeeded", {"result": {"tea": "Assam"}})


async def test_opening_again_with_the_lease_is_a_retry(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc:
        first = await rpc.call("run.open", name="research", lease=LEASE)
        again = await rpc.call("run.open", name="research", lease=LEASE, run_id=first["run_id"])
        assert (again["run_id"], again["lease"], again["channel"]) == (first["run_id"], LEASE, first["channel"])
        for change in ({"lease": "another-secret-of-16"}, {"name": "cooking"}):
            wanted = {"name": "research", "lease": LEASE, "run_id": first["run_id"], **change}
            assert (await rpc.refused("run.open", **wanted))["data"]["code"] == "conflict"
        made = await rpc.call("run.open", name="research")
        assert len(made["lease"]) >= 16
        await finish(rpc, first["run_id"])
        await finish(rpc, made["run_id"], lease=made["lease"])


async def test_what_a_connection_says_keeps_its_order(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc:
        run_id = await open_run(rpc)
        replies = [
            await rpc.send("run.emit", run_id=run_id, lease=LEASE, events=[log(f"{number}a"), log(f"{number}b")])
            for number in range(150)
        ]
        async with asyncio.timeout(DEADLINE_S):
            offsets = [(await reply)["result"]["offset"] for reply in replies]
        await finish(rpc, run_id)
    assert offsets == sorted(offsets)
    texts = [data["text"] for kind, data in await story(shared, run_id) if kind == "log"]
    assert texts == [f"{number}{half}" for number in range(150) for half in "ab"]


async def test_said_again_under_its_key_it_is_there_once(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc:
        run_id = await open_run(rpc)
        keyed = {**log("once"), "idempotency_key": "k"}
        assert await emit(rpc, run_id, keyed) == await emit(rpc, run_id, keyed)
        await finish(rpc, run_id)
    assert [data["text"] for kind, data in await story(shared, run_id) if kind == "log"] == ["once"]


async def test_a_refused_event_is_named(shared: RealServer, api: httpx2.AsyncClient) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"type": "run.succeeded", "data": {}}, "/type"),
        ({"type": "question.asked", "data": {}}, "/type"),
        ({"type": "anything", "data": {}}, "/type"),
        ({"type": "log", "data": {"level": "loud", "text": ""}}, "/data/level"),
        ({"type": "run.progress", "data": {"progress": 2}}, "/data/progress"),
        ({"type": "log"}, "/data"),
        ({"type": "log", "data": {}, "key": 1}, "/key"),
    ]
    async with Rpc.connect(shared.live) as rpc:
        run_id = await open_run(rpc)
        for event, place in wrong:
            given = {"lease": LEASE, "events": [log("fine"), event]}
            error = (await rpc.refused("run.emit", run_id=run_id, **given))["data"]
            assert (error["code"], error["pointer"]) == ("invalid_params", f"/params/events/1{place}")
            answer = await api.post(f"/runs/{run_id}/events", json=given)
            assert (answer.status_code, answer.json()["pointer"]) == (422, f"/events/1{place}")
        bad_patch = {"type": "state.patch", "data": {"ops": [{"op": "remove", "path": "/nothing"}]}}
        error = (await rpc.refused("run.emit", run_id=run_id, lease=LEASE, events=[log("fine"), bad_patch]))["data"]
        assert error["code"] == "invalid_patch"
        assert error["pointer"].startswith("/params/events/1/data")
        await finish(rpc, run_id)
    assert [kind for kind, _ in await story(shared, run_id) if kind == "log"] == ["log"]  # beside the patch


async def test_a_refusal_without_an_id_is_a_problem(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc:
        run_id = await open_run(rpc)
        params = {"run_id": run_id, "lease": "not-the-lease-of-this-run", "events": [log("x")]}
        await rpc.socket.send(httpx2.Request("POST", "http://x", json={
            "jsonrpc": "2.0", "method": "run.emit", "params": params}).content.decode())  # fmt: skip
        assert (await rpc.next("problem"))["data"]["code"] == "lease_lost"
        await finish(rpc, run_id)


async def test_participants_speak_without_a_lease(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as owner, Rpc.connect(shared.live) as guest:
        run_id = await open_run(owner)
        await emit(guest, run_id, log("from a guest"), lease=None)
        refused = await guest.refused("run.finish", run_id=run_id, lease="not-the-lease-of-this-run", status="failed")
        assert refused["data"]["code"] == "lease_lost"
        await finish(owner, run_id, "failed", error={"message": "no tea", "type": "Shortage"})
        refused = await guest.refused("run.emit", run_id=run_id, events=[log("late")])
        assert refused["data"]["code"] == "run_ended"
    assert (await story(shared, run_id))[-1] == ("run.failed", {"error": {"message": "no tea", "type": "Shortage"}})


async def test_a_cancel_from_another_connection(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as owner, Rpc.connect(shared.live) as other:
        run_id = await open_run(owner)
        await owner.call("subscribe", channel=f"run:{run_id}")
        await emit(owner, run_id, *MESSAGE[:2])
        receipt = await other.call("run.cancel", run_id=run_id, reason="enough")
        assert receipt == {"run_id": run_id, "status": "cancelling", "stopped": [], "draining": [run_id]}
        told = {}
        while told.get("status") != "cancelling":
            told = (await until_said(owner, "run.status"))["data"]
        assert (told["reason"], told["by"]) == ("enough", "local")
        refused = await owner.refused("run.emit", run_id=run_id, lease=LEASE, events=[MESSAGE[1]])
        assert refused["data"]["code"] == "run_cancelled"
        assert (await other.call("run.cancel", run_id=run_id))["draining"] == [run_id]  # twice does no harm
        await emit(owner, run_id, {**MESSAGE[2], "data": {"message_id": "m", "status": "cancelled"}})
        row = await finish(owner, run_id, "succeeded", result="never mind")
        assert (row["status"], row["reason"]) == ("cancelled", "enough")
        assert (await finish(owner, run_id))["status"] == "cancelled"
        late = await other.call("run.cancel", run_id=run_id)
        assert late == {"run_id": run_id, "status": "cancelled", "stopped": [], "draining": []}
    assert (await story(shared, run_id))[-1] == ("run.cancelled", {"reason": "enough", "by": "local"})


async def test_a_cancel_goes_down_the_tree(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as owner, Rpc.connect(shared.live) as other:
        parent = await open_run(owner)
        child = await open_run(owner, "cooking", parent_run_id=parent)
        receipt = await other.call("run.cancel", run_id=parent)
        assert sorted(receipt["draining"]) == sorted([parent, child])
        for run_id in (child, parent):
            assert (await finish(owner, run_id))["status"] == "cancelled"
        found = await other.call("run.get", run_id=parent)
        assert [row["run_id"] for row in found["children"]] == [child]
    assert ("run.child", {"run_id": child, "name": "cooking", "status": "cancelled"}) in await story(shared, parent)


async def test_somebody_waits_for_the_result(shared: RealServer, api: httpx2.AsyncClient) -> None:
    async with Rpc.connect(shared.live) as owner, Rpc.connect(shared.live) as other:
        run_id = await open_run(owner)
        nothing = await other.call("run.result", run_id=run_id, timeout_s=0)
        assert nothing == {"status": "running", "result": None, "error": None}
        waiting = await other.send("run.result", run_id=run_id)
        await other.call("ping")  # it waits beside, and delays nobody
        await finish(owner, run_id, result=[1, 2])
        async with asyncio.timeout(DEADLINE_S):
            assert (await waiting)["result"] == {"status": "succeeded", "result": [1, 2], "error": None}
    assert (await api.get(f"/runs/{run_id}/result")).json()["result"] == [1, 2]


async def test_the_whole_life_of_a_run_over_http(shared: RealServer, api: httpx2.AsyncClient) -> None:
    wanted = {"name": "tea", "lease": LEASE, "labels": {"team": "b"}, "client": "curl", "pid": 7}
    opened = await api.post("/runs", json=wanted)
    assert opened.status_code == 201, opened.text
    run_id = opened.json()["run_id"]
    assert opened.json()["run"]["owner"] == {"kind": "remote", "client": "curl", "pid": 7}
    cursor = (await api.post(f"/runs/{run_id}/events", json={"lease": LEASE, "events": MESSAGE})).json()
    history = (await api.get(f"/channels/run:{run_id}/events")).json()
    assert (cursor["epoch"], cursor["offset"]) == (history["epoch"], history["events"][-1]["offset"])
    assert (await api.post(f"/runs/{run_id}/lease", json={"lease": LEASE})).json()["status"] == "running"
    listed = (await api.get("/runs", params={"label": "team:b", "status": "running", "name": "tea"})).json()
    assert [row["run_id"] for row in listed["runs"]] == [run_id]
    assert (await api.get("/runs", params={"label": "team:c"})).json()["runs"] == []
    assert (await api.post(f"/runs/{run_id}/cancel")).json()["draining"] == [run_id]
    done = await api.post(f"/runs/{run_id}/finish", json={"lease": LEASE, "status": "succeeded"})
    assert done.json()["run"]["status"] == "cancelled"
    assert (await api.get(f"/runs/{run_id}")).json()["run"] == done.json()["run"]
    assert (await api.post(f"/runs/{run_id}/token", json={"lease": LEASE})).status_code == 409


async def test_a_run_is_exported_and_imported(shared: RealServer, api: httpx2.AsyncClient) -> None:
    async with Rpc.connect(shared.live) as rpc:
        run_id = await open_run(rpc, input="in")
        await emit(rpc, run_id, *MESSAGE)
        await finish(rpc, run_id, result="out")
    exported = await api.get(f"/runs/{run_id}/export")
    assert exported.headers["content-type"] == "application/x-ndjson"
    headers = {"content-type": "application/x-ndjson"}
    imported = await api.post("/runs/import", content=exported.content, headers=headers)
    assert imported.status_code == 201, imported.text
    row = imported.json()["run"]
    assert row["run_id"] != run_id
    assert (row["owner"]["kind"], row["status"]) == ("imported", "succeeded")
    one, other = [(await api.get(f"/channels/run:{name}/events")).json()["events"] for name in (run_id, row["run_id"])]
    assert [(e["type"], e["time"]) for e in one] == [(e["type"], e["time"]) for e in other]
    found = (await api.get(f"/runs/{row['run_id']}")).json()
    assert (found["input"], found["result"]) == ("in", "out")
    for content in (b"", b"{}", b"[1]\n", b'{"antiphon_run": 2, "run": {"name": "a"}}'):
        assert (await api.post("/runs/import", content=content, headers=headers)).status_code == 422
    assert (await api.post("/runs/import", json={})).status_code == 400


REFUSED: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("run.open", {}, "invalid_params", "/params/name"),
    ("run.open", {"name": ""}, "invalid_params", "/params/name"),
    ("run.open", {"name": "a b"}, "invalid_params", "/params/name"),
    ("run.open", {"name": "a", "run_id": "a:b"}, "invalid_params", "/params/run_id"),
    ("run.open", {"name": "a", "lease": "short"}, "invalid_params", "/params/lease"),
    ("run.open", {"name": "a", "lease_s": 1}, "invalid_params", "/params/lease_s"),
    ("run.open", {"name": "a", "labels": {"k": 1}}, "invalid_params", "/params/labels/k"),
    ("run.open", {"name": "a", "on_disconnect": "explode"}, "invalid_params", "/params/on_disconnect"),
    ("run.open", {"name": "a", "parent_run_id": "nobody"}, "not_found", None),
    ("run.open", {"name": "a", "colour": "red"}, "invalid_params", "/params/colour"),
    ("run.start", {"name": "nothing-of-this-name"}, "not_found", None),
    ("run.get", {"run_id": "nobody"}, "not_found", None),
    ("run.get", {"run_id": ""}, "invalid_params", "/params/run_id"),
    ("run.cancel", {"run_id": "nobody"}, "not_found", "/params/run_id"),
    ("run.result", {"run_id": "nobody"}, "not_found", None),
    ("run.result", {"run_id": "a", "timeout_s": 601}, "invalid_params", "/params/timeout_s"),
    ("run.renew", {"run_id": "nobody", "lease": LEASE}, "not_found", None),
    ("run.token", {"run_id": "nobody", "lease": LEASE}, "not_found", None),
    ("run.finish", {"run_id": "nobody", "lease": LEASE, "status": "lost"}, "invalid_params", "/params/status"),
    ("run.emit", {"run_id": "nobody", "events": [{"type": "x.a", "data": 1}]}, "not_found", None),
    ("run.emit", {"run_id": "a", "events": []}, "invalid_params", "/params/events"),
    ("run.emit", {"run_id": "a", "events": [{"type": "x.a", "data": 1}] * 501}, "invalid_params", "/params/events"),
    ("run.list", {"status": ["alive"]}, "invalid_params", "/params/status/0"),
    ("run.list", {"limit": 0}, "invalid_params", "/params/limit"),
]


@pytest.mark.parametrize(("method", "given", "code", "pointer"), REFUSED)
async def test_bad_input_is_named(
    method: str, given: dict[str, Any], code: str, pointer: str | None, shared: RealServer
) -> None:
    async with Rpc.connect(shared.live) as rpc:
        error = (await rpc.refused(method, **given))["data"]
    assert error["code"] == code
    assert pointer is None or error["pointer"] == pointer


HTTP_REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/runs?limit=x", {}, 422, "invalid_params"),
    ("GET", "/runs?status=alive", {}, 422, "invalid_params"),
    ("GET", "/runs?label=team", {}, 422, "invalid_params"),
    ("GET", "/runs/nobody", {}, 404, "not_found"),
    ("GET", "/runs/a%20b", {}, 422, "invalid_params"),
    ("GET", "/runs/nobody/export", {}, 404, "not_found"),
    ("GET", "/runs/nobody/result?timeout_s=-1", {}, 422, "invalid_params"),
    ("POST", "/runs", {"json": {"name": 7}}, 422, "invalid_params"),
    ("POST", "/runs", {"content": b"{"}, 400, "invalid_request"),
    ("POST", "/runs/nobody/cancel", {}, 404, "not_found"),
    ("POST", "/runs/nobody/cancel", {"json": {"run_id": "another"}}, 422, "invalid_params"),
    ("POST", "/runs/nobody/cancel", {"json": [1]}, 422, "invalid_params"),
    ("POST", "/runs/nobody/explode", {}, 404, "not_found"),
    ("DELETE", "/runs/nobody", {}, 405, "method_not_allowed"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), HTTP_REFUSED)
async def test_http_refusals(
    method: str, path: str, body: dict[str, Any], status: int, code: str, api: httpx2.AsyncClient
) -> None:
    answer = await api.request(method, path, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_pages_of_the_dashboard_are_served(shared: RealServer) -> None:
    async with httpx2.AsyncClient(base_url=shared.url) as client:
        for path in ("/runs", "/runs/run_x", "/inbox"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")


async def test_the_description_of_the_api_has_no_reference_to_nowhere(
    api: httpx2.AsyncClient, shared: RealServer
) -> None:
    described = (await api.get(f"{shared.url}/openapi.json")).json()
    body = described["paths"]["/api/runs/{run_id}/events"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert "run_id" not in schema["properties"]
    assert "type" in schema["properties"]["events"]["items"]["properties"]
    assert "#/$defs" not in (await api.get(f"{shared.url}/openapi.json")).text


async def test_metrics_count_runs(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as rpc, httpx2.AsyncClient(base_url=shared.url) as client:
        run_id = await open_run(rpc)
        before = (await client.get("/metrics")).text
        await rpc.call("run.cancel", run_id=run_id)
        await finish(rpc, run_id)
        after = (await client.get("/metrics")).text
    assert 'antiphon_runs{status="running"} ' in before
    assert 'antiphon_runs{status="cancelled"} ' in after
    assert "antiphon_questions_open 0" in after
    assert "\nantiphon_leases_lost_total 0\n" in after
    cancels = [int(text.split("\nantiphon_cancels_total ")[1].split("\n")[0]) for text in (before, after)]
    assert cancels[1] == cancels[0] + 1


async def test_an_owner_that_does_not_end_is_cut_off(tmp_path: Any, sockets: str) -> None:
    async with (
        serving(tmp_path, {"runs": {"cancel_grace_s": 0.2, "max_active": 2}}) as server,
        Rpc.connect(server.live) as rpc,
    ):
        run_id = await open_run(rpc)
        other = await open_run(rpc)
        assert (await rpc.refused("run.open", name="third"))["data"]["code"] == "busy"
        await emit(rpc, run_id, MESSAGE[0])
        await rpc.call("run.cancel", run_id=run_id)
        row = await until_run(server, run_id, status="cancelled")
        assert row["ended_at"] is not None
        refused = await rpc.refused("run.emit", run_id=run_id, lease=LEASE, events=[log("late")])
        assert refused["data"]["code"] in ("run_ended", "run_cancelled")
        assert ("message.close", {"message_id": "m", "status": "cancelled"}) in await story(server, run_id)
        await finish(rpc, other)


async def test_on_disconnect_cancel(shared: RealServer) -> None:
    """One run is left behind with its socket; the other one's owner has come back over another socket."""
    async with Rpc.connect(shared.live) as watcher:
        async with Rpc.connect(shared.live) as first:
            left = await open_run(first, on_disconnect="cancel", lease_s=60)
            kept = await open_run(first, on_disconnect="cancel", lease_s=60)
            goes_on = await open_run(first, lease_s=60)
        await watcher.call("run.renew", run_id=kept, lease=LEASE)
        await until_run(shared, left, status="cancelling")
        for run_id in (kept, goes_on):
            assert (await watcher.call("run.get", run_id=run_id))["run"]["status"] == "running"
            await finish(watcher, run_id)
        await finish(watcher, left)
    assert (await story(shared, left))[-1][0] == "run.cancelled"
