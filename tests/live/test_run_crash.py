"""What becomes of runs when somebody dies: the server, the owner, both."""

from __future__ import annotations

from pathlib import Path

from tests.live.peers import Rpc
from tests.live.real_server import RealServer
from tests.live.running import (
    LEASE,
    emit,
    finish,
    log,
    open_run,
    said,
    story,
    until_question,
    until_run,
    until_said,
)
from tests.live.workspace import serving

AGENTS = """
import asyncio


async def brew(run, tea: str, cups: int = 1) -> dict:
    await run.log(f"{cups} of {tea}")
    return {"tea": tea, "cups": cups}


async def wait_for_ever(run) -> None:
    await run.log("begun")
    await asyncio.Event().wait()


async def fail(run) -> None:
    raise ValueError("no water")


async def ask(run) -> object:
    return await run.ask("Which?", options=["green", "black"])
"""
NAMES = ("brew", "wait_for_ever", "fail", "ask")


def offered(home: Path) -> dict[str, dict[str, str]]:
    """Settings that offer the functions above."""
    (home / "teas.py").write_text(AGENTS)
    return {f"runnable.{name}": {"import": f"teas:{name}"} for name in NAMES}


async def test_a_run_goes_on_after_kill_9_of_the_server(server: RealServer) -> None:
    async with Rpc.connect(server.live) as owner:
        run_id = await open_run(owner, lease_s=60, input="tea")
        await emit(
            owner,
            run_id,
            *said(
                ("message.open", {"message_id": "m", "role": "assistant"}),
                ("message.append", {"message_id": "m", "delta": "one "}),
                ("state.patch", {"ops": [{"op": "add", "path": "/cups", "value": 3}]}),
            ),
        )
    for word in ("two ", "three"):
        await server.kill()
        await server.start()
        async with Rpc.connect(server.live) as owner:
            reply = await owner.call("subscribe", channel=f"run:{run_id}")
            assert reply["state"]["value"] == {"cups": 3}
            await emit(owner, run_id, *said(("message.append", {"message_id": "m", "delta": word})))
    async with Rpc.connect(server.live) as owner:
        assert (await owner.call("run.renew", run_id=run_id, lease=LEASE))["status"] == "running"
        reply = await owner.call("subscribe", channel=f"run:{run_id}")
        assert reply["messages"] == [{"message_id": "m", "role": "assistant", "text": "one two three"}]
        row = await finish(owner, run_id)
        assert (row["status"], (await owner.call("run.get", run_id=run_id))["input"]) == ("succeeded", "tea")
    assert (await story(server, run_id))[-2] == ("message.close", {"message_id": "m", "status": "completed"})


async def test_a_cancel_is_remembered_over_kill_9(server: RealServer) -> None:
    async with Rpc.connect(server.live) as rpc:
        run_id = await open_run(rpc, lease_s=60)
        await rpc.call("run.cancel", run_id=run_id, reason="enough")
    await server.kill()
    await server.start()
    async with Rpc.connect(server.live) as rpc:
        assert (await rpc.call("run.renew", run_id=run_id, lease=LEASE))["status"] == "cancelling"
        assert (await finish(rpc, run_id, "succeeded"))["status"] == "cancelled"


async def test_a_run_whose_owner_died_is_lost_and_its_questions_with_it(server: RealServer) -> None:
    async with Rpc.connect(server.live) as owner:
        run_id = await open_run(owner, lease_s=2)
        asked = await owner.call("question.ask", run_id=run_id, lease=LEASE, prompt="?", options=[{"value": 1}])
        await emit(owner, run_id, *said(("message.open", {"message_id": "m", "role": "assistant"})))
    await server.kill()
    await server.start()
    row = await until_run(server, run_id, status="lost")
    assert row["ended_at"] is not None
    await until_question(server, asked["question_id"], status="withdrawn")
    async with Rpc.connect(server.live) as owner:
        late = await owner.refused("run.emit", run_id=run_id, lease=LEASE, events=[log("late")])
        assert late["data"]["code"] in ("run_ended", "lease_lost")
        late = await owner.refused("run.finish", run_id=run_id, lease="not-the-lease-of-this-run", status="succeeded")
        assert late["data"]["code"] == "lease_lost"
    kinds = [kind for kind, _ in await story(server, run_id)]
    assert kinds[-1] == "run.lost"
    assert "question.withdrawn" in kinds


async def test_functions_that_the_settings_name_are_startable(tmp_path: Path, sockets: str) -> None:
    async with serving(tmp_path, offered(tmp_path)) as server, Rpc.connect(server.live) as rpc:
        assert (await rpc.call("run.list"))["names"] == sorted([*NAMES, "assistant"])
        started = await rpc.call("run.start", name="brew", input={"tea": "Assam", "cups": 2})
        assert started["channel"] == f"run:{started['run_id']}"
        result = await rpc.call("run.result", run_id=started["run_id"])
        assert result == {"status": "succeeded", "result": {"tea": "Assam", "cups": 2}, "error": None}
        again = await rpc.call("run.start", name="brew", input={"tea": "Assam", "cups": 2}, run_id=started["run_id"])
        assert again["run_id"] == started["run_id"]
        for given, pointer in [
            ({"tea": "Assam", "cups": "many"}, "/params/input/cups"),
            ({}, "/params/input/tea"),
            ({"tea": "Assam", "milk": True}, "/params/input/milk"),
            ([], "/params/input"),
        ]:
            error = (await rpc.refused("run.start", name="brew", input=given))["data"]
            assert (error["code"], error["pointer"]) == ("invalid_params", pointer)
        missing = await rpc.refused("run.start", name="coffee")
        assert missing["data"]["code"] == "not_found"
        assert "brew" in missing["message"]
        failed = await rpc.call("run.start", name="fail")
        result = await rpc.call("run.result", run_id=failed["run_id"])
        assert (result["status"], result["error"]) == ("failed", {"message": "no water", "type": "ValueError"})
        assert ("log", {"level": "info", "text": "2 of Assam"}) in [
            (kind, {name: data[name] for name in ("level", "text")} if kind == "log" else data)
            for kind, data in await story(server, started["run_id"])
        ]


async def test_a_function_asks_and_is_cancelled(tmp_path: Path, sockets: str) -> None:
    async with serving(tmp_path, offered(tmp_path)) as server, Rpc.connect(server.live) as rpc:
        asking = (await rpc.call("run.start", name="ask"))["run_id"]
        await rpc.call("subscribe", channel=f"run:{asking}", after="start")
        question = (await until_said(rpc, "question.asked"))["data"]["question_id"]
        await rpc.call("question.answer", question_id=question, answer="green")
        assert (await rpc.call("run.result", run_id=asking))["result"] == "green"
        endless = (await rpc.call("run.start", name="wait_for_ever"))["run_id"]
        await rpc.call("subscribe", channel=f"run:{endless}", after="start")
        await until_said(rpc, "log")
        receipt = await rpc.call("run.cancel", run_id=endless, reason="enough")
        assert (receipt["stopped"], receipt["draining"]) == ([endless], [])
        assert (await story(server, endless))[-1] == ("run.cancelled", {"reason": "enough", "by": "local"})


async def test_functions_of_a_killed_server_are_lost(tmp_path: Path, sockets: str) -> None:
    async with serving(tmp_path, offered(tmp_path)) as server:
        async with Rpc.connect(server.live) as rpc:
            run_id = (await rpc.call("run.start", name="wait_for_ever"))["run_id"]
            await rpc.call("subscribe", channel=f"run:{run_id}", after="start")
            await until_said(rpc, "log")
        await server.kill()
        await server.start()
        row = await until_run(server, run_id, status="lost")
        assert "restart" in row["reason"]
        assert (await story(server, run_id))[-1][0] == "run.lost"
