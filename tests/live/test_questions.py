"""Questions over real sockets and REST: asked by runs, answered once, from anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.live.peers import DEADLINE_S, Rpc
from tests.live.real_server import RealServer
from tests.live.running import LEASE, emit, finish, log, open_run, story, until_question, until_run, until_said

TEAS = [{"value": "green", "label": "Green tea"}, {"value": "black"}]
FORM = {"type": "object", "properties": {"cups": {"type": "integer", "minimum": 1}}, "required": ["cups"]}


@pytest.fixture
async def owner(shared: RealServer) -> AsyncIterator[Rpc]:
    async with Rpc.connect(shared.live) as rpc:
        yield rpc


@pytest.fixture
async def run_id(owner: Rpc) -> AsyncIterator[str]:
    """A run that is under way while the test lasts."""
    found = await open_run(owner)
    await owner.call("subscribe", channel=f"run:{found}")
    yield found
    await owner.send("run.finish", run_id=found, lease=LEASE, status="succeeded")
    await owner.call("ping")


@pytest.fixture
async def api(shared: RealServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"{shared.url}/api", timeout=DEADLINE_S) as client:
        yield client


async def ask(rpc: Rpc, run_id: str, **fields: Any) -> str:
    asked = await rpc.call("question.ask", **{"run_id": run_id, "lease": LEASE, "prompt": "Which?", **fields})
    return str(asked["question_id"])


async def test_a_question_is_asked_and_answered(owner: Rpc, run_id: str, shared: RealServer) -> None:
    question_id = await ask(owner, run_id, options=TEAS, details="**Both** are fresh.")
    assert (await until_run(shared, run_id, status="waiting"))["questions"] == 1
    async with Rpc.connect(shared.live) as person:
        listed = (await person.call("question.list", status="open", run_id=run_id))["questions"]
        assert [row["question_id"] for row in listed] == [question_id]
        assert (listed[0]["kind"], listed[0]["run_name"], listed[0]["prompt"]) == ("choice", "research", "Which?")
        answered = (await person.call("question.answer", question_id=question_id, answer="green"))["question"]
        assert (answered["status"], answered["answer"], answered["by"]) == ("answered", "green", "local")
        assert (await person.call("question.get", question_id=question_id))["question"] == answered
        assert (await person.call("run.get", run_id=run_id))["questions"] == [answered]
    told = await until_said(owner, "question.answered")
    assert (told["data"]["question_id"], told["data"]["answer"]) == (question_id, "green")
    assert (told["data"]["by"], told["data"]["is_default"]) == ("local", False)
    assert (await until_run(shared, run_id, status="running"))["questions"] == 0


async def test_exactly_one_answer_counts(owner: Rpc, run_id: str, shared: RealServer, api: httpx2.AsyncClient) -> None:
    question_id = await ask(owner, run_id, options=TEAS)
    async with Rpc.connect(shared.live) as one, Rpc.connect(shared.live) as two:
        sent = [
            await rpc.send("question.answer", question_id=question_id, answer=answer)
            for rpc, answer in ((one, "green"), (two, "black"))
        ]
        async with asyncio.timeout(DEADLINE_S):
            replies = [await reply for reply in sent]
    winner, loser = sorted(replies, key=lambda reply: "error" in reply)
    assert "result" in winner
    error = loser["error"]["data"]
    assert error["code"] == "already_answered"
    assert error["question"] == winner["result"]["question"]
    assert "local" in loser["error"]["message"]
    late = await api.post(f"/questions/{question_id}/answer", json={"answer": "green"})
    assert (late.status_code, late.json()["code"]) == (409, "already_answered")
    assert late.json()["question"] == winner["result"]["question"]
    assert [kind for kind, _ in await story(shared, run_id)].count("question.answered") == 1


async def test_approvals_are_approved_edited_or_rejected(owner: Rpc, run_id: str, api: httpx2.AsyncClient) -> None:
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"action": "approve"}, {"cups": 1}),
        ({"action": "edit", "answer": {"cups": 3}}, {"cups": 3}),
        ({"action": "reject", "answer": "too much"}, "too much"),
    ]
    for given, wanted in cases:
        question_id = await ask(owner, run_id, kind="approval", value={"cups": 1}, schema=FORM)
        answered = (await api.post(f"/questions/{question_id}/answer", json=given)).json()["question"]
        assert (answered["action"], answered["answer"]) == (given["action"], wanted)
        told = (await until_said(owner, "question.answered"))["data"]
        assert (told["action"], told["answer"]) == (given["action"], wanted)


async def test_asking_again_under_the_same_id_changes_nothing(owner: Rpc, run_id: str) -> None:
    given = {"question_id": f"q-{run_id}", "options": TEAS, "timeout_s": 60}
    first = await owner.call("question.ask", run_id=run_id, lease=LEASE, prompt="Which?", **given)
    again = await owner.call("question.ask", run_id=run_id, lease=LEASE, prompt="Which?", **given)
    assert (again, first["question_id"]) == (first, f"q-{run_id}")
    error = await owner.refused("question.ask", run_id=run_id, lease=LEASE, prompt="Something else?", **given)
    assert error["data"]["code"] == "conflict"


async def test_deadlines_order_the_list_and_bring_the_default(owner: Rpc, run_id: str, shared: RealServer) -> None:
    never = await ask(owner, run_id, kind="text")
    later = await ask(owner, run_id, options=TEAS, timeout_s=600)
    sooner = await ask(owner, run_id, options=TEAS, timeout_s=300)
    listed = (await owner.call("question.list", run_id=run_id))["questions"]
    assert [row["question_id"] for row in listed] == [sooner, later, never]
    at_once = await ask(owner, run_id, options=TEAS, timeout_s=0.05, default="black")
    row = await until_question(shared, at_once, status="answered")
    assert (row["answer"], row["is_default"], row["by"]) == ("black", True, None)
    nothing = await ask(owner, run_id, kind="text", timeout_s=0.05)
    row = await until_question(shared, nothing, status="withdrawn")
    assert row["reason"] == "deadline passed"


async def test_null_may_be_a_default(owner: Rpc, run_id: str, shared: RealServer) -> None:
    nullable = {"type": ["string", "null"]}
    given = await ask(owner, run_id, kind="form", schema=nullable, default=None, timeout_s=600)
    none = await ask(owner, run_id, kind="form", schema=nullable, timeout_s=600)
    rows = (await owner.call("state", channel="questions"))["value"]
    assert (rows[given]["has_default"], rows[none]["has_default"]) == (True, False)


async def test_questions_are_withdrawn_by_the_owner_and_by_the_runs_end(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as owner:
        run_id = await open_run(owner)
        first, second = [await ask(owner, run_id, options=TEAS) for _ in range(2)]
        withdrawn = (await owner.call("question.withdraw", question_id=first, lease=LEASE))["question"]
        assert withdrawn["status"] == "withdrawn"
        await finish(owner, run_id)
        assert (await owner.call("question.get", question_id=second))["question"]["status"] == "withdrawn"
        late = await owner.refused("question.answer", question_id=second, answer="green")
        assert late["data"]["code"] in ("already_answered", "run_ended")
        late = await owner.refused("question.ask", run_id=run_id, prompt="And now?")
        assert late["data"]["code"] == "run_ended"
    kinds = [kind for kind, _ in await story(shared, run_id)]
    assert (kinds.count("question.withdrawn"), kinds[-1]) == (2, "run.succeeded")


async def test_a_cancelled_run_asks_no_more(shared: RealServer) -> None:
    async with Rpc.connect(shared.live) as owner:
        run_id = await open_run(owner)
        question_id = await ask(owner, run_id, options=TEAS)
        await owner.call("run.cancel", run_id=run_id)
        refused = await owner.refused("question.ask", run_id=run_id, lease=LEASE, prompt="Still?")
        assert refused["data"]["code"] == "run_cancelled"
        await finish(owner, run_id)
        assert (await owner.call("question.get", question_id=question_id))["question"]["status"] == "withdrawn"


async def test_participants_ask_too(shared: RealServer, owner: Rpc, run_id: str) -> None:
    async with Rpc.connect(shared.live) as guest:
        asked = await guest.call("question.ask", run_id=run_id, prompt="May I?", options=TEAS)
        assert asked["deadline"] is None
        refused = await guest.refused("question.ask", run_id=run_id, prompt="?", lease="not-the-lease-of-this-run")
        assert refused["data"]["code"] == "lease_lost"
        await guest.call("question.answer", question_id=asked["question_id"], answer="green")


ASKED_BADLY: list[tuple[dict[str, Any], str]] = [
    ({"prompt": ""}, "/params/prompt"),
    ({"prompt": "?", "kind": "riddle"}, "/params/kind"),
    ({"prompt": "?", "options": []}, "/params/options"),
    ({"prompt": "?", "options": ["green"]}, "/params/options/0"),
    ({"prompt": "?", "options": TEAS, "default": "white", "timeout_s": 5}, "/params/default"),
    ({"prompt": "?", "schema": FORM, "default": {"cups": 0}, "timeout_s": 5}, "/params/default/cups"),
    ({"prompt": "?", "schema": {"type": "nonsense"}}, "/params/schema"),
    ({"prompt": "?", "options": TEAS, "timeout_s": 0}, "/params/timeout_s"),
    ({"prompt": "?", "options": TEAS, "question_id": "a b"}, "/params/question_id"),
    ({"prompt": "?", "colour": "red"}, "/params/colour"),
]


@pytest.mark.parametrize(("given", "pointer"), ASKED_BADLY)
async def test_a_bad_question_is_named(
    given: dict[str, Any], pointer: str, owner: Rpc, run_id: str, api: httpx2.AsyncClient
) -> None:
    error = (await owner.refused("question.ask", run_id=run_id, lease=LEASE, **given))["data"]
    assert error["code"] == "invalid_params"
    assert error["pointer"].startswith(pointer)
    answer = await api.post(f"/runs/{run_id}/questions", json={"lease": LEASE, **given})
    assert (answer.status_code, answer.json()["pointer"]) == (422, error["pointer"].removeprefix("/params"))


async def test_a_bad_answer_is_named_and_the_question_stays_open(
    owner: Rpc, run_id: str, api: httpx2.AsyncClient
) -> None:
    form = await ask(owner, run_id, schema=FORM)
    choice = await ask(owner, run_id, options=TEAS)
    wrong: list[tuple[str, dict[str, Any], str]] = [
        (form, {"answer": {"cups": 0}}, "/params/answer/cups"),
        (form, {"answer": {}}, "/params/answer"),
        (form, {"action": "approve"}, "/params/action"),
        (choice, {"answer": "white"}, "/params/answer"),
        (choice, {"answer": "green", "extra": 1}, "/params/extra"),
        (choice, {"action": "explode"}, "/params/action"),
    ]
    for question_id, given, pointer in wrong:
        error = (await owner.refused("question.answer", question_id=question_id, **given))["data"]
        assert (error["code"], error["pointer"].startswith(pointer)) == ("invalid_params", True), error
        answer = await api.post(f"/questions/{question_id}/answer", json=given)
        assert answer.json()["pointer"] == error["pointer"].removeprefix("/params")
    for question_id in (form, choice):
        assert (await api.get(f"/questions/{question_id}")).json()["question"]["status"] == "open"
    assert (await owner.refused("question.answer", question_id="nobody"))["data"]["code"] == "not_found"
    assert (await api.get("/questions/nobody")).status_code == 404
    assert (await api.get("/questions", params={"status": "lost"})).status_code == 422


async def test_a_question_outlives_kill_9_and_is_answered_then(server: RealServer) -> None:
    async with Rpc.connect(server.live) as owner:
        run_id = await open_run(owner, lease_s=60)
        await emit(owner, run_id, log("before"))
        waits = await ask(owner, run_id, options=TEAS, timeout_s=600)
        due = await ask(owner, run_id, options=TEAS, timeout_s=0.5, default="black")
        before = (await owner.call("question.get", question_id=waits))["question"]
    await server.kill()
    await server.start()
    async with Rpc.connect(server.live) as owner:
        assert (await owner.call("question.get", question_id=waits))["question"] == before
        await owner.call("subscribe", channel=f"run:{run_id}", after="start")
        row = await until_question(server, due, status="answered")
        assert (row["answer"], row["is_default"]) == ("black", True)
        assert (await owner.call("run.get", run_id=run_id))["run"]["status"] == "waiting"
        async with Rpc.connect(server.live) as person:
            await person.call("question.answer", question_id=waits, answer="green")
        await emit(owner, run_id, log("after"))
        await finish(owner, run_id)
    events = await story(server, run_id)
    assert [data["text"] for kind, data in events if kind == "log"] == ["before", "after"]
    assert [kind for kind, _ in events].count("question.answered") == 2
