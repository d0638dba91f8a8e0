"""Runs over AG-UI, on a real server: started, interrupted, resumed, stopped, refused."""

from __future__ import annotations

import pytest
from tests.dialects.agui.client import StockClient
from tests.dialects.agui.requests import run_input, with_input
from tests.dialects.programs import Wire
from tests.dialects.serving import Client
from tests.live.running import until_run


async def test_a_post_runs_it_and_is_answered_by_its_events(client: Client) -> None:
    body = run_input("hello")
    stock = StockClient(body["messages"])
    async with client.stream("POST", "/agui/echo", json=body) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["content-location"] == f"/agui/echo/runs/{body['runId']}"
        for event in await stream.rest():
            stock.take(event)
    assert [message["content"] for message in stock.messages] == ["hello", "You said: hello."]
    assert stock.last["type"] == "RUN_FINISHED"
    assert stock.last["result"] == "You said: hello."
    assert (stock.last["threadId"], stock.last["runId"]) == (body["threadId"], body["runId"])


async def test_a_clients_own_names_are_said_back_whatever_they_are(client: Client) -> None:
    body = run_input(threadId="a thread / of mine", runId="rün /1")
    async with client.stream("POST", "/agui/echo", json=body) as stream:
        events = await stream.rest()
    assert {event["runId"] for event in events if "runId" in event} == {"rün /1"}
    async with client.stream("GET", "/agui/echo/runs/r%C3%BCn%20%2F1") as stream:
        again = await stream.rest()
    assert (again[0]["threadId"], again[-1]["runId"]) == ("a thread / of mine", "rün /1")


async def test_the_same_run_again_is_the_same_stream(client: Client) -> None:
    body = run_input("once")
    first = await client.raw("POST", "/agui/echo", json=body)
    assert await client.raw("POST", "/agui/echo", json=body) == first


async def test_a_failed_run_is_an_error_and_its_state_is_there(client: Client) -> None:
    stock = StockClient(state={"mine": 1})
    async with client.stream("POST", "/agui/fail", json=run_input()) as stream:
        for event in await stream.rest():
            stock.take(event)
    assert (stock.last["type"], stock.last["message"], stock.last["code"]) == ("RUN_ERROR", "no tea", "ValueError")
    assert stock.state == {"tasks": {"t1": "begun"}}


@pytest.mark.parametrize(
    ("name", "body", "wanted"),
    [
        ("given", with_input({"q": "tea"}), {"q": "tea"}),
        ("told", run_input("x", state={"a": 1}), {"prompt": "x", "messages": 1, "state": {"a": 1}, "depth": 1}),
        ("echo", run_input("y"), "You said: y."),
    ],
)
async def test_a_function_is_given_what_it_has_parameters_for(
    client: Client, name: str, body: object, wanted: object
) -> None:
    async with client.stream("POST", f"/agui/{name}", json=body) as stream:
        assert (await stream.until("RUN_FINISHED"))["result"] == wanted


async def test_one_parameter_more_is_the_prompt(client: Client) -> None:
    async with client.stream("POST", "/agui/deploy", json=run_input("1.2")) as stream:
        args = await stream.until("TOOL_CALL_ARGS")
    assert args["delta"] == '{"version":"1.2"}'


RESUMES = [
    ({"status": "resolved", "payload": {"approved": True}}, 'approve: {"version": "2"}'),
    ({"status": "resolved", "payload": {"approved": True, "editedArgs": {"version": "3"}}}, 'edit: {"version": "3"}'),
    ({"status": "resolved", "payload": {"approved": False, "reason": "late"}}, 'reject: "late"'),
    ({"status": "cancelled"}, "reject: null"),
]


@pytest.mark.parametrize(("entry", "text"), RESUMES)
async def test_an_approval_interrupts_and_resume_goes_on_with_the_same_run(
    client: Client, entry: dict[str, object], text: str
) -> None:
    body = with_input({"version": "2"})
    stock = StockClient(body["messages"])
    async with client.stream("POST", "/agui/deploy", json=body) as stream:
        for event in await stream.rest():
            stock.take(event)
    [asked] = stock.last["outcome"]["interrupts"]
    assert asked["toolCallId"] == "c1"
    again = {**body, "runId": f"{body['runId']}-b", "messages": stock.messages}
    again["resume"] = [{"interruptId": asked["id"], **entry}]
    resumed = StockClient(stock.messages)
    async with client.stream("POST", "/agui/deploy", json=again) as stream:
        for event in await stream.rest():
            resumed.take(event)
    assert resumed.last["runId"] == again["runId"]
    assert resumed.messages[-1]["content"] == text
    assert [call["id"] for message in resumed.messages for call in message.get("toolCalls", [])] == ["c1"]
    async with client.stream("GET", f"/agui/deploy/runs/{again['runId']}") as stream:
        assert (await stream.rest())[-1]["runId"] == again["runId"]


async def test_a_message_that_was_open_when_it_was_asked_grows_on(client: Client) -> None:
    body = run_input()
    stock = StockClient(body["messages"])
    async with client.stream("POST", "/agui/choose", json=body) as stream:
        for event in await stream.rest():
            stock.take(event)
    [asked] = stock.last["outcome"]["interrupts"]
    assert asked["responseSchema"] == {"enum": ["green", "black"]}
    again = {**body, "runId": f"{body['runId']}-b", "resume": [{"interruptId": asked["id"], "payload": "black"}]}
    again["resume"][0]["status"] = "resolved"
    resumed = StockClient(stock.messages)
    async with client.stream("POST", "/agui/choose", json=again) as stream:
        for event in await stream.rest():
            resumed.take(event)
    assert resumed.messages[-1]["content"] == "Let me ask. It is black."
    async with client.stream("POST", "/agui/choose", json=again) as stream:  # answered by now: it goes on all the same
        assert (await stream.rest())[-1]["type"] == "RUN_FINISHED"


async def test_an_answer_that_does_not_fit_is_pointed_at(client: Client) -> None:
    body = run_input()
    async with client.stream("POST", "/agui/choose", json=body) as stream:
        [asked] = (await stream.until("RUN_FINISHED"))["outcome"]["interrupts"]
    resume = [{"interruptId": asked["id"], "status": "resolved", "payload": "red"}]
    status, problem = await client.refused("POST", "/agui/choose", json={**body, "runId": "other", "resume": resume})
    assert (status, problem["code"], problem["pointer"]) == (422, "invalid_params", "/resume/0/payload")
    resume[0]["interruptId"] = "nobody"
    status, problem = await client.refused("POST", "/agui/choose", json={**body, "runId": "other", "resume": resume})
    assert (status, problem["pointer"]) == (404, "/resume/0/interruptId")


async def test_stop_ends_every_stream_as_cancelled(client: Client) -> None:
    async with Wire.open() as wire:
        body = with_input({"port": wire.port})
        async with client.stream("POST", "/agui/relay", json=body) as first:
            await wire.say("one")
            await first.until("TEXT_MESSAGE_CONTENT")
            async with client.stream("GET", f"/agui/relay/runs/{body['runId']}") as second:
                await second.until("TEXT_MESSAGE_START")
                stopped = await client.http.post(f"/agui/relay/runs/{body['runId']}/stop", json={"reason": "enough"})
                assert stopped.json()["stopped"] == [body["runId"]]
                for stream in (first, second):
                    last = (await stream.rest())[-1]
                    assert last["outcome"] == {"type": "cancelled"}
                    assert last["metadata"]["antiphon"] == {"reason": "enough", "by": "local"}
        await wire.until_gone()


async def test_a_client_from_before_1_0_reads_a_cancel_as_an_error(client: Client) -> None:
    async with Wire.open() as wire:
        body = with_input({"port": wire.port}, protocolVersion=None)
        async with client.stream("POST", "/agui/relay", json=body) as stream:
            await wire.say("one")
            await client.http.post(f"/agui/relay/runs/{body['runId']}/stop")
            last = (await stream.rest())[-1]
    assert (last["type"], last["code"]) == ("RUN_ERROR", "cancelled")


async def test_a_dropped_request_cancels_where_that_is_wanted(client: Client) -> None:
    async with Wire.open() as wire:
        body = with_input({"port": wire.port})
        async with client.stream("POST", "/agui/relay?onDisconnect=cancel", json=body):
            await wire.say("one")
        await wire.until_gone()
    row = await until_run(client.server, body["runId"], status="cancelled")
    assert (row["reason"], row["on_disconnect"]) == ("whoever asked has gone", "cancel")


async def test_a_dropped_request_cancels_nothing_by_default(client: Client) -> None:
    async with Wire.open() as wire:
        body = with_input({"port": wire.port})
        async with client.stream("POST", "/agui/relay", json=body):
            await wire.say("one ")
        await wire.say("two")
        await wire.end()
        async with client.stream("GET", f"/agui/relay/runs/{body['runId']}") as stream:
            stock = StockClient()
            for event in await stream.rest():
                stock.take(event)
    assert [message["content"] for message in stock.messages] == ["tea", "one two"]
    assert stock.last["result"] == "done"


async def test_what_can_be_run_is_listed_and_described(client: Client) -> None:
    listed = (await client.http.get("/agui")).json()["agents"]
    assert {"echo", "deploy"} <= {found["name"] for found in listed}
    found = (await client.http.get("/agui/echo/capabilities")).json()
    assert found["transport"]["resumable"]
    assert found["humanInTheLoop"]["interrupts"]
